// Package token verifies one compact JSON Web Token: was it issued by this
// provider, for this API, and is it valid now? It is for the authorizer.
//
// It is stricter than a JWT library, because it has one deployment to serve
// instead of all of them. One algorithm (RS256), one serialization (RFC 7515,
// section 7.1), one canonical encoding per token, JSON without duplicate names or
// invalid UTF-8, and every registered header and claim of the right type. Nothing
// in a token can choose an algorithm, offer a key or cause a request, and members
// that nobody registered are ignored. RFC 8725 and RFC 9068 say why.
//
// It does no I/O and reads no clock: the moment and the keys are parameters. It
// does not decide access. Accepted [Claims] say who calls and what the provider
// granted, not that this call is allowed. It does not look up revocations either:
// a token that the provider withdrew is accepted until it expires.
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

// Expectation is what a token must say to be accepted by one API. There is no
// option that skips a check: an empty issuer or audience is an error.
type Expectation struct {
	// Issuer must equal the claim iss byte for byte, a trailing slash included
	// (RFC 7519, section 4.1.1: case-sensitive, no normalisation).
	Issuer string

	// Audience must equal the claim aud, or one entry of it, byte for byte.
	Audience string

	// RequireAccessTokenType demands the RFC 9068 profile: typ at+jwt (section 4)
	// and an iat (section 2.2). Without it typ may also be JWT, or absent.
	RequireAccessTokenType bool
}

// Claims is what an accepted token says about its bearer: proof that the provider
// wrote this for our API, not that the bearer may do anything.
type Claims struct {
	Subject         string   // sub: 1 to 255 printable characters
	Scope           string   // scope as received: scope tokens between spaces; may be empty
	HasScope        bool     // whether the token carries a scope at all
	Permissions     []string // Auth0's permissions as scope tokens; nil if absent or unusable
	AuthorizedParty string   // azp: the client that obtained the token; empty if absent
	KeyID           string   // kid of the key that verified the signature
	ExpiresAt       time.Time
}

// KeyFunc returns the provider's public key for a key ID. It is called at most
// once per token, and only after every check that needs no key has passed, so
// that a stranger's junk cannot cause a fetch. Its error should be a
// [*refusal.Error]; any other is reported as [refusal.Internal] without its text.
type KeyFunc func(kid string) (*rsa.PublicKey, error)

// Verifier checks tokens against one [Expectation]. It is safe for concurrent use.
type Verifier struct {
	expect  Expectation
	headers headerCache
	readers sync.Pool // of *reader
}

// NewVerifier returns a verifier, or a [refusal.ConfigError] that names the field
// to correct.
func NewVerifier(expect Expectation) (*Verifier, error) {
	for _, field := range []struct{ name, value string }{
		{"issuer", expect.Issuer}, {"audience", expect.Audience},
	} {
		if field.value == "" {
			return nil, refusal.New(refusal.ConfigError, "expected an %s, got none: without it any token would do", field.name)
		}
		if trimmed := strings.TrimSpace(field.value); trimmed != field.value {
			return nil, refusal.New(refusal.ConfigError, "expected an %s without white space around it, got %q: write %q", field.name, field.value, trimmed)
		}
	}
	return &Verifier{expect: expect, readers: sync.Pool{New: func() any { return new(reader) }}}, nil
}

// rs256 verifies signatures, and with one algorithm only. The token's alg and the
// key's alg are compared with it elsewhere; they never select anything.
var rs256 = func() jws.Verifier {
	verifier, err := jws.NewVerifier(jwa.RS256)
	if err != nil {
		panic("token: jwx no longer offers RS256: " + err.Error())
	}
	return verifier
}()

// Verify returns what a token says, if at the moment now it is one to accept, or
// the first reason against it. Every error is a [*refusal.Error] and comes with
// zero Claims. The order is: form, header, claims, key, signature. All but the
// last two are cheap and judge unverified text, so a refusal such as
// [refusal.Expired] does not mean that the provider ever issued such a token; show
// it to operators only.
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

// unverified is a token whose parts could be read and whose header passed.
type unverified struct {
	headerSegment string
	input         []byte // what is signed: header, dot, payload
	signature     []byte

	header header // zero if the header cache knew the segment
	claims claims
	dates  dates

	// verdict is what Verify will return. A claim enters it only through the
	// check that approves it.
	verdict Claims
}

// read takes the token apart and checks its header, cheapest first: for a token
// with a foreign algorithm nothing but the header is ever decoded.
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

// lookUp calls key and makes a refusal of whatever goes wrong. The text of a
// foreign error is dropped: nobody promised that it holds no token bytes.
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

// verifySignature checks what was signed against the one algorithm.
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
