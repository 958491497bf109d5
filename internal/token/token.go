// Package token verifies one compact JSON Web Token: a trusted issuer's access token, for this
// API, valid now. It refuses everything else: other algorithms than the configured ones, other
// kinds of token, other serializations, second spellings of the same token, and JSON that is
// not strict. It does no I/O, reads no clock, looks up no revocation and never decides access.
//
// Nothing in a token chooses an algorithm, offers a key or causes a request. Members that
// no check names are ignored. RFC 8725 and RFC 9068 give the reasons.
package token

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"account-api/internal/refusal"
	"account-api/internal/signature"
)

// Expectation is what a token must say to be accepted. No option skips a check: no issuer and
// no audience are errors.
type Expectation struct {
	Issuers    []Issuer              // those that are trusted, at least one
	Algorithms []signature.Algorithm // of the keys; none means RS256
	PassOn     []string              // names of further claims to pass on
}

// Issuer is one trusted issuer.
type Issuer struct {
	// Name equals the claim iss byte for byte, with its trailing slash if it has one (RFC
	// 7519, section 4.1.1).
	Name string

	// Audiences are this API's names. One of them equals the claim aud, or one entry of it,
	// byte for byte.
	Audiences []string

	// Provider is the profile of its access tokens, one of [Providers]. None is the first.
	Provider string
}

// Check returns what is wrong with the settings of one issuer.
func (i Issuer) Check() error {
	if err := checkText("issuer", i.Name); err != nil {
		return err
	}
	for _, audience := range i.Audiences {
		if err := checkText("audience", audience); err != nil {
			return err
		}
	}
	switch {
	case len(i.Audiences) == 0:
		return checkText("audience", "")
	case profileOf(i.Provider) == nil:
		hint := "one that is not listed follows rfc9068"
		for _, name := range Providers() {
			if strings.EqualFold(name, i.Provider) {
				hint = "did you mean " + name + "?"
			}
		}
		return fmt.Errorf("expected a provider among %s, got %q: %s", strings.Join(Providers(), ", "), i.Provider, hint)
	}
	return nil
}

func checkText(name, text string) error {
	if text == "" {
		return fmt.Errorf("expected an %s, got none: every token would be accepted", name)
	}
	if trimmed := strings.TrimSpace(text); trimmed != text {
		return fmt.Errorf("expected an %s without white space around it, got %q: write %q", name, text, trimmed)
	}
	return nil
}

// Claims is what an accepted token says about its bearer. It does not say that the bearer
// may make this call.
type Claims struct {
	Issuer          string   // iss
	Subject         string   // sub: 1 to 255 printable characters
	Scope           string   // scope tokens between spaces, or empty
	HasScope        bool     // whether the token has scopes, be it none
	Permissions     []string // beside the scopes; nil if absent or not scope tokens
	AuthorizedParty string   // the client that obtained the token; empty if absent
	PassedOn        string   // the claims to pass on, as a JSON object; empty if there are none
	KeyID           string   // kid of the key that verified the signature
	ExpiresAt       time.Time
}

// Keys finds the issuers' public keys.
type Keys interface {
	// Key returns the key that the issuer publishes under a key ID. It is called after all
	// checks that need no key: junk must not cause a fetch. If the key does not verify the
	// signature, Key is called once more with it, because the issuer may have replaced it.
	// Its errors are [*refusal.Error]; any other is reported as [refusal.Internal] without
	// its text.
	Key(issuer, kid string, failed *signature.Key) (*signature.Key, error)

	// Holds reports, without I/O, whether a key of the issuer is known by this ID. It
	// decides only who is to blame for a refusal.
	Holds(issuer, kid string) bool
}

// KeyFunc is the method Key as a function. It holds no keys. A nil one finds none.
type KeyFunc func(issuer, kid string, failed *signature.Key) (*signature.Key, error)

// Key implements [Keys].
func (f KeyFunc) Key(issuer, kid string, failed *signature.Key) (*signature.Key, error) {
	if f == nil {
		return nil, nil
	}
	return f(issuer, kid, failed)
}

