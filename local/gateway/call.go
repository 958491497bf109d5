package gateway

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"regexp"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
)

// call is one request on its way through the gateway.
type call struct {
	gateway  *Gateway
	request  *http.Request
	exchange *Exchange
	stage    *declaration.Stage
	sent     string // the path below the stage, escaped, with its leading slashes
	path     string // the same with one leading slash: further ones count for nothing
	match    match
	body     []byte

	granted           *grant // what the authorizer answered; nil when there is none
	authorizerLatency int64  // ms
	trace             string // X-Amzn-Trace-Id, made when first used
}

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: https://pkg.go.dev/crypto/rand#Read
	return b
}

// step notes a hop, if there is a report.
func (c *call) step(hop, format string, args ...any) {
	if c.gateway.report != nil {
		c.exchange.Steps = append(c.exchange.Steps, Step{hop, fmt.Sprintf(format, args...)})
	}
}

// fail notes the hop that ends the request's way, and why.
func (c *call) fail(hop string, kind gatewayresponse.Type, format string, args ...any) *fault {
	reason := fmt.Sprintf(format, args...)
	c.step(hop, "%s", reason)
	return &fault{kind: kind, reason: reason}
}

// sentTrace is a trace root that a client or a proxy may already have chosen.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
var sentTrace = regexp.MustCompile(`^(Root=1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)`)

// traceID is the request's X-Amzn-Trace-Id: the root that was sent, or a new one.
func (c *call) traceID() string {
	if c.trace == "" {
		if sent := sentTrace.FindStringSubmatch(c.request.Header.Get("X-Amzn-Trace-Id")); sent != nil {
			c.trace = sent[1]
		} else {
			c.trace = fmt.Sprintf("Root=1-%08x-%x", uint32(c.exchange.Time.Unix()), random(12))
		}
	}
	return c.trace
}
