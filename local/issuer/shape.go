package issuer

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// shape is what the tokens of one provider look like. A verifier has rules of its own: they
// are not taken from here, nor these from them.
type shape struct {
	typ         string         // header of an access token; none if empty
	audience    string         // the claim that names the API
	scopes      string         // the claim with scopes …
	list        bool           // … which is an array, otherwise text with spaces between
	always      bool           // … and is there without scopes, unless there are permissions
	permissions string         // the claim with permissions; none if empty
	client      string         // the claim that names the client; none if the audience does
	subject     string         // sub of a machine's token; none if empty
	constant    map[string]any // what else an access token has
	id          map[string]any // what an ID token has instead
}

// shapes are named as providers are in the variable PROVIDER. The names are in order.
var shapes = map[string]shape{
	// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
	"auth0": {
		typ: "JWT", audience: "aud", scopes: "scope", permissions: "permissions", client: "azp", subject: ClientID + "@clients",
		constant: map[string]any{"gty": "client-credentials"},
	},
	// https://developer.okta.com/docs/reference/api/oidc/#access-token
	"okta": {
		audience: "aud", scopes: "scp", list: true, client: "cid", subject: ClientID,
		constant: map[string]any{"ver": 1}, id: map[string]any{"ver": 1},
	},
	// https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
	"entra": {
		typ: "JWT", audience: "aud", scopes: "scp", always: true, permissions: "roles", client: "azp", subject: ClientID,
		constant: map[string]any{"ver": "2.0", "azpacr": "1"}, id: map[string]any{"ver": "2.0"},
	},
	// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
	"cognito": {
		audience: "client_id", scopes: "scope", subject: ClientID,
		constant: map[string]any{"token_use": "access"}, id: map[string]any{"token_use": "id"},
	},
	// https://www.keycloak.org/docs/latest/server_admin/#_protocol-mappers
	"keycloak": {
		typ: "JWT", audience: "aud", scopes: "scope", client: "azp", subject: ClientID,
		constant: map[string]any{"typ": "Bearer"}, id: map[string]any{"typ": "ID"},
	},
	// https://www.rfc-editor.org/rfc/rfc9068#section-2.2
	"rfc9068": {
		typ: "at+jwt", audience: "aud", scopes: "scope", client: "client_id", subject: ClientID,
	},
	// https://docs.duendesoftware.com/identityserver/tokens/
	"duende": {
		typ: "at+jwt", audience: "aud", scopes: "scope", list: true, client: "client_id",
	},
}

// defaultProvider is the one that the issuer has the shape of unless told otherwise.
const defaultProvider = "auth0"

// Providers are the names of the providers whose tokens are imitated.
func Providers() []string { return slices.Sorted(maps.Keys(shapes)) }

// HasPermissions reports whether the tokens of a provider have permissions beside the scopes.
func HasPermissions(provider string) bool {
	return shapes[cmp.Or(provider, defaultProvider)].permissions != ""
}

// common are the claims that every token has, or might have.
var common = []string{"iss", "sub", "aud", "iat", "exp", "scope", "gty", "azp", "permissions", "nbf", "jti"}

// reserved are the claims that [TokenRequest.Claims] cannot hold: those that the issuer sets,
// and those that RFC 7519, section 4.1, registers.
func (s shape) reserved() []string {
	own := append(slices.Sorted(maps.Keys(s.constant)), s.audience, s.scopes, s.permissions, s.client)
	all := slices.Clone(common)
	for _, name := range own {
		if name != "" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// access are the claims of an access token beside those of every token.
func (s shape) access(audience, client string, scopes, permissions []string) map[string]any {
	claims := maps.Clone(s.constant)
	if claims == nil {
		claims = map[string]any{}
	}
	if s.client != "" {
		claims[s.client] = client
	}
	claims[s.audience] = audience
	switch {
	case len(scopes) == 0 && (!s.always || len(permissions) > 0):
	case s.list:
		claims[s.scopes] = scopes
	default:
		claims[s.scopes] = strings.Join(scopes, " ")
	}
	if len(permissions) > 0 {
		claims[cmp.Or(s.permissions, "permissions")] = permissions // a claim that a verifier ignores, if there is none
	}
	return claims
}

// identity are the claims of an ID token beside those of every token: OpenID Connect Core
// 1.0, sections 2 and 3.1.3.6.
func (s shape) identity(audience string) map[string]any {
	claims := map[string]any{"aud": audience, "nonce": "local-nonce", "at_hash": "local-hash"}
	maps.Copy(claims, s.id)
	return claims
}
