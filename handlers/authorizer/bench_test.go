package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"strings"
	"testing"

	"account-api/internal/token/tokentest"
)

// BenchmarkInvoke measures event bytes in, response bytes out, with the log line made,
// next to what no verification can do without: the hash and one RSA operation.
func BenchmarkInvoke(b *testing.B) {
	compact := tokentest.Valid()
	b.Run("raw", func(b *testing.B) {
		public, dot := &tokentest.K1().PublicKey, strings.LastIndexByte(compact, '.')
		b.ReportAllocs()
		for b.Loop() {
			signature, err := base64.RawURLEncoding.DecodeString(compact[dot+1:])
			if err != nil {
				b.Fatal(err)
			}
			digest := sha256.Sum256([]byte(compact[:dot]))
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
				b.Fatal(err)
			}
		}
	})
	a := newAuthorizer(b)
	a.handler.log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	for _, row := range []struct{ name, authorization string }{
		{"accepted", "Bearer " + compact},
		{"refused", "Bearer " + strings.Replace(compact, ".", "..", 1)},
	} {
		b.Run(row.name, func(b *testing.B) {
			payload := []byte(tokenEvent(row.authorization))
			b.ReportAllocs()
			for b.Loop() {
				response, err := a.Invoke(b.Context(), payload)
				if accepted := err == nil && response != nil; accepted != (row.name == "accepted") {
					b.Fatalf("accepted %t, error %v", accepted, err)
				}
			}
		})
	}
}
