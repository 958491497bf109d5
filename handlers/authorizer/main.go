// Command authorizer is the Lambda function that authenticates a caller: it turns a
// bearer token into the caller's claims, or into a 401.
//
// It never decides access. The policy that it answers says that the caller is who
// the token says, and nothing about what the caller may do: each endpoint's Rego
// policy decides that from the claims passed on.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"account-api/internal/jwks"
	"account-api/internal/logline"
	_ "account-api/internal/oneprocessor"
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

// newHandler wires the handler from the environment and fetches the provider's
// keys, so that the first caller need not wait for them. A provider that is down
// now may be up at the first call, so a fetch that fails is not fatal.
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
	_ = keys.Prefetch(context.Background()) // it bounds and logs itself
	return &handler{verifier: verifier, keys: keys, scope: c.policyScope, now: time.Now, log: log}, nil
}
