package jwks

import (
	"context"
	"crypto/rsa"
	"time"

	"account-api/internal/refusal"
)

const noTime = "too little time is left to fetch the key set"

// answer returns a key, a refusal, or a flight to wait for. After the flight [Source.settle]
// answers. s.mu is held.
func (s *Source) answer(ctx context.Context, kid string) (*rsa.PublicKey, *flight, error) {
	now := s.wall()
	fresh := s.fresh(now)
	if fresh && (s.set.has(kid) || s.absent.holds(kid, now)) {
		key, err := s.set.Key(kid)
		return key, nil, err
	}
	switch {
	case !s.enoughTime(ctx):
		key, err := s.fallback(kid, now, noTime)
		return key, nil, err
	case s.flight != nil:
		// Joining causes no request, so neither back-off nor budget applies.
	case s.failures.backingOff(now, s.usable(now)):
		key, err := s.fallback(kid, now, s.failures.last)
		return key, nil, err
	case fresh && !s.budget.take(now):
		return nil, nil, refusal.New(refusal.JWKSRateLimited,
			"the key set lacks the key ID and may be fetched for an unknown one again within %v", unknownKidInterval)
	}
	return nil, s.board(), nil
}

// settle answers a call whose flight has ended, or failed. s.mu is held.
func (s *Source) settle(kid string, failed *refusal.Error) (*rsa.PublicKey, error) {
	now := s.wall()
	if failed != nil {
		return s.fallback(kid, now, failed.Detail)
	}
	if !s.set.has(kid) {
		s.absent.add(kid, now)
	}
	return s.set.Key(kid)
}

// fallback answers without a fetch, from keys that are within the stale window. If they lack
// the key ID, the provider may have added it since. s.mu is held.
func (s *Source) fallback(kid string, now time.Time, why string) (*rsa.PublicKey, error) {
	if s.usable(now) && s.set.has(kid) {
		return s.set.Key(kid)
	}
	return nil, refusal.New(refusal.JWKSUnavailable, "%s", why)
}

// fresh reports whether the set may be used without asking the provider. Before
// the first good fetch the lifetime is zero, and nothing is fresh.
func (s *Source) fresh(now time.Time) bool { return within(now, s.fetchedAt, s.lifetime) }

// usable reports whether the set may be used when the provider does not answer. A step back
// of the clock counts like a step forward.
func (s *Source) usable(now time.Time) bool {
	return s.set.loaded() && now.Sub(s.fetchedAt).Abs() < staleWindow
}

// within reports whether now lies in the span that begins at start. It does not before start:
// a clock that was set back must not extend a lifetime, a back-off or a refusal.
func within(now, start time.Time, span time.Duration) bool {
	elapsed := now.Sub(start)
	return elapsed >= 0 && elapsed < span
}
