package main

import (
	"fmt"
	"net/url"
	"strings"

	"account-api/internal/refusal"
)

// config is the function's environment. None of it is secret.
type config struct {
	jwksURI, issuer, audience string
	policyScope               policyScope
}

// loadConfig reads the environment and names every variable that is missing. Without one of
// them the function must not start: with no audience it would accept tokens for any API.
func loadConfig(getenv func(string) string) (config, error) {
	c := config{
		jwksURI:     getenv("JWKS_URI"),
		issuer:      getenv("TOKEN_ISSUER"),
		audience:    getenv("AUDIENCE"),
		policyScope: policyScope(getenv("POLICY_SCOPE")),
	}
	var missing []string
	for _, variable := range []struct{ name, value string }{
		{"JWKS_URI", c.jwksURI}, {"TOKEN_ISSUER", c.issuer}, {"AUDIENCE", c.audience},
	} {
		if strings.TrimSpace(variable.value) == "" {
			missing = append(missing, variable.name)
		}
	}
	if len(missing) > 0 {
		return config{}, refusal.New(refusal.ConfigError, "environment variable %s is not set", strings.Join(missing, ", "))
	}
	if c.policyScope == "" {
		c.policyScope = scopeMethod
	}
	if c.policyScope != scopeMethod && c.policyScope != scopeAPI {
		return config{}, refusal.New(refusal.ConfigError, "POLICY_SCOPE: expected %q or %q, got %q", scopeMethod, scopeAPI, c.policyScope)
	}
	return c, nil
}

// warnings lists what is allowed but probably a mistake.
func (c config) warnings() []string {
	keys, err1 := url.Parse(c.jwksURI)
	issuer, err2 := url.Parse(c.issuer)
	if err1 == nil && err2 == nil && keys.Host != issuer.Host {
		return []string{fmt.Sprintf("JWKS_URI is on host %q and TOKEN_ISSUER on %q: whoever runs the former can issue tokens", keys.Host, issuer.Host)}
	}
	return nil
}
