package main

import (
	"bytes"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"account-api/internal/decision"
	"account-api/internal/endpoint"
	"account-api/internal/endpoint/endpointtest"
)

// BenchmarkInvoke measures event bytes in, response bytes out, with the log line made.
func BenchmarkInvoke(b *testing.B) {
	log := new(bytes.Buffer)
	h, err := endpoint.New(b.Context(), profile(), endpoint.Environment{
		Labels: []slog.Attr{slog.String("function", "profile-bench")}, Log: log, Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	allowed, denied := callers(b)
	for _, row := range []struct {
		name   string
		caller *decision.Input
	}{
		{"allowed", allowed},
		{"denied", denied},
		{"with 10000 scopes", &decision.Input{Scope: strings.Repeat("some:other ", 10_000)}},
	} {
		if row.caller == nil {
			continue // the policy has no such caller
		}
		b.Run(row.name, func(b *testing.B) {
			payload := []byte(endpointtest.EventOf(b, *row.caller))
			b.ReportAllocs()
			for b.Loop() {
				log.Reset()
				if _, err := h.Invoke(b.Context(), payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNew measures what the init phase pays besides the start of the process.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := endpoint.New(b.Context(), profile(), endpoint.Environment{Log: io.Discard, Now: time.Now}); err != nil {
			b.Fatal(err)
		}
	}
}
