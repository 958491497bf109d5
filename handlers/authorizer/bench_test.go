package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/internal/token/tokentest"
)

// BenchmarkInvoke measures whole invocations with their log line, beside the hash and the RSA
// operation that every verification needs.
func BenchmarkInvoke(b *testing.B) {
	compact := tokentest.Valid()
	raw := rawRSA(b, compact)
	a := newAuthorizer(b)
	a.handler.log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour) // as Lambda: with a deadline
	defer cancel()
	invoke := func(b *testing.B, payload []byte, accept bool) {
		response, err := a.Invoke(ctx, payload)
		if accepted := err == nil && response != nil; accepted != accept {
			b.Fatalf("accepted %t, error %v", accepted, err)
		}
	}
	good := []byte(tokenEvent("Bearer " + compact))
	bad := []byte(tokenEvent("Bearer " + strings.Replace(compact, ".", "..", 1)))

	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			raw()
		}
	})
	b.Run("accepted", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			invoke(b, good, true)
		}
	})
	b.Run("refused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			invoke(b, bad, false)
		}
	})
	// In turns, so that a change of the machine's speed affects both.
	b.Run("paired", func(b *testing.B) {
		var ratios []float64
		for b.Loop() {
			start := time.Now()
			raw()
			between := time.Now()
			invoke(b, good, true)
			ratios = append(ratios, float64(time.Since(between))/float64(between.Sub(start)))
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[len(ratios)/4], "q1/raw")
		b.ReportMetric(ratios[len(ratios)/2], "median/raw")
		b.ReportMetric(ratios[len(ratios)*3/4], "q3/raw")
		b.ReportMetric(float64(len(ratios)), "pairs")
	})
}

// rawRSA is what every verification of the token needs.
func rawRSA(b *testing.B, compact string) func() {
	public, dot := &tokentest.K1().PublicKey, strings.LastIndexByte(compact, '.')
	return func() {
		signature, err := base64.RawURLEncoding.DecodeString(compact[dot+1:])
		if err != nil {
			b.Fatal(err)
		}
		digest := sha256.Sum256([]byte(compact[:dot]))
		if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
			b.Fatal(err)
		}
	}
}
