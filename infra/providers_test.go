package infra_test

import (
	"crypto/rsa"
	"encoding/json"
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
		config:  []string{"issuer=" + auth0, "audience=https://api.example.com/account"},
		jwksURI: auth0 + ".well-known/jwks.json",
		typ:     "JWT",
		claims: map[string]any{
			"aud": []string{"https://api.example.com/account", auth0 + "userinfo"}, "azp": "client", "scope": "openid get:profile",
		},
		scope: "openid get:profile",
	},
	"Auth0, token profile RFC 9068": {
		config:  []string{"issuer=" + auth0, "audience=https://api.example.com/account"},
		jwksURI: auth0 + ".well-known/jwks.json",
		typ:     "at+jwt",
		claims:  map[string]any{"aud": "https://api.example.com/account", "client_id": "client", "jti": "1", "scope": "get:profile"},
		scope:   "get:profile",
	},
	"Cognito as it is": {
		config:  []string{"issuer=" + cognito, "audience=1example23456789"},
		jwksURI: cognito + "/.well-known/jwks.json",
		claims:  map[string]any{"client_id": "1example23456789", "token_use": "access", "scope": "account/get:profile"},
		refused: "bad_audience: expected aud as a string or an array of strings, got none",
	},
	"Cognito with an audience": {
		config:  []string{"issuer=" + cognito, "audience=1example23456789"},
		jwksURI: cognito + "/.well-known/jwks.json",
		claims:  map[string]any{"aud": "1example23456789", "client_id": "1example23456789", "token_use": "access", "scope": "account/get:profile"},
		scope:   "account/get:profile",
	},
	"Okta": {
		config:  []string{"issuer=" + okta, "audience=api://default", "jwksUri=" + okta + "/v1/keys"},
		jwksURI: okta + "/v1/keys",
		claims:  map[string]any{"aud": "api://default", "cid": "client", "scp": []string{"get:profile"}},
	},
	"Okta's org authorization server": {
		config:  []string{"issuer=https://ORG.okta.com", "audience=https://ORG.okta.com", "jwksUri=https://ORG.okta.com/oauth2/v1/keys"},
		jwksURI: "https://ORG.okta.com/oauth2/v1/keys",
		typ:     "application/okta-internal-at+jwt",
		claims:  map[string]any{"aud": "https://ORG.okta.com", "scp": []string{"openid"}},
		refused: "wrong_type: expected header typ of an access token (at+jwt required: false), got another",
	},
	"Entra ID": {
		config: []string{
			"issuer=" + entra, "audience=66666666-7777-8888-9999-000000000000",
			"jwksUri=https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
		},
		jwksURI: "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/discovery/v2.0/keys",
		typ:     "JWT",
		claims:  map[string]any{"aud": "66666666-7777-8888-9999-000000000000", "azp": "client", "scp": "get.profile", "ver": "2.0"},
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
		config:  []string{"issuer=" + keycloak, "audience=account-api", "jwksUri=" + keycloak + "/protocol/openid-connect/certs"},
		jwksURI: keycloak + "/protocol/openid-connect/certs",
		typ:     "JWT",
		claims:  map[string]any{"aud": "account", "typ": "Bearer", "azp": "client", "scope": "profile email"},
		refused: "bad_audience: expected the configured audience in aud",
	},
	"Keycloak with an audience": {
		config:  []string{"issuer=" + keycloak, "audience=account-api", "jwksUri=" + keycloak + "/protocol/openid-connect/certs"},
		jwksURI: keycloak + "/protocol/openid-connect/certs",
		typ:     "JWT",
		claims:  map[string]any{"aud": []string{"account-api", "account"}, "typ": "Bearer", "azp": "client", "scope": "profile get:profile"},
		scope:   "profile get:profile",
	},
}

func TestProviders(t *testing.T) {
	page, err := os.ReadFile("../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range providers {
		t.Run(name, func(t *testing.T) {
			g, err := declare("dev", p.config...)
			if err != nil {
				t.Fatal(err)
			}
			variables := find(t, g, function, "authorizer").Inputs["environment"].(map[string]any)["variables"].(map[string]any)
			expect(t, "JWKS_URI", variables["JWKS_URI"], p.jwksURI)
			for _, setting := range p.config {
				if _, value, _ := strings.Cut(setting, "="); !strings.Contains(string(page), value) {
					t.Errorf("expected docs/providers.md to show %s", value)
				}
			}
			verifier, err := token.NewVerifier(token.Expectation{
				Issuer: variables["TOKEN_ISSUER"].(string), Audience: variables["AUDIENCE"].(string),
			})
			if err != nil {
				t.Fatal(err)
			}
			claims, err := verifier.Verify(p.sign(t, variables["TOKEN_ISSUER"]), time.Now(), func(string) (*rsa.PublicKey, error) {
				return &tokentest.K1().PublicKey, nil
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
func (p provider) sign(t *testing.T, issuer any) string {
	t.Helper()
	claims := map[string]any{
		"iss": issuer, "sub": "somebody", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range p.claims {
		claims[name] = value
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	header := tokentest.Header("k1").Without("typ")
	if p.typ != "" {
		header = header.With("typ", tokentest.Quote(p.typ))
	}
	return tokentest.Sign(header.JSON(), payload, tokentest.K1())
}
