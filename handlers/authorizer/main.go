// Command authorizer is the Lambda TOKEN authorizer: it turns a bearer token into the caller's
// claims, or into a 401. It never decides access: its Allow means that the caller is
// authenticated. Each endpoint's Rego policy decides from the claims passed on.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
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
	verifier, err := token.NewVerifier(c.Expectation)
	if err != nil {
		return nil, err
	}
	h := &handler{verifier: verifier, keys: keySources{}, scope: c.policyScope, outage: c.outage, now: time.Now, log: log}
	var fetches sync.WaitGroup
	defer fetches.Wait()
	for i, issuer := range c.Issuers {
		source, err := jwks.New(c.JWKSURIs[i], jwks.Options{Algorithms: c.Algorithms, Logger: log})
		if err != nil {
			variable := "JWKS_URI"
			if i > 0 {
				variable = fmt.Sprintf("OTHER_ISSUERS: entry %d", i)
			}
			return nil, refusal.New(refusal.ConfigError, "%s: %v", variable, err)
		}
		h.keys[issuer.Name] = source
		// Has a deadline of its own, and logs its failure.
		fetches.Go(func() { _ = source.Prefetch(context.Background()) })
	}
	return h, nil
}
