// Package token verifies one compact JSON Web Token: this issuer's access token, for this
// API, valid now. It refuses everything else: other algorithms than RS256, other kinds of
// token, other serializations, second spellings of the same token, and JSON that is not
// strict. It does no I/O, reads no clock, looks up no revocation and never decides access.
//
// Nothing in a token chooses an algorithm, offers a key or causes a request. Members that
// no check names are ignored. RFC 8725 and RFC 9068 give the reasons.
package token

import (
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"account-api/internal/refusal"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Expectation is what a token must say to be accepted. No option skips a check: an empty
// issuer or audience is an error.
type Expectation struct {
	// Issuer equals the claim iss byte for byte, with its trailing slash if it has one
	// (RFC 7519, section 4.1.1).
	Issuer string

	// Audience equals the claim aud, or one entry of it, byte for byte.
	Audience string

	// RequireAccessTokenType demands what RFC 9068 does: typ at+jwt (section 4) and an
	// iat (section 2.2). Without it typ may also be JWT or absent.
	RequireAccessTokenType bool
}

// Claims is what an accepted token says about its bearer. It does not say that the bearer
// may make this call.
type Claims struct {
	Subject         string   // sub: 1 to 255 printable characters
	Scope           string   // scope as received: scope tokens between spaces, or empty
	HasScope        bool     // whether the token has a scope, be it an empty one
	Permissions     []string // Auth0's permissions; nil if absent or not scope tokens
	AuthorizedParty string   // azp, the client that obtained the token; empty if absent
	KeyID           string   // kid of the key that verified the signature
	ExpiresAt       time.Time
}

// KeyFunc returns the provider's public key for a key ID. It is called at most once per
// token, after all checks that need no key: junk must not cause a fetch. Its errors are
// [*refusal.Error]; any other is reported as [refusal.Internal] without its text.
type KeyFunc func(kid string) (*rsa.PublicKey, error)

// Verifier checks tokens against one [Expectation]. It is safe for concurrent use.
type Verifier struct {
	expect  Expectation
	headers headerCache
	readers sync.Pool // of *reader
}

// NewVerifier returns a verifier, or a [refusal.ConfigError] that names the field to correct.
func NewVerifier(expect Expectation) (*Verifier, error) {
	for _, field := range []struct{ name, value string }{
		{"issuer", expect.Issuer}, {"audience", expect.Audience},
	} {
		if field.value == "" {
			return nil, refusal.New(refusal.ConfigError, "expected an %s, got none: every token would be accepted", field.name)
		}
		if trimmed := strings.TrimSpace(field.value); trimmed != field.value {
			return nil, refusal.New(refusal.ConfigError, "expected an %s without white space around it, got %q: write %q", field.name, field.value, trimmed)
		}
	}
	return &Verifier{expect: expect, readers: sync.Pool{New: func() any { return new(reader) }}}, nil
}

// rs256 verifies signatures. Neither the token's alg nor the key's selects another algorithm.
var rs256 = func() jws.Verifier {
	verifier, err := jws.NewVerifier(jwa.RS256)
	if err != nil {
		panic("token: jwx no longer offers RS256: " + err.Error())
	}
	return verifier
}()

// Verify returns what a token says, or the first reason to refuse it. Every error is a
// [*refusal.Error] and comes with zero Claims. The order is form, header, claims, key,
// signature. All but the signature judge unverified text: [refusal.Expired] does not mean
// that the provider issued such a token.
func (v *Verifier) Verify(compact string, now time.Time, key KeyFunc) (Claims, error) {
	r := v.readers.Get().(*reader)
	defer v.readers.Put(r)
	t, refused := v.read(r, compact)
	if refused != nil {
		return Claims{}, refused
	}
	for i := range claimChecks {
		if refused := claimChecks[i].run(v, t, now); refused != nil {
			return Claims{}, refused
		}
	}
	publicKey, refused := lookUp(key, t.verdict.KeyID)
	if refused != nil {
		return Claims{}, refused
	}
	if refused := verifySignature(t.input, t.signature, publicKey, t.verdict.KeyID); refused != nil {
		return Claims{}, refused
	}
	if !t.header.replicates {
		v.headers.add(t.headerSegment, t.verdict.KeyID)
	}
	return t.verdict, nil
}

// unverified is a token on its way through the checks.
type unverified struct {
	headerSegment string
	input         []byte // what is signed: header, dot, payload
	signature     []byte

	header header // zero if the header cache knew the segment
	claims claims
	dates  dates

	// verdict is what Verify returns in the end. The check of a claim adds it.
	verdict Claims
}

// read takes the token apart and checks its header. The rest of a token with a bad header
// is not decoded.
func (v *Verifier) read(r *reader, compact string) (*unverified, *refusal.Error) {
	p, refused := split(compact)
	if refused != nil {
		return nil, refused
	}
	t := &r.token
	r.input = append(r.input[:0], p.input...)
	*t = unverified{headerSegment: p.header, input: r.input}
	r.decoded = slices.Grow(r.decoded[:0], len(compact))
	kid, known := v.headers.keyID(p.header)
	if !known {
		if refused := r.readPart("header", p.header, &t.header); refused != nil {
			return nil, refused
		}
		for i := range headerChecks {
			if refused := headerChecks[i].run(v, &t.header); refused != nil {
				return nil, refused
			}
		}
		kid = t.header.keyID
	}
	t.verdict.KeyID = kid
	if t.signature, refused = r.decode("signature", p.signature); refused != nil {
		return nil, refused
	}
	return t, r.readPart("payload", p.payload, &t.claims)
}

// lookUp calls key and turns whatever goes wrong into a refusal. It drops the text of an
// error that is none, which might hold token bytes.
func lookUp(key KeyFunc, kid string) (*rsa.PublicKey, *refusal.Error) {
	if key == nil {
		return nil, refusal.New(refusal.Internal, "expected a key function, got none")
	}
	publicKey, err := key(kid)
	if err != nil {
		if refused, _ := errors.AsType[*refusal.Error](err); refused != nil {
			return nil, refused
		}
		return nil, refusal.New(refusal.Internal, "expected a refusal from the key function, got an error of type %T", err)
	}
	if publicKey == nil {
		return nil, refusal.New(refusal.Internal, "expected a key or an error from the key function, got neither")
	}
	return publicKey, nil
}

func verifySignature(input, signature []byte, key *rsa.PublicKey, kid string) *refusal.Error {
	if err := rs256.Verify(input, signature, key); err != nil {
		return refusal.New(refusal.BadSignature, "key %q does not verify the signature", ShortKeyID(kid))
	}
	return nil
}

// ShortKeyID is the start of a printable key ID, as a log line may show it: enough to tell
// keys apart, too short to carry a token. A [KeyFunc] is given printable key IDs only.
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
