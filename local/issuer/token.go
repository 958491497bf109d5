package issuer

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// TokenRequest says how a token differs from the one that the client gets when it asks
// for no scope in particular. The zero value asks for exactly that token.
//
// It is for tests and demonstrations, and checks nothing: tokens that an API has to
// refuse are a purpose of it.
type TokenRequest struct {
	// Scopes of the token. nil is every scope of the API; empty but not nil is none,
	// and then the token has no scope claim, as Auth0's.
	Scopes []string
	// TTL is the time from now until the token expires; 0 is [Lifetime]. If negative,
	// the token has expired already, after a lifetime of [Lifetime].
	TTL time.Duration
	// Subject is the sub claim; "" is the client's, "<client ID>@clients".
	Subject string
	// Audience is the aud claim; "" is the API's.
	Audience string
	// GrantType is the gty claim; "" is "client-credentials".
	GrantType string
}

// claims are those of an Auth0 access token for a machine, in Auth0's order:
// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
type claims struct {
	Issuer          string `json:"iss"`
	Subject         string `json:"sub"`
	Audience        string `json:"aud"`
	IssuedAt        int64  `json:"iat"` // seconds since 1970, as exp: RFC 7519 section 2
	Expires         int64  `json:"exp"`
	Scope           string `json:"scope,omitempty"`
	GrantType       string `json:"gty"`
	AuthorizedParty string `json:"azp"`
}

// Token returns a compact JSON Web Token, signed with the current key. It errors if a
// text of the request is not UTF-8.
func (i *Issuer) Token(request TokenRequest) (string, error) {
	return i.sign(i.keys.Load().current, request)
}

func (i *Issuer) sign(k *key, request TokenRequest) (string, error) {
	o := i.options
	scopes := request.Scopes
	if scopes == nil {
		scopes = o.Scopes
	}
	now := o.Now()
	issued, expires := now, now.Add(request.TTL)
	switch {
	case request.TTL == 0:
		expires = now.Add(Lifetime)
	case request.TTL < 0:
		issued = expires.Add(-Lifetime)
	}
	payload, err := json.Marshal(claims{
		Issuer:          o.URL,
		Subject:         cmp.Or(request.Subject, o.ClientID+"@clients"),
		Audience:        cmp.Or(request.Audience, o.Audience),
		IssuedAt:        issued.Unix(),
		Expires:         expires.Unix(),
		Scope:           strings.Join(scopes, " "),
		GrantType:       cmp.Or(request.GrantType, "client-credentials"),
		AuthorizedParty: o.ClientID,
	})
	if err != nil {
		return "", fmt.Errorf("issuer: write the claims: %w", err)
	}
	header := jws.NewHeaders()
	for name, value := range map[string]string{jws.TypeKey: "JWT", jws.KeyIDKey: k.id} {
		if err := header.Set(name, value); err != nil {
			return "", fmt.Errorf("issuer: write the header: %w", err)
		}
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.RS256, k.private, jws.WithProtectedHeaders(header)))
	if err != nil {
		return "", fmt.Errorf("issuer: sign the token: %w", err)
	}
	return string(token), nil
}
