// Command authorizer is the Lambda TOKEN authorizer: it turns a bearer token into the caller's
// claims, or into a 401. It never decides access: its Allow means that the caller is
// authenticated. Each endpoint's Rego policy decides from the claims passed on.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"account-api/internal/jwks"
	"account-api/internal/logline"
	"account-api/internal/refusal"
	"account-api/internal/token"
)

func main() {
	log := logline.New(os.Stdout)
	h, err := newHandler(log)
	if err != nil {
		log.Error("the function cannot start", logRefusal(err)...)
		os.Exit(1)
	}
	lambda.Start(h)
}

// newHandler wires the handler from the environment and fetches the provider's keys, so the
// first caller does not wait for them. A failed fetch is not fatal: the provider may answer at
// the first call.
func newHandler(log *slog.Logger) (*handler, error) {
	c, err := loadConfig(os.Getenv)
	if err != nil {
		return nil, err
	}
	for _, warning := range c.warnings() {
		log.Warn(warning, slog.String("reason", string(refusal.ConfigError)))
	}
	keys, err := jwks.New(c.jwksURI, jwks.Options{Logger: log})
	if err != nil {
		return nil, refusal.New(refusal.ConfigError, "JWKS_URI: %v", err)
	}
	verifier, err := token.NewVerifier(token.Expectation{Issuer: c.issuer, Audience: c.audience})
	if err != nil {
		return nil, err
	}
	_ = keys.Prefetch(context.Background()) // has a deadline of its own, and logs its failure
	return &handler{verifier: verifier, keys: keys, scope: c.policyScope, now: time.Now, log: log}, nil
}
