// Package gateway answers HTTP requests as Amazon API Gateway would for a captured stack:
// one REST API (v1) with Lambda proxy and mock integrations behind TOKEN authorizers. It
// is for developers who want to see on their machine what the deployed API will do, and
// why.
//
// It refuses what it does not model: [New] names every such resource and property. It is
// no production gateway. Its only state is the authorizer cache and the rate limits. It
// verifies no token, and shows a token, a claim or a header's value to functions only.
//
// The rooms: declaration reads the stack, this package serves requests and reports each
// as an [Exchange], and findings checks the stack for what would fail in the cloud.
//
// Known differences: names of request headers reach a function in canonical form (the
// deployed gateway passes them as sent), web ACLs and account quotas are not enforced, and
// X-Forwarded-Proto and -Port say how this machine was reached.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/findings"
	"account-api/local/graph"
	"account-api/local/lambda"
)

// Functions invokes a deployed function by its ARN. An error means that there is no
// answer from the function. A function that fails is a result.
type Functions interface {
	Invoke(ctx context.Context, functionARN string, event []byte) (lambda.Result, error)
}

// Options are what a gateway needs next to the stack.
type Options struct {
	Functions Functions        // required
	Now       func() time.Time // nil = time.Now
	// Report is called once for every request, after it was answered, from the
	// goroutine that served it: concurrently. nil = no report.
	Report func(Exchange)
	// Patient waits for functions without a limit, as a debugger may hold one.
	Patient bool
}

// Gateway serves one stack. It is safe for concurrent use.
type Gateway struct {
	api       *declaration.API
	functions Functions
	now       func() time.Time
	report    func(Exchange)
	patient   bool
	cache     *cache
	throttle  throttle
	findings  []Finding
}

// Finding is something that works here and fails once it is deployed.
type Finding = findings.Finding

// New reads the stack. Its error is a [*declaration.Unsupported] that names everything
// which is not modelled or which AWS would not accept.
func New(g *graph.Graph, o Options) (*Gateway, error) {
	if o.Functions == nil {
		return nil, errors.New("gateway: Options.Functions is nil: pass what invokes the stack's functions")
	}
	api, err := declaration.Read(g)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Gateway{
		api: api, functions: o.Functions, now: o.Now, report: o.Report, patient: o.Patient,
		cache: newCache(cacheEntries), findings: findings.Of(g, api),
	}, nil
}

// Findings returns what would only fail in the cloud.
func (g *Gateway) Findings() []Finding { return slices.Clone(g.findings) }
