// Package jwks gives a token verifier the identity provider's current RSA
// signing keys, fetched the way an AWS Lambda function must fetch them.
//
// Between invocations Lambda freezes the sandbox: goroutines stop, timers do not
// fire and CLOCK_MONOTONIC stands still
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
// A cache that refreshes in the background therefore either serves keys of
// unknown age or wakes up in the middle of a request. A [Source] has no
// background: it looks at the wall clock when it is asked for a key, fetches
// inside that call if it must, and leaves no goroutine, timer or idle connection
// behind. The price is one request in ten minutes that waits for the provider.
//
// What a stranger can write into a token is only ever compared (RFC 8725, section
// 3.10). It never becomes part of a URL, a log record or an error, and it causes no
// more than a bounded number of fetches: see [Source.Key].
//
// The package refuses to do more than that. It does not verify signatures, does
// not choose an algorithm (RS256 is the only one it keeps keys for), does not
// read certificates (x5c, x5t) and does not discover the key set's address.
package jwks

import (
	"context"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"account-api/internal/refusal"
)

const (
	// defaultLifetime is how long a fetched set is used without asking again, if
	// the provider does not say. Providers announce a new key long before its
	// first use, and an unknown key ID causes a fetch anyway, so this only bounds
	// how long a withdrawn key lives on. API Gateway's own JWT authorizer caches for
	// two hours:
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
	defaultLifetime = 10 * time.Minute
	// minLifetime keeps "max-age=0" or "no-store" from making every request a fetch.
	minLifetime = time.Minute
	// maxLifetime keeps a wrong "max-age" from making a key irrevocable.
	maxLifetime = 24 * time.Hour

	// staleWindow is how long keys outlive their last good fetch while the
	// provider cannot be reached: the stale-if-error (RFC 5861, section 4) that
	// Auth0 sends with its key sets.
	staleWindow = 24 * time.Hour

	// fetchDeadline is for one fetch in total: resolving, connecting, handshake,
	// retry and the last byte of the body. It is API Gateway's own JWT authorizer's
	// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html)
	// and half of a 3 s function timeout: a function that times out is a 500 to the
	// client, not a 401.
	fetchDeadline = 1500 * time.Millisecond
	// contextReserve stays unspent of a caller's own deadline, so that the
	// refusal is still written and sent.
	contextReserve = 100 * time.Millisecond

	// maxKidBytes is far above any provider's key ID (thumbprints are 43 bytes).
	// It bounds what an unknown key ID may cost in the table of absent ones.
	maxKidBytes = 256
)

// Options are the parts of a [Source] that differ between production and a test.
// The zero value is right for production.
type Options struct {
	// Client sends the requests. Nil means the package's own: TLS 1.2 or later
	// verified against the system's roots (SSL_CERT_FILE and SSL_CERT_DIR are honoured),
	// response headers bounded, no cookies, no credentials, no kept connections. Proxies
	// are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY as
	// [http.ProxyFromEnvironment] does, never for a loopback host. A client that is
	// given is used as it is, except that redirects stay refused; its transport must
	// return when the request's context ends.
	Client *http.Client
	// Now returns the time. Nil means [time.Now]. Only the wall clock is read.
	Now func() time.Time
	// Logger receives one record for each fetch and one for each key that was not
	// taken. Nil means none. Records carry key IDs that the provider published,
	// never those that tokens carry.
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
	reserve  time.Duration // of a caller's deadline; [contextReserve] outside tests

	mu        sync.Mutex // guards what follows; never held during a fetch or a log call
	set       Set        // of the last good fetch; its zero value before that
	fetchedAt time.Time  // when that fetch was started
	lifetime  time.Duration
	flight    *flight // the fetch under way, if any
	failures  failures
	budget    budget // for fetches that only an unknown key ID asks for
	absent    absent // key IDs that the set did not have
}

// New returns a Source for the key set at uri and makes no request. The uri must
// be https with a host; http is accepted for a loopback host only. Credentials
// and a fragment in it are errors. An error's text is fit for a log: it does not
// repeat credentials.
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
		reserve:  contextReserve,
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// Prefetch fetches the set now, for use in a function's init phase, where CPU is
// not throttled and no request waits: the first TLS handshake of a process also
// parses the system's roots. It takes at most 1.5 s and is best effort: a failed fetch
// has been logged when it returns, and the first [Source.Key] tries again at once. It
// leaves the budget for unknown key IDs untouched.
func (s *Source) Prefetch(ctx context.Context) error {
	if !s.enoughTime(ctx) {
		return refusal.New(refusal.JWKSUnavailable, "%s", noTime)
	}
	s.mu.Lock()
	f := s.board()
	s.mu.Unlock()
	if failed := s.wait(ctx, f); failed != nil {
		return failed
	}
	return nil
}

// Age returns how old the cached set is, and false before the first good fetch.
// It is for logs: a set may be past its lifetime and still be the right answer.
func (s *Source) Age() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.set.loaded() {
		return 0, false
	}
	return max(0, s.wall().Sub(s.fetchedAt)), true
}

// Key returns the key that the provider publishes for RS256 under exactly this
// key ID. The caller must not modify it. That a key is returned says nothing
// about the token that named it.
//
// Every error is a [*refusal.Error] with one of four reasons: unknown_kid,
// key_rejected, jwks_unavailable, jwks_rate_limited.
//
// A key of a fresh set is returned without any I/O. Otherwise the call may wait
// for one fetch, at most 1.5 s and at least 100 ms less than ctx allows; calls at
// the same time share it. A set past its lifetime is fetched again on use; if that
// fails, its keys are served for 24 h from the last good fetch. A key ID that a
// fresh set lacks is looked up once more at the provider, within a budget of two
// fetches at once and one every 30 s after that. A good set is authoritative: a key
// that it no longer has is gone.
func (s *Source) Key(ctx context.Context, kid string) (*rsa.PublicKey, error) {
	if kid == "" || len(kid) > maxKidBytes {
		return nil, refusal.New(refusal.UnknownKid, "the key ID has %d bytes, want 1 to %d", len(kid), maxKidBytes)
	}
	s.mu.Lock()
	key, f, err := s.answer(ctx, kid)
	s.mu.Unlock()
	if f == nil {
		return key, err
	}
	failed := s.wait(ctx, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settle(kid, failed)
}

// wall returns the wall clock alone: with a monotonic reading attached, a
// subtraction would miss the time that the sandbox spent frozen (package time,
// "Monotonic Clocks").
func (s *Source) wall() time.Time { return s.now().Round(0) }
