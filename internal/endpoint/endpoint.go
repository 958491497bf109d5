// Package endpoint is what every handler behind a policy has in common: a proxy event
// in, a decision about its caller, an answer out, and a line in the decision log.
//
// It is for the main package of a Lambda function that API Gateway invokes through a
// proxy integration. That package says which policy decides and what the allowed are
// answered, in a [Config], and gives it to [Serve]. So an endpoint cannot forget to ask
// its policy, nor answer before the policy has.
//
// The package refuses to do more. It does not authenticate: the authorizer has verified
// the token before API Gateway invokes the function, and no endpoint gets to see it, nor
// any header. It does not decide: it names no scope, and the policy has the last word. It
// does not route: paths and verbs are the gateway's.
package endpoint

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"time"
)

// Config is what sets one endpoint apart from another. All of it is required.
type Config struct {
	Policy     fs.FS  // Rego files, as policies.For returns them
	Entrypoint string // the rule that decides, as a path below data: "orders/decision"

	// Answer returns the body of a 200, in JSON, for a caller whom the policy allows;
	// nobody else gets here. It may be called from several goroutines at once.
	//
	// A [ClientError] is answered with its own status. Any other error, a panic, and
	// what is not JSON are a 500. What such an error says stays out of the log, as it
	// may quote what it failed on: the log has the types of the error and of those that
	// it wraps.
	Answer func(context.Context, Request) ([]byte, error)
}

// Environment is what an endpoint takes from the world around it.
type Environment struct {
	AllowedOrigin string           // whose pages may read the answers: "" for none, "*" or a serialized origin
	Labels        []slog.Attr      // identify this function in the decision log
	Log           io.Writer        // gets one JSON line for each write; required
	Now           func() time.Time // required
}

// check finds what is missing, which nothing at run time could make up for.
func (c Config) check() error {
	switch {
	case c.Policy == nil:
		return errors.New("endpoint: expected a policy, got none: give it what policies.For returns")
	case c.Entrypoint == "":
		return errors.New(`endpoint: expected an entrypoint, got none: name the policy's rule, such as "orders/decision"`)
	case c.Answer == nil:
		return errors.New("endpoint: expected a function that answers, got none")
	}
	return nil
}
