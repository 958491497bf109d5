package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

// both publishes k1 and k2, only1 and only2 one of them.
func both() http.HandlerFunc { return document(tokentest.PublicKeySet()) }

func only1() http.HandlerFunc { return document(tokentest.JWKS(good())) }

func only2() http.HandlerFunc { return document(tokentest.JWKS(tokentest.JWK("k2", tokentest.K2()))) }

func TestFreshKeysCostNoRequest(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	for range 100 {
		s.wantKey(t, "k1", tokentest.K1())
		s.wantKey(t, "k2", tokentest.K2())
	}
	s.clock.advance(defaultLifetime - 1)
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 1)
}

func TestKeyRefusesOddKeyIDsWithoutRequest(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	for name, kid := range map[string]string{"empty": "", "257 bytes": strings.Repeat("k", 257), "4 KiB": strings.Repeat("k", 4096)} {
		t.Run(name, func(t *testing.T) {
			refused := s.wantRefused(t, kid, refusal.UnknownKid)
			if kid != "" && strings.Contains(refused.Detail, kid[:8]) {
				t.Error("the refusal repeats the key ID")
			}
		})
	}
	p.wantGets(t, 0)
	s.wantRefused(t, strings.Repeat("k", 256), refusal.UnknownKid)
	p.wantGets(t, 1)
}

func TestKeyIDNeverLeavesTheProcess(t *testing.T) {
	var asked sync.Map
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String(), true)
		both()(w, r)
	})
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	for _, kid := range []string{"../../dev/null", "' OR 1=1", "%00", "http://evil.example/", "a\nb"} {
		s.clock.advance(unknownKidInterval)
		refused := s.wantRefused(t, kid, refusal.UnknownKid)
		if strings.Contains(refused.Error(), kid) {
			t.Errorf("the refusal repeats the key ID %q", kid)
		}
	}
	asked.Range(func(url, _ any) bool {
		if url != "/jwks.json" {
			t.Errorf("the provider was asked for %q", url)
		}
		return true
	})
	for _, record := range s.log.with(t) {
		if text := fmt.Sprint(record); strings.Contains(text, "evil") || strings.Contains(text, "OR 1=1") {
			t.Errorf("a record repeats a token's key ID: %s", text)
		}
	}
}

func TestJunkKeyIDsStayWithinTheBudget(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	reasons := map[refusal.Reason]int{}
	storm := func(round int) {
		for i := range 1000 {
			_, err := s.Key(context.Background(), fmt.Sprintf("junk-%d-%d", round, i))
			reasons[refusal.ReasonOf(err)]++
		}
	}
	storm(0)
	p.wantGets(t, 1+unknownKidBurst)
	s.wantKey(t, "k1", tokentest.K1())
	if reasons[refusal.UnknownKid] != 2 || reasons[refusal.JWKSRateLimited] != 998 {
		t.Errorf("got reasons %v, want 2 unknown_kid and 998 jwks_rate_limited", reasons)
	}
	s.clock.advance(unknownKidInterval - 1)
	storm(1)
	p.wantGets(t, 1+unknownKidBurst)
	for round := range 5 {
		s.clock.advance(unknownKidInterval)
		storm(2 + round)
		p.wantGets(t, 1+unknownKidBurst+1+int64(round))
	}
	if len(s.absent.since) > maxAbsent {
		t.Errorf("%d absent key IDs are remembered, want at most %d", len(s.absent.since), maxAbsent)
	}
}

func TestOneJunkKeyIDDoesNotBlockARotation(t *testing.T) {
	p := serve(t, only1())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	s.wantRefused(t, "junk", refusal.UnknownKid)
	p.says(both())
	s.wantKey(t, "k2", tokentest.K2())
	p.wantGets(t, 3)
}

func TestAStormDelaysARotationByOneInterval(t *testing.T) {
	p := serve(t, only1())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	for i := range 100 {
		s.Key(context.Background(), fmt.Sprint("junk", i))
	}
	p.says(both())
	s.wantRefused(t, "k2", refusal.JWKSRateLimited)
	s.clock.advance(unknownKidInterval)
	s.Key(context.Background(), "yet more junk") // causes the fetch, which has k2
	s.wantKey(t, "k2", tokentest.K2())
}

func TestTheSameJunkKeyIDIsNotLookedUpAgain(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	for range 1000 {
		s.wantRefused(t, "junk", refusal.UnknownKid)
	}
	p.wantGets(t, 2)
	s.clock.advance(unknownKidInterval)
	s.wantRefused(t, "junk", refusal.UnknownKid)
	p.wantGets(t, 3)
}

