package jwks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
)

const noTime = "too little time is left to fetch the key set"

// answer returns a key, a refusal, or a flight to wait for. After the flight [Source.settle]
// answers. s.mu is held.
func (s *Source) answer(ctx context.Context, kid string, failed *signature.Key) (*signature.Key, *flight, error) {
	now := s.wall()
	fresh := s.fresh(now)
	suspect := failed != nil && s.publishes(kid, failed)
	if fresh && !suspect && (s.set.has(kid) || s.absent.holds(kid, now)) {
		key, err := s.key(kid)
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
	case suspect && (within(now, s.suspected, unknownKidInterval) || !s.budget.take(now)):
		return failed, nil, nil
	case suspect:
		s.suspected = now
	case fresh && !s.budget.take(now):
		return nil, nil, s.unmatched(kid, refusal.New(refusal.JWKSRateLimited,
			"the key set lacks the key ID and may be fetched for an unknown one again within %v", unknownKidInterval))
	}
	return nil, s.board(s.deadline), nil
}

// settle answers a call whose flight has ended, or failed. s.mu is held.
func (s *Source) settle(kid string, failed *refusal.Error) (*signature.Key, error) {
	now := s.wall()
	if failed != nil {
		return s.fallback(kid, now, failed.Detail)
	}
	if !s.set.has(kid) {
		s.absent.add(kid, now)
	}
	return s.key(kid)
}

// fallback answers without a fetch, from keys that are within the stale window. If they lack
// the key ID, the provider may have added it since. s.mu is held.
func (s *Source) fallback(kid string, now time.Time, why string) (*signature.Key, error) {
	if s.usable(now) && s.set.has(kid) {
		return s.key(kid)
	}
	return nil, refusal.New(refusal.JWKSUnavailable, "%s", why)
}

// key answers from the set. s.mu is held.
func (s *Source) key(kid string) (*signature.Key, error) {
	key, err := s.set.Key(kid)
	if refused, _ := errors.AsType[*refusal.Error](err); refused != nil {
		return nil, s.unmatched(kid, refused)
	}
	s.matched = true
	return key, nil
}

// unmatched counts a key ID that names no usable key. If no other ever did, the address is
// probably another issuer's: an anonymous caller alone cannot prevent that a good token
// matches. s.mu is held.
func (s *Source) unmatched(kid string, refused *refusal.Error) *refusal.Error {
	if s.matched {
		return refused
	}
	if len(s.strangers) < maxStrangers {
		if s.strangers == nil {
			s.strangers = map[string]bool{}
		}
		s.strangers[kid] = true
	}
	if len(s.strangers) == maxStrangers {
		refused.By = refusal.Misconfiguration
		refused.Detail += fmt.Sprintf("; of %d key IDs it had none: is this the issuer's key set?", maxStrangers)
	}
	return refused
}

// publishes reports whether the set has exactly this key under the key ID. s.mu is held.
func (s *Source) publishes(kid string, key *signature.Key) bool {
	published := s.set.entries[kid].key
	return published != nil && published.Equal(key)
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
