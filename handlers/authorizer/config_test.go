package main

import (
	"strings"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/environment"
)

func TestConfiguration(t *testing.T) {
	complete := map[string]string{
		"JWKS_URI":     "https://issuer.example/.well-known/jwks.json",
		"TOKEN_ISSUER": "https://issuer.example/",
		"AUDIENCE":     "https://library.example/books",
	}
	for name, row := range map[string]struct {
		variable, value string
		says            string // "" = accepted
	}{
		"is complete":                       {"", "", ""},
		"has no JWKS_URI":                   {"JWKS_URI", "", "JWKS_URI"},
		"has no TOKEN_ISSUER":               {"TOKEN_ISSUER", "", "TOKEN_ISSUER"},
		"has no AUDIENCE":                   {"AUDIENCE", "", "AUDIENCE"},
		"has an AUDIENCE of spaces":         {"AUDIENCE", "  ", "AUDIENCE"},
		"covers the method":                 {"POLICY_SCOPE", "method", ""},
		"covers the API":                    {"POLICY_SCOPE", "api", ""},
		"has a POLICY_SCOPE nobody defined": {"POLICY_SCOPE", "all", "POLICY_SCOPE"},

		"has an issuer with white space":      {"TOKEN_ISSUER", " https://issuer.example/", "TOKEN_ISSUER"},
		"has several audiences":               {"AUDIENCE", "a https://library.example/books c", ""},
		"has audiences with two spaces":       {"AUDIENCE", "a  b", "AUDIENCE"},
		"has an audience with a line feed":    {"AUDIENCE", "a b\n", "AUDIENCE"},
		"has a provider":                      {"PROVIDER", "keycloak", ""},
		"has a provider nobody knows":         {"PROVIDER", "Keycloak", "PROVIDER: expected a provider among auth0, okta,"},
		"has algorithms between spaces":       {"ALGORITHMS", "RS256 ES256", ""},
		"has algorithms between commas":       {"ALGORITHMS", "RS256, PS256,EdDSA", ""},
		"has an HMAC":                         {"ALGORITHMS", "RS256 HS256", "ALGORITHMS"},
		"has no algorithm":                    {"ALGORITHMS", ",", "ALGORITHMS"},
		"passes claims on":                    {"CLAIMS", "org_id https://claims.example/roles", ""},
		"passes a claim on twice":             {"CLAIMS", "org_id org_id", "CLAIMS"},
		"passes claims on with two spaces":    {"CLAIMS", "org_id  email", "CLAIMS"},
		"answers an outage as ever":           {"OUTAGE", "401", ""},
		"answers an outage with 503":          {"OUTAGE", "503", ""},
		"answers an outage with 500":          {"OUTAGE", "500", "OUTAGE"},
		"has no other issuers":                {"OTHER_ISSUERS", "[]", ""},
		"has another issuer":                  {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":"b","jwksUri":"https://b.example/keys"}]`, ""},
		"has another issuer with all":         {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":["a","b"],"provider":"okta","jwksUri":"https://b.example/keys"}]`, ""},
		"has no JSON":                         {"OTHER_ISSUERS", "https://b.example/", "OTHER_ISSUERS"},
		"has null":                            {"OTHER_ISSUERS", "null", "OTHER_ISSUERS"},
		"has an object":                       {"OTHER_ISSUERS", `{"issuer":"https://b.example/"}`, "OTHER_ISSUERS"},
		"has a member nobody knows":           {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":"b","jwksUri":"https://b.example/keys","aud":"b"}]`, "OTHER_ISSUERS"},
		"has an entry without an issuer":      {"OTHER_ISSUERS", `[{"audience":"b","jwksUri":"https://b.example/keys"}]`, "OTHER_ISSUERS: entry 1"},
		"has an entry without an audience":    {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","jwksUri":"https://b.example/keys"}]`, "OTHER_ISSUERS: entry 1"},
		"has an entry with no audience":       {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":[],"jwksUri":"https://b.example/keys"}]`, "OTHER_ISSUERS: entry 1"},
		"has an entry with a number":          {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":5,"jwksUri":"https://b.example/keys"}]`, "OTHER_ISSUERS: entry 1"},
		"has an entry without keys":           {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":"b"}]`, "OTHER_ISSUERS: entry 1: expected a jwksUri"},
		"has an entry of an unknown provider": {"OTHER_ISSUERS", `[{"issuer":"https://b.example/","audience":"b","provider":"x","jwksUri":"https://b.example/keys"}]`, "OTHER_ISSUERS: entry 1: expected a provider"},
		"has the same issuer again":           {"OTHER_ISSUERS", `[{"issuer":"https://issuer.example/","audience":"b","jwksUri":"https://b.example/keys"}]`, "OTHER_ISSUERS: entry 1: expected each issuer once"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(func(variable string) string {
				if variable == row.variable {
					return row.value
				}
				return complete[variable]
			})
			if row.says == "" {
				if err != nil {
					t.Errorf("expected no error, got %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.says) || refusal.ReasonOf(err) != refusal.ConfigError {
				t.Errorf("expected a config_error that names %s, got %v", row.says, err)
			}
		})
	}
	t.Run("names every missing variable at once", func(t *testing.T) {
		_, err := loadConfig(func(string) string { return "" })
		if err == nil || !strings.Contains(err.Error(), "JWKS_URI, TOKEN_ISSUER, AUDIENCE") {
			t.Errorf("expected all three names, got %v", err)
		}
	})
	t.Run("warns of keys that are not the issuer's", func(t *testing.T) {
		c := config{Trust: environment.Trust{
			Expectation: token.Expectation{Issuers: []token.Issuer{{Name: "https://a.example.com/"}, {Name: "https://b.example.com/"}}},
			JWKSURIs:    []string{"https://b.example.com/keys", "https://b.example.com/keys"},
		}}
		if w := c.warnings(); len(w) != 1 || !strings.Contains(w[0], `issuer on "a.example.com"`) {
			t.Errorf("expected one warning, about the first issuer, got %v", w)
		}
	})
}
