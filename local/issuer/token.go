package issuer

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// TokenRequest describes a token by its differences from the client's own, which the
// zero value asks for.
//
// It is for tests and demonstrations. Nothing about it is checked but [TokenRequest.Claims]
// and [TokenRequest.Algorithm], so that tokens can be made that an API has to refuse.
type TokenRequest struct {
	// Scopes of the token. nil is every scope of the API. Empty but not nil is none:
	// the token has no scope claim, as Auth0's.
	Scopes []string
	// TTL is the time from now until the token expires; 0 is [Lifetime]. A negative one
	// makes a token that has expired, after a lifetime of [Lifetime].
	TTL time.Duration
	// Subject is the sub claim; "" is the client's, with Auth0 "<client ID>@clients".
	Subject string
	// Permissions are in the claim permissions, or where the provider has them; without any
	// the token has none. An API ignores them if its provider has no such claim.
	Permissions []string
	// AuthorizedParty is the client in azp, or where the provider names it; "" is the client
	// ID. Cognito's tokens name the audience there.
	AuthorizedParty string
	// Claims are further claims, by name. They cannot replace the others.
	Claims map[string]any
	// Audience is the aud claim, or what stands in for it; "" is the API's first.
	Audience string
	// Algorithm signs the token; "" is the first of the issuer's.
	Algorithm string
	// ID makes an ID token of the same caller for the same audience. An API has to refuse it.
	ID bool
}

// checkFurther refuses claims that the issuer sets. The error names none that is not ours.
func (i *Issuer) checkFurther(further map[string]any) error {
	for _, name := range i.shape.reserved() {
		if _, taken := further[name]; taken {
			return fmt.Errorf("issuer: expected claims beside those that the issuer sets, got %s", name)
		}
	}
	return nil
}

// Token returns a compact JSON Web Token, signed with the current key. It errors if a
// text of the request is not UTF-8, if a further claim would replace another one, or if
// there is no key for the algorithm.
func (i *Issuer) Token(request TokenRequest) (string, error) {
	k := i.keys.Load().current.of(request.Algorithm)
	if k == nil {
		return "", i.unknown(request.Algorithm)
	}
	return i.sign(k, request)
}

func (i *Issuer) unknown(algorithm string) error {
	return fmt.Errorf("issuer: expected an algorithm among %s, got %q", strings.Join(i.options.Algorithms, ", "), algorithm)
}

// FormerToken is [Issuer.Token], signed with the key before the last rotation. It is "" if
// no such key is published.
func (i *Issuer) FormerToken(request TokenRequest) (string, error) {
	former := i.keys.Load().previous
	if len(former) == 0 {
		return "", nil
	}
	k := former[0].of(request.Algorithm)
	if k == nil {
		return "", i.unknown(request.Algorithm)
	}
	return i.sign(k, request)
}

func (i *Issuer) sign(k *key, request TokenRequest) (string, error) {
	scopes := request.Scopes
	if scopes == nil {
		scopes = *i.scopes.Load()
	}
	if err := i.checkFurther(request.Claims); err != nil {
		return "", err
	}
	now := i.options.Now()
	issued, expires := now, now.Add(request.TTL)
	switch {
	case request.TTL == 0:
		expires = now.Add(Lifetime)
	case request.TTL < 0:
		issued = expires.Add(-Lifetime)
	}
	// Numbers are seconds since 1970: RFC 7519 section 2.
	claims := map[string]any{"iss": i.options.URL, "iat": issued.Unix(), "exp": expires.Unix()}
	if subject := cmp.Or(request.Subject, i.shape.subject); subject != "" {
		claims["sub"] = subject
	}
	audience, typ := cmp.Or(request.Audience, i.audiences[0]), i.shape.typ
	if request.ID {
		typ = "JWT"
		maps.Copy(claims, i.shape.identity(audience))
	} else {
		maps.Copy(claims, i.shape.access(audience, cmp.Or(request.AuthorizedParty, ClientID), scopes, request.Permissions))
	}
	maps.Copy(claims, request.Claims)

	header := map[string]string{"alg": k.public.Algorithm, "kid": k.id}
	if typ != "" {
		header["typ"] = typ
	}
	var parts [2]string
	for n, part := range []any{header, claims} {
		text, err := json.Marshal(part, json.Deterministic(true))
		if err != nil {
			return "", fmt.Errorf("issuer: write the token: %w", err)
		}
		parts[n] = base64.RawURLEncoding.EncodeToString(text)
	}
	input := parts[0] + "." + parts[1]
	signature, err := k.sign(k.private, []byte(input))
	if err != nil {
		return "", fmt.Errorf("issuer: sign the token: %w", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}
