package jwks

import (
	"context"
	"net/http"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

func TestStaleKeysOutliveAnOutage(t *testing.T) {
	for name, outage := range map[string]http.HandlerFunc{
		"status 500": status(500),
		"no keys":    document([]byte(`{"keys":[]}`)),
		"not a set":  document([]byte(`{}`)),
		"garbage":    document(append(tokentest.PublicKeySet(), 'x')),
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, both())
			s := p.source(t)
			s.wantKey(t, "k1", tokentest.K1())
			p.says(outage)
			s.clock.advance(defaultLifetime)
			s.wantKey(t, "k1", tokentest.K1())
			p.wantGets(t, 2)
			warnings := s.log.with(t, "level", "WARN", "reason", "jwks_unavailable", "category", "outage")
			if len(warnings) != 1 || warnings[0]["age"] == nil {
				t.Errorf("got warnings %v, want one with the age of the keys", warnings)
			}
			s.wantRefused(t, "k9", refusal.JWKSUnavailable) // the provider may have added it since
		})
	}
}

func TestStaleKeysExpire(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(status(500))
	s.clock.advance(staleWindow - 1)
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(1)
	s.wantRefused(t, "k1", refusal.JWKSUnavailable)
	p.says(both())
	s.clock.advance(maxColdBackoff)
	s.wantKey(t, "k1", tokentest.K1())
}

func TestAFailedRefreshDoesNotRenewTheWindow(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(status(500))
	for s.clock.sinceStart() < staleWindow-time.Hour {
		s.clock.advance(time.Hour)
		s.wantKey(t, "k1", tokentest.K1())
	}
	s.clock.advance(time.Hour)
	s.wantRefused(t, "k1", refusal.JWKSUnavailable)
}

func TestARemovedKeyIsGone(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(only2())
	s.clock.advance(defaultLifetime)
	s.wantRefused(t, "k1", refusal.UnknownKid)
	p.says(status(500))
	s.clock.advance(defaultLifetime)
	s.wantRefused(t, "k1", refusal.JWKSUnavailable) // an outage does not bring it back
	s.wantKey(t, "k2", tokentest.K2())
}

func TestAnUnusableReplacementIsAuthoritative(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(document([]byte(keys(good().Also("d", `"AQAB"`).String()))))
	s.clock.advance(defaultLifetime)
	s.wantRefused(t, "k1", refusal.KeyRejected)
}

func TestAKeyReplacedUnderTheSameKeyIDCountsAfterTheLifetime(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(document([]byte(keys(impostor().String()))))
	s.clock.advance(defaultLifetime - 1)
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(1)
	s.wantKey(t, "k1", tokentest.K3())
}

func TestAFlappingProviderFailsNoRequest(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	for i := range 100 {
		if i%2 == 0 {
			p.says(status(500))
		} else {
			p.says(both())
		}
		s.clock.advance(defaultLifetime)
		s.wantKey(t, "k1", tokentest.K1())
	}
	p.wantGets(t, 101)
}

// TestBackOff asks for a key once a second during an outage, and notes in which seconds the
// provider got a request.
func TestBackOff(t *testing.T) {
	asked := func(s fixture, p *provider, seconds int) []int {
		var at []int
		for second := range seconds {
			before := p.gets.Load()
			s.Key(context.Background(), "k1")
			if p.gets.Load() > before {
				at = append(at, second)
			}
			s.clock.advance(time.Second)
		}
		return at
	}
	check := func(t *testing.T, got, want []int) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("asked at seconds %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("asked at seconds %v, want %v", got, want)
			}
		}
	}
	t.Run("with keys to serve", func(t *testing.T) {
		p := serve(t, both())
		s := p.source(t)
		s.wantKey(t, "k1", tokentest.K1())
		p.says(status(500))
		s.clock.advance(defaultLifetime)
		check(t, asked(s, p, 100), []int{0, 1, 3, 7, 15, 31, 61, 91})
		p.says(both())
		s.clock.advance(maxBackoff)
		s.wantKey(t, "k1", tokentest.K1())
		p.says(status(500))
		s.clock.advance(defaultLifetime)
		check(t, asked(s, p, 5), []int{0, 1, 3}) // a good fetch resets it
	})
	t.Run("without", func(t *testing.T) {
		p := serve(t, status(500))
		s := p.source(t)
		s.Prefetch(context.Background())
		check(t, asked(s, p, 20), []int{0, 1, 2, 4, 8, 12, 16})
	})
	t.Run("without, when the clock stands still", func(t *testing.T) {
		p := serve(t, status(500))
		s := p.source(t)
		for range 10 {
			s.wantRefused(t, "k1", refusal.JWKSUnavailable)
		}
		p.wantGets(t, coldTries+1)
		s.clock.advance(-time.Hour) // a clock that is set back must not prolong it
		s.wantRefused(t, "k1", refusal.JWKSUnavailable)
		p.wantGets(t, coldTries+2)
	})
}

func TestASlowProviderStallsOneRequestOnly(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(defaultLifetime)
	p.says(silence)
	s.deadline = 50 * time.Millisecond
	for range 100 {
		s.wantKey(t, "k1", tokentest.K1())
	}
	p.wantGets(t, 2)
}

func TestAnOutageDuringALookupLeavesFreshKeysAlone(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(status(500))
	s.wantRefused(t, "k9", refusal.JWKSUnavailable)
	s.wantRefused(t, "k9", refusal.JWKSUnavailable) // backs off
	p.wantGets(t, 2)
	s.wantKey(t, "k1", tokentest.K1())
	p.says(both())
	s.clock.advance(firstBackoff)
	s.wantRefused(t, "k9", refusal.UnknownKid)
	p.wantGets(t, 3)
}

func TestTheProvidersLifetimeIsHonouredWithinLimits(t *testing.T) {
	set := tokentest.PublicKeySet()
	p := serve(t, headed("Cache-Control", "public, max-age=7200", set))
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(2*time.Hour - 1)
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 1)
	s.clock.advance(1)
	p.says(headed("Cache-Control", "max-age=15", set))
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(minLifetime - 1)
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 2)
	s.clock.advance(1)
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 3)
}

func TestFreshness(t *testing.T) {
	rows := []struct {
		name   string
		header []string
		want   time.Duration
	}{
		{"none", nil, 10 * time.Minute},
		{"15 seconds", []string{"public, max-age=15, stale-while-revalidate=15, stale-if-error=86400"}, 5 * time.Minute},
		{"zero", []string{"max-age=0"}, 5 * time.Minute},
		{"no-store", []string{"no-store"}, 5 * time.Minute},
		{"no-cache beside a lifetime", []string{"max-age=3600, no-cache"}, 5 * time.Minute},
		{"an hour", []string{"max-age=3600"}, time.Hour},
		{"names have no case, spaces are optional", []string{"Public ,  MAX-AGE=3600"}, time.Hour},
		{"quoted", []string{`max-age="3600"`}, time.Hour},
		{"ten years", []string{"max-age=315360000"}, 24 * time.Hour},
		{"more seconds than any integer has", []string{"max-age=99999999999999999999999"}, 24 * time.Hour},
		{"negative", []string{"max-age=-5"}, 10 * time.Minute},
		{"garbage", []string{"max-age=soon"}, 10 * time.Minute},
		{"empty", []string{"max-age="}, 10 * time.Minute},
		{"a lone quote", []string{`max-age="`}, 10 * time.Minute},
		{"for shared caches only", []string{"s-maxage=3600"}, 10 * time.Minute},
		{"contradictions", []string{"max-age=7200", "max-age=3600"}, time.Hour},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := freshness(http.Header{"Cache-Control": row.header}); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}
