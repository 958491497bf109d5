// Package endpoint is what all handlers share: it reads a proxy event, asks the policy about
// the caller, writes the answer and a line in the decision log. A handler's main package
// gives [Serve] its policy and its answer in a [Config], so no handler can answer before
// its policy has allowed the caller. The package refuses to do more: the authorizer
// authenticates, the policy decides, API Gateway routes, and no handler sees the token.
//
// A handler answers any status, headers and body: see [Reply]. It reads the path's
// parameters, the query, the body and the headers that it declares: see [Content].
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"
)

// Config is what differs between endpoints. All of it but Headers is required.
type Config struct {
	Policy     fs.FS  // Rego files, as policies.For returns them
	Entrypoint string // the rule that decides, as a path below data: "orders/decision"

	// Headers names the request headers that Answer reads, such as "Idempotency-Key". A page
	// of another origin can send them only if the endpoint's preflight allows them too.
	Headers []string

	// Answer is called only for a caller whom the policy allows, and possibly from several
	// goroutines at once.
	//
	// A [ClientError] is answered with its own status. Any other error, a panic, and a reply
	// that API Gateway could not relay are a 500. The log has the types of the error and of
	// those that it wraps. It does not have their messages, which may quote a claim.
	Answer func(context.Context, Request) (Reply, error)
}

// Environment is what an endpoint takes from outside.
type Environment struct {
	AllowedOrigin string           // whose pages may read the answers: "" for none, "*" or a serialized origin
	Labels        []slog.Attr      // identify this function in the decision log
	Log           io.Writer        // gets one JSON line for each write; required
	Now           func() time.Time // required

	// ExplainDenials adds to the decision log which expressions of the policy failed, with
	// the claims that they saw. It is for a developer's own machine.
	ExplainDenials bool

	// RevealErrors adds to the log the message of an error, the value of a panic, and what of
	// an answer is not JSON. It is for a developer's own machine.
	RevealErrors bool
}

// check reports what is missing.
func (c Config) check() error {
	switch {
	case c.Policy == nil:
		return errors.New("endpoint: expected a policy, got none: give it what policies.For returns")
	case c.Entrypoint == "":
		return errors.New(`endpoint: expected an entrypoint, got none: name the policy's rule, such as "orders/decision"`)
	case c.Answer == nil:
		return errors.New("endpoint: expected a function that answers, got none")
	}
	for _, name := range c.Headers {
		if !isToken(name) {
			return fmt.Errorf(`endpoint: expected the name of a request header, got %q: name one such as "If-Match"`, name)
		}
		if strings.EqualFold(name, "Authorization") {
			return errors.New("endpoint: expected headers without Authorization, which holds the token: use Request.Principal, or decide by the claims in the policy")
		}
	}
	return nil
}
