// Package gateway answers HTTP requests as Amazon API Gateway would for a captured
// stack: one REST API (v1) with Lambda proxy and mock integrations behind a TOKEN
// authorizer. It is for developers who want to see on their machine what the
// deployed API will do, and why.
//
// It implements the documented behaviour of what it models and refuses the rest by
// name: [New] errors on every resource and property that it would otherwise have
// to ignore. It is not a production gateway. It keeps no state but the authorizer
// cache, verifies no token, and never shows a token, a claim or a header's value to
// anyone but the functions.
//
// Known differences: names of request headers reach a function in canonical form
// (the deployed gateway passes them as sent), web ACLs and account quotas are not
// enforced, and X-Forwarded-Proto and -Port say how this machine was reached.
package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"account-api/local/graph"
	"account-api/local/lambda"
)

// Functions invokes a deployed function by its ARN. An error means that there is
// no answer from the function at all; that the function failed is a result.
type Functions interface {
	Invoke(ctx context.Context, functionARN string, event []byte) (lambda.Result, error)
}

// Options are what a gateway needs next to the stack.
type Options struct {
	Functions Functions
	Now       func() time.Time // nil = time.Now
	// Report is called once for every request, after it was answered, from the
	// goroutine that served it: concurrently. nil = nobody is told.
	Report func(Exchange)
	// Throttle enforces the rate and burst limits that the stack declares in
	// MethodSettings. Otherwise they have no effect here, so that a load test
	// measures the functions.
	Throttle bool
}

// Gateway serves one stack. It is safe for concurrent use.
type Gateway struct {
	api       *api
	functions Functions
	now       func() time.Time
	report    func(Exchange)
	cache     *cache
	throttle  *throttle // nil = limits are not enforced
	findings  []Finding
}

// New reads the stack. Its error is an [*Unsupported] that names everything which
// the gateway does not model or AWS would not accept.
func New(g *graph.Graph, o Options) (*Gateway, error) {
	if o.Functions == nil {
		return nil, errors.New("gateway: Options.Functions is nil: pass what invokes the stack's functions")
	}
	a, err := load(g)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	gw := &Gateway{api: a, functions: o.Functions, now: o.Now, report: o.Report, cache: newCache(cacheEntries)}
	if gw.now == nil {
		gw.now = time.Now
	}
	if o.Throttle {
		gw.throttle = newThrottle()
	}
	gw.findings = find(g, a)
	return gw, nil
}

// ServeHTTP answers one request. The path is /{stage}/….
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := g.now()
	ids := newIDs()
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	c := &call{gateway: g, request: r, ids: ids, exchange: &Exchange{
		RequestID: ids.request, ExtendedRequestID: ids.extended, Time: start, SourceIP: host,
		Method: effectiveVerb(r), Path: r.URL.EscapedPath(), AnsweredBy: "gateway",
	}}
	a := c.answer()
	c.exchange.Browser = blocked(r, a)
	if c.exchange.Browser != "" {
		c.step("browser", "%s", c.exchange.Browser)
	}
	c.exchange.Status = a.status
	c.write(w, a)
	c.exchange.Duration = g.now().Sub(start)
	if g.report != nil {
		g.report(*c.exchange)
	}
}

// ids are the random names of one request.
type ids struct{ request, extended, trace string }

// newIDs draws the request's ID (UUID version 4), the shorter one that access logs
// call extendedRequestId, and the root of an X-Ray trace, without its time.
func newIDs() ids {
	var b [16 + 11 + 12]byte
	rand.Read(b[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	u := hex.EncodeToString(b[:16])
	return ids{
		request:  u[:8] + "-" + u[8:12] + "-" + u[12:16] + "-" + u[16:20] + "-" + u[20:],
		extended: base64URL(b[16:27]),
		trace:    hex.EncodeToString(b[27:]),
	}
}
