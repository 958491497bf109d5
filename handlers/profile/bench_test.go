package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"account-api/policies"
)

// BenchmarkInvoke measures event bytes in, response bytes out, with the log line made.
func BenchmarkInvoke(b *testing.B) {
	h, log := newTestHandler(b, nil)
	for _, row := range []struct{ name, scope string }{
		{"200", "get:profile update:profile"},
		{"403", "update:profile"},
		{"200 among 10000 scopes", strings.Repeat("some:other ", 10_000) + "get:profile"},
	} {
		b.Run(row.name, func(b *testing.B) {
			payload := []byte(event(scope(b, row.scope)))
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

// BenchmarkNewHandler measures what the init phase pays besides the start of the process.
func BenchmarkNewHandler(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := newHandler(b.Context(), config{policy: policies.Profile, logger: slog.New(slog.DiscardHandler), now: time.Now}); err != nil {
			b.Fatal(err)
		}
	}
}
