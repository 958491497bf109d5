package infra_test

import (
	"crypto/rsa"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// provider is one section of docs/providers.md: a configuration that the stack
// accepts, and what becomes of the access tokens that the provider issues for it.
type provider struct {
	config  []string
	jwksURI string
	typ     string         // of the token's header; "" = absent
	claims  map[string]any // beside iss, sub, iat and exp
	scope   string         // that reaches the policy; "" = none does
	refused string         // what the authorizer logs; "" = the token is accepted
}

const (
	auth0    = "https://TENANT.eu.auth0.com/"
	cognito  = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Example"
	okta     = "https://ORG.okta.com/oauth2/default"
	entra    = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"
	keycloak = "https://id.example.com/realms/account"
)

var providers = map[string]provider{
	"Auth0": {
		config:  []string{"issuer=" + auth0, "audience=https://sample.example.net"},
		jwksURI: auth0 + ".well-known/jwks.json",
		typ:     "JWT",
		claims: map[string]any{
			"aud": []string{"https://sample.example.net", auth0 + "userinfo"}, "azp": "client", "scope": "openid read:items",
		},
		scope: "openid read:items",
	},
	"Auth0, token profile RFC 9068": {
		config:  []string{"issuer=" + auth0, "audience=https://sample.example.net"},
		jwksURI: auth0 + ".well-known/jwks.json",
		typ:     "at+jwt",
		claims:  map[string]any{"aud": "https://sample.example.net", "client_id": "client", "jti": "1", "scope": "read:items"},
		scope:   "read:items",
	},
	"Cognito as it is": {
		config:  []string{"issuer=" + cognito, "audience=1example23456789"},
		jwksURI: cognito + "/.well-known/jwks.json",
		claims:  map[string]any{"client_id": "1example23456789", "token_use": "access", "scope": "account/read:items"},
		refused: "bad_audience: expected aud as a string or an array of strings, got none",
	},
	"Cognito with an audience": {
		config:  []string{"issuer=" + cognito, "audience=1example23456789"},
		jwksURI: cognito + "/.well-known/jwks.json",
		claims:  map[string]any{"aud": "1example23456789", "client_id": "1example23456789", "token_use": "access", "scope": "account/read:items"},
		scope:   "account/read:items",
	},
	"Okta": {
		config:  []string{"issuer=" + okta, "audience=api://default", "jwksUri=" + okta + "/v1/keys"},
		jwksURI: okta + "/v1/keys",
		claims:  map[string]any{"aud": "api://default", "cid": "client", "scp": []string{"read:items"}},
	},
	"Okta's org authorization server": {
		config:  []string{"issuer=https://ORG.okta.com", "audience=https://ORG.okta.com", "jwksUri=https://ORG.okta.com/oauth2/v1/keys"},
		jwksURI: "https://ORG.okta.com/oauth2/v1/keys",
		typ:     "application/okta-internal-at+jwt",
		claims:  map[string]any{"aud": "https://ORG.okta.com", "scp": []string{"openid"}},
		refused: "wrong_type: expected header typ at+jwt, JWT or none, got another",
	},
	"an ID token": {
		config:  []string{"issuer=" + auth0, "audience=1example23456789"},
		jwksURI: auth0 + ".well-known/jwks.json",
		typ:     "JWT",
		claims:  map[string]any{"aud": "1example23456789", "nonce": "n"},
		refused: "wrong_kind: expected an access token, got an ID token: has nonce",
	},
	"Entra ID": {
		config: []string{
			"issuer=" + entra, "audience=66666666-7777-8888-9999-000000000000",
			"jwksUri=https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
		},
		jwksURI: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
		typ:     "JWT",
		claims:  map[string]any{"aud": "66666666-7777-8888-9999-000000000000", "azp": "client", "scp": "read.items", "ver": "2.0"},
	},
	"Entra ID, version 1": {
		config: []string{
			"issuer=" + entra, "audience=66666666-7777-8888-9999-000000000000",
			"jwksUri=https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
		},
		jwksURI: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
		typ:     "JWT",
		claims: map[string]any{
			"iss": "https://sts.windows.net/11111111-2222-3333-4444-555555555555/", "aud": "api://66666666-7777-8888-9999-000000000000", "ver": "1.0",
		},
		refused: "bad_issuer: expected iss to be the configured issuer",
	},
	"Keycloak as it is": {
		config:  []string{"issuer=" + keycloak, "audience=sample", "jwksUri=" + keycloak + "/protocol/openid-connect/certs"},
		jwksURI: keycloak + "/protocol/openid-connect/certs",
		typ:     "JWT",
		claims:  map[string]any{"aud": "account", "typ": "Bearer", "azp": "client", "scope": "profile email"},
		refused: "bad_audience: expected the configured audience in aud",
	},
	"Keycloak with an audience": {
		config:  []string{"issuer=" + keycloak, "audience=sample", "jwksUri=" + keycloak + "/protocol/openid-connect/certs"},
		jwksURI: keycloak + "/protocol/openid-connect/certs",
		typ:     "JWT",
		claims:  map[string]any{"aud": []string{"sample", "account"}, "typ": "Bearer", "azp": "client", "scope": "profile read:items"},
		scope:   "profile read:items",
	},
}

func TestProviders(t *testing.T) {
	page, err := os.ReadFile("../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	key := tokentest.K1()
	for name, p := range providers {
		t.Run(name, func(t *testing.T) {
			g, err := declare(t, "test", p.config...)
			if err != nil {
				t.Fatal(err)
			}
			variables := variables(t, g, "authorizer")
			expect(t, "JWKS_URI", variables["JWKS_URI"], p.jwksURI)
			for _, setting := range p.config {
				// The audience is each project's own.
				if key, value, _ := strings.Cut(setting, "="); key != "audience" && !strings.Contains(string(page), value) {
					t.Errorf("expected docs/providers.md to show %s", value)
				}
			}
			verifier, err := token.NewVerifier(token.Expectation{
				Issuer: variables["TOKEN_ISSUER"].(string), Audience: variables["AUDIENCE"].(string),
			})
			if err != nil {
				t.Fatal(err)
			}
			claims, err := verifier.Verify(p.sign(t, key, variables["TOKEN_ISSUER"]), time.Now(), func(string) (*rsa.PublicKey, error) {
				return &key.PublicKey, nil
			})
			if p.refused != "" {
				if err == nil || !strings.HasPrefix(err.Error(), p.refused) {
					t.Errorf("expected %q, got %v", p.refused, err)
				}
				if !strings.Contains(string(page), p.refused) {
					t.Errorf("expected docs/providers.md to quote %q", p.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			expect(t, "scope", claims.Scope, p.scope)
		})
	}
}

// sign issues an access token as the provider would.
func (p provider) sign(t *testing.T, key *rsa.PrivateKey, issuer any) string {
	t.Helper()
	header := map[string]any{"alg": "RS256", "kid": "k1"}
	if p.typ != "" {
		header["typ"] = p.typ
	}
	claims := map[string]any{
		"iss": issuer, "sub": "somebody", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(claims, p.claims)
	return tokentest.Sign([]byte(document(t, header)), []byte(document(t, claims)), key)
}
