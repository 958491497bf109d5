package main

import (
	"fmt"
	"net/url"

	"account-api/internal/refusal"
	"account-api/internal/token/environment"
)

// config is the function's environment. None of it is secret.
type config struct {
	environment.Trust
	policyScope policyScope
	outage      error // the answer if there are no usable keys
}

// loadConfig reads the environment. With a variable missing or wrong, the function must not
// start.
func loadConfig(getenv func(string) string) (config, error) {
	trust, err := environment.Read(getenv)
	if err != nil {
		return config{}, err
	}
	c := config{Trust: trust}
	switch scope := policyScope(getenv("POLICY_SCOPE")); scope {
	case "":
		c.policyScope = scopeMethod
	case scopeMethod, scopeAPI:
		c.policyScope = scope
	default:
		return config{}, refusal.New(refusal.ConfigError, "POLICY_SCOPE: expected %q or %q, got %q", scopeMethod, scopeAPI, scope)
	}
	switch outage := getenv("OUTAGE"); outage {
	case "", "401":
		c.outage = errUnauthorized
	case "503":
		c.outage = errUnavailable
	default:
		return config{}, refusal.New(refusal.ConfigError, `OUTAGE: expected "401" or "503", got %q`, outage)
	}
	return c, nil
}

// warnings lists what is allowed but probably a mistake.
func (c config) warnings() []string {
	var all []string
	for i, trusted := range c.Issuers {
		keys, err1 := url.Parse(c.JWKSURIs[i])
		issuer, err2 := url.Parse(trusted.Name)
		if err1 == nil && err2 == nil && keys.Host != issuer.Host {
			all = append(all, fmt.Sprintf("the keys are on host %q and their issuer on %q: whoever runs the former can issue tokens", keys.Host, issuer.Host))
		}
	}
	return all
}
