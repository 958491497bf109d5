package jwks

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"account-api/internal/refusal"
)

// flight is one fetch and the calls that wait for it.
//
// It has a goroutine and a context of its own, so a caller that gives up does not end it for
// the others. Callers are counted. The last one to give up cancels the fetch and waits for its
// goroutine: after the last call has returned nothing runs, and Lambda may freeze the process.
type flight struct {
	cancel  context.CancelFunc
	limit   time.Duration  // of the fetch
	waiting int            // calls that wait; guarded by Source.mu
	done    chan struct{}  // closed after failed is set
	failed  *refusal.Error // nil if the set was replaced
}

// board returns the flight under way, or starts one, with the caller counted in.
// The caller must wait for it. s.mu is held.
func (s *Source) board(limit time.Duration) *flight {
	if s.flight == nil {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		s.flight = &flight{cancel: cancel, limit: limit, done: make(chan struct{})}
		go s.fly(ctx, s.flight)
	}
	s.flight.waiting++
	return s.flight
}

// wait returns the flight's outcome. It gives up after the caller's patience, if that is not
// zero, and when ctx ends or only [contextReserve] of it is left.
func (s *Source) wait(ctx context.Context, f *flight, patience time.Duration) *refusal.Error {
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-s.reserve))
		defer cancel()
	}
	select {
	case <-f.done:
		return f.failed
	case <-ctx.Done():
	}
	s.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last && s.flight == f {
		s.flight = nil // a call that comes now must not join a cancelled fetch
	}
	s.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
	return refusal.New(refusal.JWKSUnavailable, "the caller's time ended before the key set came")
}

// enoughTime reports whether ctx leaves more than [contextReserve].
func (s *Source) enoughTime(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > s.reserve
}

// fly fetches, records and logs the outcome, and then releases the callers.
func (s *Source) fly(ctx context.Context, f *flight) {
	defer close(f.done)
	defer f.cancel()
	started := s.wall() // a set is as old as the question, not as the answer
	set, lifetime, err := s.fetch(ctx, f.limit)
	ended := s.wall()
	f.failed = s.land(f, set, lifetime, err, started, ended)
}

// land records the outcome of a flight. An abandoned flight never replaces the set: a later
// one may have done so, and an older answer must not bring back a withdrawn key.
func (s *Source) land(f *flight, set Set, lifetime time.Duration, err error, started, ended time.Time) *refusal.Error {
	s.mu.Lock()
	if s.flight == f {
		s.flight = nil
	} else if err == nil {
		err = errors.New("every caller gave up")
	}
	if err == nil {
		s.set, s.fetchedAt, s.lifetime = set, started, lifetime
		s.failures = failures{}
	} else {
		s.failures.add(ended, err)
	}
	warm, age := s.usable(ended), ended.Sub(s.fetchedAt)
	s.mu.Unlock()

	took := slog.Duration("took", ended.Sub(started))
	if err == nil {
		s.log.Info("key set fetched", slog.Int("keys", set.Len()), slog.Duration("fresh_for", lifetime), took)
		set.report(s.log)
		return nil
	}
	refused := refusal.New(refusal.JWKSUnavailable, "%s", err)
	attrs := append(reasonAttrs(refused), slog.String("detail", refused.Detail), took)
	if warm {
		attrs = append(attrs, slog.Duration("age", age))
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "key set not refreshed: older keys stay in use", attrs...)
	} else {
		s.log.LogAttrs(context.Background(), slog.LevelError, "key set unavailable: no token can be verified", attrs...)
	}
	return refused
}

// reasonAttrs are the two fields that metric filters match.
func reasonAttrs(refused *refusal.Error) []slog.Attr {
	return []slog.Attr{slog.String("reason", string(refused.Reason)), slog.String("category", string(refused.Category()))}
}
