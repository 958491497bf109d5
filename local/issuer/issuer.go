// Package issuer is a token issuer for one machine: an identity provider as far as an
// API and its clients get to see one, so that the API runs and can be tried out
// without an account anywhere.
//
// It has the shape of Auth0: the same paths, the same token claims, the same JSON Web
// Key Set, and the same answers to what is wrong with a token request
// (https://auth0.com/docs/api/authentication/client-credential-flow/get-token). It
// knows one API, one client and one grant, client credentials (RFC 6749 section 4.4).
//
// Its client's secret is public and its keys live as long as the process. So it
// refuses to be anything else than a development tool: its URL has to be that of a
// loopback host. It has no users, no sessions, no refresh tokens and no storage.
package issuer

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The client that every issuer knows unless told otherwise. These are examples to be
// printed and pasted, not secrets.
const (
	DefaultClientID     = "local-client"
	DefaultClientSecret = "local-secret"
)

// Lifetime is how long a token lasts, as Auth0 has it for a new API:
// https://auth0.com/docs/secure/tokens/access-tokens/update-access-token-lifetime
const Lifetime = 24 * time.Hour

// Options describe the issuer. URL and Audience are required.
type Options struct {
	// URL is the issuer's name, the iss of its tokens, and where it is served. It has
	// a loopback host and ends in the slash, e.g. "http://127.0.0.1:8081/".
	URL string
	// Audience is the identifier of the only API that there are tokens for.
	Audience string
	// Scopes are all scopes of that API. The client is granted every one of them.
	Scopes []string
	// Now is the clock for claims and certificates; nil is [time.Now].
	Now func() time.Time
	// ClientID and ClientSecret are the only client's; "" is [DefaultClientID] and
	// [DefaultClientSecret].
	ClientID, ClientSecret string
	// Log gets a record for every token granted or refused and for every rotation,
	// without tokens, secrets or anything else that a client sent. nil discards them.
	Log *slog.Logger
}

// Issuer issues tokens and publishes the keys to verify them with. It is an
// [http.Handler] and may be used by several goroutines at once.
type Issuer struct {
	options  Options
	routes   *http.ServeMux
	rotation sync.Mutex // held by whoever replaces keys
	keys     atomic.Pointer[keyRing]
}

// New returns an issuer with fresh keys, which takes some tenths of a second. It errors
// if the options are incomplete or are not for one machine alone.
func New(o Options) (*Issuer, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ClientID == "" && o.ClientSecret == "" {
		o.ClientID, o.ClientSecret = DefaultClientID, DefaultClientSecret
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Scopes = slices.Clone(o.Scopes)
	ring, err := newKeyRing(o.Now())
	if err != nil {
		return nil, err
	}
	i := &Issuer{options: o}
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
	if !isLoopback(u.Hostname()) {
		return fmt.Errorf("issuer: expected a loopback host, because the client's secret is public, got %q: use 127.0.0.1", u.Hostname())
	}
	if o.Audience == "" {
		return errors.New("issuer: expected the audience of an API, got none")
	}
	if (o.ClientID == "") != (o.ClientSecret == "") {
		return errors.New("issuer: expected both a client ID and a client secret, or neither, got one")
	}
	for n, scope := range o.Scopes {
		if !scopeToken.MatchString(scope) {
			return fmt.Errorf("issuer: expected a scope without spaces, quotes and backslashes, got %q", scope)
		}
		if slices.Contains(o.Scopes[:n], scope) {
			return fmt.Errorf("issuer: expected every scope once, got %q again", scope)
		}
	}
	return nil
}

// scopeToken is a single scope: RFC 6749 section 3.3.
var scopeToken = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// Rotate makes the next key the current one, generates another next key and returns
// the key ID that tokens have from now on.
//
// As with Auth0, the key that was current stays published until [Issuer.RevokePrevious],
// so tokens that it signed stay valid, and the key that becomes current has been
// published all along, so that verifiers may know it already:
// https://auth0.com/docs/get-started/tenant-settings/signing-keys/rotate-signing-keys
func (i *Issuer) Rotate() (kid string, err error) {
	i.rotation.Lock()
	defer i.rotation.Unlock()
	ring, err := i.keys.Load().rotated(i.options.Now())
	if err != nil {
		return "", err
	}
	i.keys.Store(ring)
	i.options.Log.Info("rotated the signing keys", "kid", ring.current.id, "next", ring.next.id, "previous", len(ring.previous))
	return ring.current.id, nil
}

// RevokePrevious stops publishing every key that was current before. A verifier that
// fetches the keys again refuses the tokens that they signed; one that does not, does
// not: https://auth0.com/docs/get-started/tenant-settings/signing-keys/revoke-signing-keys
func (i *Issuer) RevokePrevious() {
	i.rotation.Lock()
	defer i.rotation.Unlock()
	ring := i.keys.Load()
	i.keys.Store(&keyRing{current: ring.current, next: ring.next})
	i.options.Log.Info("revoked the previous signing keys", "revoked", len(ring.previous))
}
