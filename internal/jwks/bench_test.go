package jwks

import (
	"context"
	"strconv"
	"testing"
	"time"

	"account-api/internal/token/tokentest"
)

// warm is a source in production's configuration after one fetch.
func warm(b *testing.B) *Source {
	p := serve(b, both())
	s := p.source(b)
	s.now = time.Now
	s.wantKey(b, "k1", tokentest.K1())
	return s.Source
}

func BenchmarkKeyWarm(b *testing.B) {
	s, ctx := warm(b), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Key(ctx, "k1", nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKeyUnknown is the same junk key ID again and again.
func BenchmarkKeyUnknown(b *testing.B) {
	s, ctx := warm(b), context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Key(ctx, "junk", nil); err == nil {
			b.Fatal("got a key")
		}
	}
}

// BenchmarkKeyJunk is another junk key ID each time.
func BenchmarkKeyJunk(b *testing.B) {
	s, ctx := warm(b), context.Background()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Key(ctx, strconv.Itoa(i), nil); err == nil {
			b.Fatal("got a key")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	document := tokentest.PublicKeySet()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(document); err != nil {
			b.Fatal(err)
		}
	}
}