// Holds implements [Keys].
func (KeyFunc) Holds(string, string) bool { return false }

// Verifier checks tokens against one [Expectation]. It is safe for concurrent use.
type Verifier struct {
	issuers    []issuer
	algorithms []signature.Algorithm
	passOn     []string
	wanted     map[string]wanted
	headers    headerCache
	readers    sync.Pool // of *reader
}

// issuer is a trusted issuer with its profile.
type issuer struct {
	Issuer
	profile *profile
}

// NewVerifier returns a verifier, or a [refusal.ConfigError] that names what to correct.
func NewVerifier(expect Expectation) (*Verifier, error) {
	v := &Verifier{algorithms: expect.Algorithms, passOn: expect.PassOn, wanted: wantedClaims(expect.PassOn)}
	v.readers.New = func() any { return v.newReader(0) }
	if len(v.algorithms) == 0 {
		v.algorithms = []signature.Algorithm{signature.RS256}
	}
	for _, algorithm := range v.algorithms {
		if !signature.Known(string(algorithm)) {
			return nil, refusal.New(refusal.ConfigError, "expected an algorithm among %v, got %q", signature.Algorithms(), algorithm)
		}
	}
	for at, name := range v.passOn {
		if name == "" || !utf8.ValidString(name) || slices.Contains(v.passOn[:at], name) {
			return nil, refusal.New(refusal.ConfigError, "expected claims to pass on, each once, got %q", name)
		}
	}
	for _, trusted := range expect.Issuers {
		if err := trusted.Check(); err != nil {
			return nil, refusal.New(refusal.ConfigError, "%v", err)
		}
		if slices.ContainsFunc(v.issuers, func(other issuer) bool { return other.Name == trusted.Name }) {
			return nil, refusal.New(refusal.ConfigError, "expected each issuer once, got %q twice", trusted.Name)
		}
		v.issuers = append(v.issuers, issuer{trusted, profileOf(trusted.Provider)})
	}
	if len(v.issuers) == 0 {
		return nil, refusal.New(refusal.ConfigError, "%v", Issuer{}.Check())
	}
	return v, nil
}

func (v *Verifier) algorithmNames() string {
	names := string(v.algorithms[0])
	for _, algorithm := range v.algorithms[1:] {
		names += " or " + string(algorithm)
	}
	return names
}

// Verify returns what a token says, or the first reason to refuse it. Every error is a
// [*refusal.Error] and comes with zero Claims. The order is form, header, claims, key,
// signature. All but the signature judge unverified text: [refusal.Expired] does not mean
// that the provider issued such a token.
func (v *Verifier) Verify(compact string, now time.Time, keys Keys) (Claims, error) {
	r := v.readers.Get().(*reader)
	defer v.readers.Put(r)
	t, refused := v.read(r, compact)
	if refused != nil {
		return Claims{}, v.blame(t, refused, keys)
	}
	for i := range claimChecks {
		if refused := claimChecks[i].run(v, t, now); refused != nil {
			return Claims{}, v.blame(t, refused, keys)
		}
	}
	key, refused := lookUp(keys, t, nil)
	if refused != nil {
		return Claims{}, refused
	}
	if refused := t.verify(keys, key); refused != nil {
		return Claims{}, refused
	}
	if !t.header.replicates {
		v.headers.add(t.headerSegment, t.header.naming)
	}
	return t.verdict, nil
}

// unverified is a token on its way through the checks.
type unverified struct {
	headerSegment string
	input         []byte // what is signed: header, dot, payload
	signature     []byte

	header header // only its naming if the header cache knew the segment
	claims claims
	dates  dates
	issuer *issuer // the trusted one, after its check
	slash  bool    // whether iss differs from it by a slash

	// verdict is what Verify returns in the end. The check of a claim adds it.
	verdict Claims
}

// newReader returns a reader for tokens of so many bytes.
func (v *Verifier) newReader(size int) *reader {
	r := &reader{decoded: make([]byte, 0, size)}
	r.token.claims = claims{wanted: v.wanted}
	return r
}

