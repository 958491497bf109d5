package jwks

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

func TestParallelColdCallsShareOneRequest(t *testing.T) {
	gate := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) { <-gate; both()(w, r) })
	s := p.source(t)
	parallel(t, s, 20, "k1", func() { close(gate) })
	p.wantGets(t, 1)
	wantNothingRunning(t)
}

func TestParallelCallsWithANewKeyIDShareOneRequest(t *testing.T) {
	p := serve(t, only1())
	s := p.source(t)
	s.wantKey(t, "k1", tokentest.K1())
	gate := make(chan struct{})
	p.says(func(w http.ResponseWriter, r *http.Request) { <-gate; both()(w, r) })
	parallel(t, s, 50, "k2", func() { close(gate) })
	p.wantGets(t, 2)
	if s.budget.spent != 1 {
		t.Errorf("got %d fetches counted against the budget, want 1", s.budget.spent)
	}
}

// parallel makes n calls that all wait for one fetch, releases it, and fails the
// test unless all of them get a key.
func parallel(t *testing.T, s fixture, n int, kid string, release func()) {
	t.Helper()
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			if _, err := s.Key(context.Background(), kid); err != nil {
				t.Error(err)
			}
		})
	}
	s.awaiting(t, n)
	release()
	calls.Wait()
}

func TestACancelledCallerFailsNobodyElse(t *testing.T) {
	gate := make(chan struct{})
	p := serve(t, func(w http.ResponseWriter, r *http.Request) { <-gate; both()(w, r) })
	s := p.source(t)
	first, giveUp := context.WithCancel(context.Background())
	var calls sync.WaitGroup
	calls.Go(func() {
		if _, err := s.Key(first, "k1"); refusal.ReasonOf(err) != refusal.JWKSUnavailable {
			t.Errorf("the cancelled call got %v, want jwks_unavailable", err)
		}
	})
	s.awaiting(t, 1) // the fetch was started by the call that will be cancelled
	for range 10 {
		calls.Go(func() {
			if _, err := s.Key(context.Background(), "k1"); err != nil {
				t.Error(err)
			}
		})
	}
	s.awaiting(t, 11)
	giveUp()
	s.awaiting(t, 10)
	close(gate)
	calls.Wait()
	p.wantGets(t, 1)
}

func TestNothingRunsAfterTheLastCallerGaveUp(t *testing.T) {
	hungUp := make(chan struct{}, 1)
	p := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); hungUp <- struct{}{} })
	s := p.source(t)
	s.deadline = time.Hour // only the callers can end it
	ctx, giveUp := context.WithCancel(context.Background())
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() {
			if _, err := s.Key(ctx, "k1"); refusal.ReasonOf(err) != refusal.JWKSUnavailable {
				t.Errorf("got %v, want jwks_unavailable", err)
			}
		})
	}
	s.awaiting(t, 3)
	eventually(t, "the request arrives", func() bool { return p.gets.Load() == 1 })
	giveUp()
	calls.Wait()
	wantNothingRunning(t)
	<-hungUp // the provider sees the end too

	// The abandoned flight must not affect a later call.
	p.says(both())
	s.wantKey(t, "k1", tokentest.K1())
	p.wantGets(t, 2)
}

func TestACallDoesNotJoinAnAbandonedFetch(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	// A transport that is slow to end keeps the abandoned fetch running during the next call.
	abandoned, land := make(chan struct{}), make(chan struct{})
	real, once := s.client.Transport, sync.OnceFunc(func() { close(abandoned) })
	s.client.Transport = transport(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		once()
		<-land
		return nil, r.Context().Err()
	})
	ctx, giveUp := context.WithCancel(context.Background())
	var first sync.WaitGroup
	first.Go(func() {
		// When it returns, the other call has fetched the keys.
		if _, err := s.Key(ctx, "k1"); err != nil {
			t.Error(err)
		}
	})
	s.awaiting(t, 1)
	giveUp()
	<-abandoned
	s.client.Transport = real
	s.wantKey(t, "k1", tokentest.K1())
	close(land)
	first.Wait()
	s.wantKey(t, "k1", tokentest.K1())
}

