// Package issuer issues tokens on the developer's machine. With it an API runs, and can
// be tried out, without an account at an identity provider.
//
// It has the shape of Auth0: the same paths, JSON Web Key Set and error answers
// (https://auth0.com/docs/api/authentication/client-credential-flow/get-token). It knows one
// API, one client and one grant, client credentials (RFC 6749 section 4.4). Its tokens have
// the claims of Auth0's, or of another provider that [Options.Provider] names.
//
// # Callers
//
// A token request may describe another caller than the client itself. These members are
// not of Auth0. Each is optional, in JSON and in a form:
//
//	scope        scopes separated by spaces. Absent: all scopes of the API. Empty: none
//	sub          the sub claim. Absent: "<client ID>@clients"
//	permissions  the permissions claim: text separated by spaces, a form parameter that
//	             is repeated, or a JSON array. Absent: no such claim
//	azp          the azp claim. Absent: the client ID
//	claims       a JSON object of further claims. It cannot replace the claims above, nor
//	             those that the issuer sets, such as iss and exp
//	alg          the algorithm of the signature, one of [Options.Algorithms]. Absent: the first
//
// Under another provider than Auth0 the claims have that provider's names.
//
// # Limits
//
// The client's secret is public and the keys live as long as the process. So the issuer
// accepts loopback URLs only: it is a development tool. It has no users, sessions,
// refresh tokens or storage. It is one issuer: an API that trusts several accepts its tokens
// as those of the first.
package issuer

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"account-api/internal/loopback"
)

// The only client. Commands that a developer pastes show both values: they are not secrets.
const (
	ClientID     = "local-client"
	ClientSecret = "local-secret"
)

// Lifetime is how long a token lasts. It is Auth0's default for a new API:
// https://auth0.com/docs/secure/tokens/access-tokens/update-access-token-lifetime
const Lifetime = 24 * time.Hour

// Options describe the issuer. URL and Audience are required.
type Options struct {
	// URL is where the issuer is served, and the iss claim of its tokens. It has a
	// loopback host and ends in a slash: "http://127.0.0.1:8081/".
	URL string
	// Audience identifies the only API that there are tokens for. If the API has several
	// names, spaces stand between them. Tokens are for the first unless asked otherwise.
	Audience string
	// Provider is whose claims the tokens have, one of [Providers]; "" is Auth0.
	Provider string
	// Algorithms are those to sign with, of [Algorithms]. There are keys for each. The first
	// is the default; none means RS256.
	Algorithms []string
	// Scopes are the scopes of that API. A token request without a scope gets them all.
	Scopes []string
	// Restrict refuses every other scope, as Auth0 does. Without it a request may name
	// any scope.
	Restrict bool
	// Now is the clock for claims; nil is [time.Now].
	Now func() time.Time
	// Log gets a record for every token granted or refused and for every rotation. No
	// record holds a token, a secret or anything else that a client sent. nil discards them.
	Log *slog.Logger
}

// Issuer issues tokens and publishes the keys to verify them with. It is an
// [http.Handler] and may be used by several goroutines at once.
type Issuer struct {
	options   Options
	audiences []string
	shape     shape
	routes    *http.ServeMux
	rotation  sync.Mutex // held while keys are replaced
	keys      atomic.Pointer[keyRing]
	scopes    atomic.Pointer[[]string] // of the API; options has the first ones
}

// New returns an issuer with new keys. Generating them takes some tenths of a second. It
// errors if an option is missing, or if the URL is not a loopback one.
func New(o Options) (*Issuer, error) {
	o.Provider = cmp.Or(o.Provider, defaultProvider)
	if len(o.Algorithms) == 0 {
		o.Algorithms = Algorithms()[:1]
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	i := &Issuer{options: o, audiences: strings.Fields(o.Audience), shape: shapes[o.Provider]}
	if err := i.SetScopes(o.Scopes); err != nil {
		return nil, err
	}
	ring, err := newKeyRing(o.Algorithms)
	if err != nil {
		return nil, err
	}
	i.keys.Store(ring)
	i.routes = i.newRoutes()
	return i, nil
}

func (o Options) check() error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") ||
		u.Path != "/" || o.URL != u.Scheme+"://"+u.Host+"/" {
		return fmt.Errorf("issuer: expected a URL with a host and nothing after it but the slash, like http://127.0.0.1:8081/, got %q", o.URL)
	}
	if !loopback.Is(u.Hostname()) {
		return fmt.Errorf("issuer: expected a loopback host, because the client's secret is public, got %q: use 127.0.0.1", u.Hostname())
	}
	if strings.TrimSpace(o.Audience) == "" {
		return errors.New("issuer: expected the audience of an API, got none")
	}
	if _, known := shapes[o.Provider]; !known {
		return fmt.Errorf("issuer: expected a provider among %s, got %q", strings.Join(Providers(), ", "), o.Provider)
	}
	for n, algorithm := range o.Algorithms {
		if !slices.Contains(Algorithms(), algorithm) || slices.Contains(o.Algorithms[:n], algorithm) {
			return fmt.Errorf("issuer: expected algorithms among %s, each once, got %q", strings.Join(Algorithms(), ", "), algorithm)
		}
	}
	return nil
}

func checkScopes(scopes []string) error {
	for n, scope := range scopes {
		if !scopeToken.MatchString(scope) {
			return fmt.Errorf("issuer: expected a scope without spaces, quotes and backslashes, got %q", scope)
		}
		if slices.Contains(scopes[:n], scope) {
			return fmt.Errorf("issuer: expected every scope once, got %q again", scope)
		}
	}
	return nil
}

// SetScopes replaces the scopes of the API. The keys stay, and so do the tokens that
// were signed with them.
func (i *Issuer) SetScopes(scopes []string) error {
	if err := checkScopes(scopes); err != nil {
		return err
	}
	scopes = slices.Clone(scopes)
	i.scopes.Store(&scopes)
	return nil
}

// scopeToken is a single scope: RFC 6749 section 3.3.
var scopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

// Rotate makes the next key of each algorithm the current one and generates another next
// key. It returns the key ID of new tokens, in the first algorithm.
//
// As with Auth0, the next key is published before it signs, so that verifiers may know
// it. The former key stays published until [Issuer.RevokePrevious], or for some more
// rotations: tokens that it signed stay valid.
// https://auth0.com/docs/get-started/tenant-settings/signing-keys/rotate-signing-keys
func (i *Issuer) Rotate() (kid string, err error) {
	i.rotation.Lock()
	defer i.rotation.Unlock()
	ring, err := i.keys.Load().rotated(i.options.Algorithms)
	if err != nil {
		return "", err
	}
	i.keys.Store(ring)
	i.options.Log.Info("rotated the signing keys", "current", keyIDs(ring.current), "next", keyIDs(ring.next), "previous", len(ring.previous))
	return ring.current[0].id, nil
}

// RevokePrevious stops publishing the former keys. A verifier refuses their tokens once
// it has fetched the keys again:
// https://auth0.com/docs/get-started/tenant-settings/signing-keys/revoke-signing-keys
func (i *Issuer) RevokePrevious() {
	i.rotation.Lock()
	defer i.rotation.Unlock()
	ring := i.keys.Load()
	i.keys.Store(&keyRing{current: ring.current, next: ring.next})
	i.options.Log.Info("revoked the previous signing keys", "revoked", len(ring.previous))
}
