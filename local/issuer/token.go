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

// TokenRequest describes a token by its differences from the client's own, which the
// zero value asks for.
//
// It is for tests and demonstrations. Nothing about it is checked but [TokenRequest.Claims],
// so that tokens can be made that an API has to refuse.
type TokenRequest struct {
	// Scopes of the token. nil is every scope of the API. Empty but not nil is none:
	// the token has no scope claim, as Auth0's.
	Scopes []string
	// TTL is the time from now until the token expires; 0 is [Lifetime]. A negative one
	// makes a token that has expired, after a lifetime of [Lifetime].
	TTL time.Duration
	// Subject is the sub claim; "" is the client's, "<client ID>@clients".
	Subject string
	// Permissions are the permissions claim; without any the token has none.
	Permissions []string
	// AuthorizedParty is the azp claim; "" is the client ID.
	AuthorizedParty string
	// Claims are further claims, by name. They cannot replace the others.
	Claims map[string]any
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
	// Permissions are those of an API with role-based access control:
	// https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis
	Permissions []string       `json:"permissions,omitempty"`
	Further     map[string]any `json:",embed"`
}

// set are the claims that [TokenRequest.Claims] cannot hold: those of claims, and the
// other two that RFC 7519 section 4.1 registers.
var set = []string{"iss", "sub", "aud", "iat", "exp", "scope", "gty", "azp", "permissions", "nbf", "jti"}

// checkFurther refuses claims that the issuer sets. The error names none that is not ours.
func checkFurther(further map[string]any) error {
	for _, name := range set {
		if _, taken := further[name]; taken {
			return fmt.Errorf("issuer: expected claims beside those that the issuer sets, got %s", name)
		}
	}
	return nil
}

// Token returns a compact JSON Web Token, signed with the current key. It errors if a
// text of the request is not UTF-8, or if a further claim would replace another one.
func (i *Issuer) Token(request TokenRequest) (string, error) {
	return i.sign(i.keys.Load().current, request)
}

func (i *Issuer) sign(k *key, request TokenRequest) (string, error) {
	o := i.options
	scopes := request.Scopes
	if scopes == nil {
		scopes = *i.scopes.Load()
	}
	if err := checkFurther(request.Claims); err != nil {
		return "", err
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
		Subject:         cmp.Or(request.Subject, ClientID+"@clients"),
		Audience:        cmp.Or(request.Audience, o.Audience),
		IssuedAt:        issued.Unix(),
		Expires:         expires.Unix(),
		Scope:           strings.Join(scopes, " "),
		GrantType:       cmp.Or(request.GrantType, "client-credentials"),
		AuthorizedParty: cmp.Or(request.AuthorizedParty, ClientID),
		Permissions:     request.Permissions,
		Further:         request.Claims,
	}, json.Deterministic(true))
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
