// Package jwks fetches an identity provider's key set and returns its keys by key ID, each with
// the one algorithm that it is for. It refuses addresses, documents and keys that are not safe to use. It verifies no
// signature, reads no certificate and does not discover the key set's address.
//
// Lambda freezes the sandbox between invocations: goroutines stop, timers do not fire and
// CLOCK_MONOTONIC stands still
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
// So a [Source] does nothing in the background. It reads the wall clock when it is asked for
// a key, fetches within that call, and leaves no goroutine, timer or connection behind. About
// one request in ten minutes waits for the provider.
//
// A key ID from a token is only compared (RFC 8725, section 3.10). It never becomes part of a
// URL, a log record or an error, and causes a bounded number of fetches: see [Source.Key].
package jwks

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
)

// maxKidBytes is far above any provider's key ID (thumbprints have 43 bytes). It
// bounds the size of the table of absent key IDs.
const maxKidBytes = 256

// Options are the parts of a [Source] that differ between production and a test.
// The zero value is right for production.
type Options struct {
	// Client sends the requests. Nil means the package's own: TLS 1.2 or later, the
	// system's roots (or SSL_CERT_FILE and SSL_CERT_DIR), bounded response headers, no
	// cookies, no credentials, no kept connections, proxies as in
	// [http.ProxyFromEnvironment]. A given client is used as it is, but without
	// redirects. Its transport must return when the request's context ends.
	Client *http.Client
	// Algorithms are those that keys may be for. None means RS256.
	Algorithms []signature.Algorithm
	// Now returns the time. Nil means [time.Now]. Only the wall clock is read.
	Now func() time.Time
	// Logger receives one record for each fetch and one for each key that was not taken.
	// Nil means none. Records have the provider's key IDs, never those of tokens.
	Logger *slog.Logger
}

// Source is one provider's key set. It is safe for concurrent use.
type Source struct {
	uri      string
	client   *http.Client
	ownsHTTP bool // client is ours, so its connections are ours to close
	now      func() time.Time
	log      *slog.Logger
	deadline time.Duration // of one fetch; [fetchDeadline] outside tests
	patience time.Duration // of a caller for whom older keys do; [stalePatience] outside tests
	reserve  time.Duration // of a caller's deadline; [contextReserve] outside tests

	algorithms []signature.Algorithm

	mu        sync.Mutex // guards what follows; never held during a fetch or a log call
	set       Set        // of the last good fetch; its zero value before that
	fetchedAt time.Time  // when that fetch was started
	lifetime  time.Duration
	flight    *flight // the fetch under way, if any
	failures  failures
	budget    budget    // for fetches that only an unknown key ID asks for, or a bad signature
	suspected time.Time // when a bad signature last asked for one
	absent    absent    // key IDs that the set did not have

	matched   bool            // whether some key ID named a usable key
	strangers map[string]bool // up to maxStrangers key IDs that did not, before that
}

// New returns a Source for the key set at uri and makes no request. The uri must be https
// with a host; http is accepted for a loopback host only. Credentials and a fragment in it
// are errors. An error does not repeat credentials.
func New(uri string, o Options) (*Source, error) {
	if err := checkURI(uri); err != nil {
		return nil, err
	}
	s := &Source{
		uri:      uri,
		client:   newClient(o.Client, uri),
		ownsHTTP: o.Client == nil,
		now:      o.Now,
		log:      o.Logger,
		deadline: fetchDeadline,
		patience: stalePatience,
		reserve:  contextReserve,

		algorithms: o.Algorithms,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Prefetch fetches the set now. It is for a function's init phase, in which no request waits:
// the first TLS handshake also parses the system's roots. It takes at most 5 s. A failed
// fetch is logged, and the first [Source.Key] tries again at once. The budget for unknown key
// IDs is not spent.
func (s *Source) Prefetch(ctx context.Context) error {
	if !s.enoughTime(ctx) {
		return refusal.New(refusal.JWKSUnavailable, "%s", noTime)
	}
	s.mu.Lock()
	f := s.board(prefetchDeadline)
	s.mu.Unlock()
	if failed := s.wait(ctx, f, 0); failed != nil {
		return failed
	}
	return nil
}

// Age returns how old the set is, and false before the first good fetch. It is for logs: a
// set past its lifetime may still be in use.
func (s *Source) Age() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.set.loaded() {
		return 0, false
	}
	return max(0, s.wall().Sub(s.fetchedAt)), true
}

// Usable reports whether there are keys that may be used if the provider does not answer.
func (s *Source) Usable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usable(s.wall())
}

// Holds reports, without I/O, whether the set at hand has a usable key with this ID.
func (s *Source) Holds(kid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set.entries[kid].key != nil
}

// Key returns the key that the provider publishes under exactly this key ID. The caller must
// not modify it. A key says nothing about the token that named it. A failed key did not verify
// the token's signature: if the set has no other, it is returned again.
//
// Every error is a [*refusal.Error] with one of four reasons: unknown_kid, key_rejected,
// jwks_unavailable, jwks_rate_limited.
//
// A key of a fresh set is returned without I/O. Otherwise the call may wait for one fetch: at
// most 2 s, or 300 ms if the set has the key, and 100 ms less than ctx allows. Calls at the
// same time share the fetch. A set past its lifetime is fetched again on use. If that fails,
// its keys stay in use for 24 h from the last good fetch. A key ID that a fresh set lacks
// causes a fetch, within a budget of two at once and then one every 30 s. So does a failed
// key, at most every 30 s. A key that a good set no longer has is gone.
func (s *Source) Key(ctx context.Context, kid string, failed *signature.Key) (*signature.Key, error) {
	if kid == "" || len(kid) > maxKidBytes {
		return nil, refusal.New(refusal.UnknownKid, "the key ID has %d bytes, want 1 to %d", len(kid), maxKidBytes)
	}
	s.mu.Lock()
	key, f, err := s.answer(ctx, kid, failed)
	patience := time.Duration(0)
	if failed == nil && s.usable(s.wall()) && s.set.has(kid) {
		patience = s.patience
	}
	s.mu.Unlock()
	if f == nil {
		return key, err
	}
	unfetched := s.wait(ctx, f, patience)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settle(kid, unfetched)
}

// wall returns the wall clock without its monotonic reading, with which a subtraction would
// miss the time that the sandbox was frozen (package time, "Monotonic Clocks").
func (s *Source) wall() time.Time { return s.now().Round(0) }
