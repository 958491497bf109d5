package main

import (
	"strings"
	"testing"

	"account-api/internal/refusal"
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
		if w := (config{jwksURI: "https://a.example.com/k", issuer: "https://b.example.com/"}).warnings(); len(w) != 1 {
			t.Errorf("expected one warning, got %v", w)
		}
		if w := (config{jwksURI: "https://b.example.com/k", issuer: "https://b.example.com/"}).warnings(); len(w) != 0 {
			t.Errorf("expected no warning, got %v", w)
		}
	})
}