func TestFirstUnknownKeyIDAfterPrefetchIsLookedUpAtOnce(t *testing.T) {
	p := serve(t, only1())
	s := p.source(t)
	if err := s.Prefetch(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.says(both())
	s.wantKey(t, "k2", tokentest.K2())
	p.wantGets(t, 2)
	if s.budget.spent != 1 {
		t.Errorf("got %d fetches counted against the budget, want 1: the prefetch is free", s.budget.spent)
	}
}

func TestAbsentKeyIDIsFoundOnceAnyFetchBringsIt(t *testing.T) {
	p := serve(t, only1())
	s := p.source(t)
	s.wantRefused(t, "k2", refusal.UnknownKid) // signed before it was published
	p.says(both())
	s.wantRefused(t, "k3", refusal.UnknownKid)
	s.wantKey(t, "k2", tokentest.K2())
	p.wantGets(t, 2)
}

func TestAfterAFreezeTheNextCallRefreshes(t *testing.T) {
	p := serve(t, only1())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	s.wantRefused(t, "junk", refusal.UnknownKid)
	s.clock.advance(6 * time.Hour)
	p.says(both())
	s.wantKey(t, "k2", tokentest.K2()) // by the refresh, not from the budget
	p.wantGets(t, 3)
}

// TestOnlyTheWallClockCounts gives the source times whose monotonic reading stands still, as
// while a sandbox is frozen.
func TestOnlyTheWallClockCounts(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	monotonic := time.Now()
	s.now = func() time.Time { return monotonic }
	if _, err := s.Key(context.Background(), "k1"); err != nil {
		t.Fatal(err)
	}
	if wall := s.wall(); wall.String() != monotonic.Round(0).String() {
		t.Errorf("got %v, which has a monotonic reading", wall)
	}
	s.now = func() time.Time { return monotonic.Round(0).Add(defaultLifetime) }
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 2)
}

func TestAClockThatIsSetBackRefreshes(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(-time.Minute)
	if age, ok := s.Age(); age != 0 || !ok {
		t.Errorf("got age %v, %v; want 0", age, ok)
	}
	p.says(status(500))
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 2)
	s.clock.advance(-365 * 24 * time.Hour)
	s.wantRefused(t, "k1", refusal.JWKSUnavailable)
	p.wantGets(t, 3)
}

func TestAFailedPrefetchIsForgotten(t *testing.T) {
	p := serve(t, status(500))
	s := p.source(t)
	if err := s.Prefetch(context.Background()); refusal.ReasonOf(err) != refusal.JWKSUnavailable {
		t.Fatalf("got %v, want jwks_unavailable", err)
	}
	p.says(both())
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 2)
}

func TestAge(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	if age, ok := s.Age(); ok {
		t.Errorf("got age %v before the first fetch, want none", age)
	}
	s.wantKey(t, "k1", tokentest.K1())
	s.clock.advance(3 * time.Minute)
	if age, ok := s.Age(); age != 3*time.Minute || !ok {
		t.Errorf("got %v, %v; want 3m0s, true", age, ok)
	}
}

func TestASetIsAsOldAsTheQuestion(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	p.says(func(w http.ResponseWriter, r *http.Request) { s.clock.advance(time.Second); both()(w, r) })
	s.wantKey(t, "k1", tokentest.K1())
	if age, _ := s.Age(); age != time.Second {
		t.Errorf("got age %v, want 1s", age)
	}
}

func TestDefaults(t *testing.T) {
	s, err := New("https://issuer.example/.well-known/jwks.json", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.deadline != 2*time.Second || s.patience != 300*time.Millisecond || s.reserve != 100*time.Millisecond {
		t.Errorf("got deadline %v, patience %v and reserve %v, want 2s, 300ms and 100ms", s.deadline, s.patience, s.reserve)
	}
	if now := s.wall(); time.Since(now).Abs() > time.Hour {
		t.Errorf("got %v, want the time of day", now)
	}
}

func TestKeysThatAreNotTakenAreLogged(t *testing.T) {
	p := serve(t, document([]byte(keys(
		good().String(), impostor().String(),
		tokentest.JWK("weak", tokentest.K2()).With("n", ofBits(1024)).String(),
		tokentest.JWK("bare", tokentest.K2()).Also("d", `"c2VjcmV0"`).String(),
		ellipticKey("other").String(),
		tokentest.JWK("", tokentest.K2()).String(),
	))))
	s := p.source(t)
	s.wantRefused(t, "k1", refusal.KeyRejected)
	for kid, fields := range map[string][]string{
		"k1":   {"level", "ERROR", "reason", "key_rejected", "category", "attack"},
		"bare": {"level", "ERROR", "reason", "key_rejected", "category", "attack"},
		"weak": {"level", "WARN", "reason", "<nil>"}, "": {"level", "WARN", "reason", "<nil>"},
	} {
		if n := len(s.log.with(t, append(fields, "msg", "key not taken from the key set", "kid", kid)...)); n != 1 {
			t.Errorf("got %d records with %v for %q, want 1", n, fields, kid)
		}
	}
	if n := len(s.log.with(t, "msg", "the key set has no usable key: no token can be verified", "level", "ERROR", "category", "misconfiguration")); n != 1 {
		t.Errorf("got %d records about a set without a usable key, want 1", n)
	}
	other := s.log.with(t, "kid", "other", "level", "DEBUG")
	if len(other) != 1 || other[0]["reason"] != nil {
		t.Errorf("got %v for a key of another kind, want one debug record without a reason", other)
	}
	if strings.Contains(s.log.text.String(), "c2VjcmV0") {
		t.Error("a private member was logged")
	}
	p.wantGets(t, 1) // a rejected key is not an unknown one
}

func TestErrorsAreRefusals(t *testing.T) {
	p := serve(t, status(503))
	s := p.source(t)
	err := s.Prefetch(context.Background())
	var refused *refusal.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %T, want *refusal.Error", err)
	}
}