// read takes the token apart and checks its header. The rest of a token with a bad header
// is not decoded.
func (v *Verifier) read(r *reader, compact string) (*unverified, *refusal.Error) {
	t := &r.token
	t.claims.found, t.claims.marked = t.claims.found[:0], false
	*t = unverified{claims: t.claims, issuer: &v.issuers[0]}
	p, refused := split(compact)
	if refused != nil {
		return t, refused
	}
	r.input = append(r.input[:0], p.input...)
	t.headerSegment, t.input = p.header, r.input
	r.decoded = slices.Grow(r.decoded[:0], len(compact))
	var known bool
	if t.header.naming, known = v.headers.find(p.header); !known {
		if refused := r.readPart("header", p.header, &t.header); refused != nil {
			return t, refused
		}
		for i := range headerChecks {
			if refused := headerChecks[i].run(v, &t.header); refused != nil {
				return t, refused
			}
		}
	}
	if t.signature, refused = r.decode("signature", p.signature); refused != nil {
		return t, refused
	}
	return t, r.readPart("payload", p.payload, &t.claims)
}

// blame adds who has to act, where the reason alone does not tell. It returns what it is given.
func (v *Verifier) blame(t *unverified, refused *refusal.Error, keys Keys) *refusal.Error {
	switch {
	case refused.Reason == refusal.UnsupportedAlg && strings.HasPrefix(string(t.header.algorithm), "HS"):
		// An HMAC keyed with a public key (RFC 8725, section 2.1). Honest tokens with an
		// HMAC have a key ID of their own, or none.
		kid, _ := t.header.kid.text()
		if slices.ContainsFunc(v.issuers, func(i issuer) bool { return keys.Holds(i.Name, string(kid)) }) {
			refused.By = refusal.Attack
		}
	case refused.Reason == refusal.BadIssuer && t.slash && keys.Holds(t.issuer.Name, t.header.keyID):
		// Only the provider itself can prove that the setting is wrong.
		if key, err := lookUp(keys, t, nil); err == nil && t.verify(keys, key) == nil {
			refused.By = refusal.Misconfiguration
		}
	}
	return refused
}

// lookUp finds the key and turns whatever goes wrong into a refusal. It drops the text of an
// error that is none, which might hold token bytes.
func lookUp(keys Keys, t *unverified, failed *signature.Key) (*signature.Key, *refusal.Error) {
	key, err := keys.Key(t.issuer.Name, t.header.keyID, failed)
	if err != nil {
		if refused, _ := errors.AsType[*refusal.Error](err); refused != nil {
			return nil, refused
		}
		return nil, refusal.New(refusal.Internal, "expected a refusal with no key, got an error of type %T", err)
	}
	if key == nil {
		return nil, refusal.New(refusal.Internal, "expected a key or an error, got neither")
	}
	return key, nil
}

// verify verifies the signature with the key, or with the one that replaced it.
func (t *unverified) verify(keys Keys, key *signature.Key) *refusal.Error {
	t.verdict.KeyID, t.verdict.Issuer = t.header.keyID, t.issuer.Name
	refused := t.verifyWith(key)
	if refused != nil {
		if replaced, none := lookUp(keys, t, key); none == nil && !replaced.Equal(key) {
			refused = t.verifyWith(replaced)
		}
	}
	return refused
}

func (t *unverified) verifyWith(key *signature.Key) *refusal.Error {
	if t.header.algorithm != key.Algorithm {
		return refusal.New(refusal.UnsupportedAlg, "expected header alg %s, which the key is for, got another", key.Algorithm)
	}
	if err := key.Verify(t.input, t.signature); err != nil {
		return refusal.New(refusal.BadSignature, "key %q does not verify the signature", ShortKeyID(t.header.keyID))
	}
	return nil
}

// ShortKeyID is the start of a printable key ID, as a log line may show it: enough to tell
// keys apart, too short to carry a token. [Keys] are given printable key IDs only.
func ShortKeyID(kid string) string {
	const maxShown = 16 // characters
	shown := 0
	for i := range kid {
		if shown == maxShown {
			return kid[:i]
		}
		shown++
	}
	return kid
}