// transport is a function that serves as the network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAnAbandonedFetchNeverReplacesTheSet(t *testing.T) {
	p := serve(t, only2())
	s := p.source(t)
	s.wantKey(t, "k2", tokentest.K2())
	older, err := Parse(tokentest.PublicKeySet())
	if err != nil {
		t.Fatal(err)
	}
	now := s.clock.now()
	if failed := s.land(&flight{}, older, time.Hour, nil, now, now); failed == nil {
		t.Error("got no refusal for a flight that nobody waits for")
	}
	s.wantRefused(t, "k1", refusal.JWKSUnavailable) // and backs off
	s.wantKey(t, "k2", tokentest.K2())
}

func TestACallWithTooLittleTimeMakesNoRequest(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	short, cancel := context.WithTimeout(context.Background(), contextReserve)
	defer cancel()
	ended, end := context.WithCancel(context.Background())
	end()
	for name, ctx := range map[string]context.Context{"only the reserve is left": short, "cancelled before": ended} {
		t.Run(name, func(t *testing.T) {
			key, err := s.Key(ctx, "k1")
			checkRefused(t, key, err, refusal.JWKSUnavailable)
			if err := s.Prefetch(ctx); refusal.ReasonOf(err) != refusal.JWKSUnavailable {
				t.Errorf("prefetch: got %v, want jwks_unavailable", err)
			}
		})
	}
	p.wantGets(t, 0)
	if s.failures.count != 0 || len(s.log.with(t)) != 0 {
		t.Errorf("a fetch was started: %v", s.log.with(t))
	}
	s.wantKey(t, "k1", tokentest.K1())
	t.Run("stale keys need no time", func(t *testing.T) {
		s.clock.advance(defaultLifetime)
		key, err := s.Key(ended, "k1")
		checkKey(t, key, err, tokentest.K1())
		p.wantGets(t, 1)
		if s.failures.count != 0 {
			t.Error("a fetch was started, and failed")
		}
	})
	t.Run("an unknown key ID spends no budget", func(t *testing.T) {
		s.wantKey(t, "k1", tokentest.K1())
		s.Key(ended, "junk")
		if s.budget.spent != 0 {
			t.Errorf("got %d fetches counted, want none", s.budget.spent)
		}
	})
}

func TestACallReturnsBeforeItsOwnDeadline(t *testing.T) {
	p := serve(t, silence)
	s := p.source(t)
	s.deadline, s.reserve = time.Hour, time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour+50*time.Millisecond)
	defer cancel()
	key, err := s.Key(ctx, "k1")
	checkRefused(t, key, err, refusal.JWKSUnavailable)
	if ctx.Err() != nil {
		t.Error("the caller's context had ended: nothing was left in reserve")
	}
	wantNothingRunning(t)
}

func TestEverythingAtOnce(t *testing.T) {
	p := serve(t, both())
	s := p.source(t)
	var calls sync.WaitGroup
	for worker := range 8 {
		calls.Go(func() {
			for i := range 50 {
				ctx, cancel := context.WithCancel(context.Background())
				switch (worker + i) % 4 {
				case 0:
					s.Key(ctx, fmt.Sprint("junk", i))
				case 1:
					s.clock.advance(time.Minute)
					s.Age()
				case 2:
					cancel()
					s.Key(ctx, "k2")
				default:
					if _, err := s.Key(ctx, "k1"); err != nil {
						t.Error(err)
					}
				}
				cancel()
			}
		})
	}
	calls.Wait()
	wantNothingRunning(t)
}

func TestAPanicInTheClientIsARefusal(t *testing.T) {
	client := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { panic("secret") })}
	log := &journal{}
	s, err := New("https://keys.example.com/", Options{Client: client, Logger: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	key, err := s.Key(context.Background(), "k1", nil)
	refused := checkRefused(t, key, err, refusal.JWKSUnavailable)
	if strings.Contains(refused.Detail, "secret") {
		t.Error("the refusal repeats what the panic said")
	}
}
