package gateway

import (
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Quotas of a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	maxURL       = 10_240   // characters of the request's URL
	maxHeaders   = 10_240   // bytes of all header values together
	maxBody      = 10 << 20 // bytes of a request's body
	maxMethodARN = 1_600    // bytes, with a Lambda authorizer
	maxEvent     = 6 << 20  // bytes that a function can be invoked with (Lambda's quota)
)

// call is one request on its way through the gateway.
type call struct {
	gateway  *Gateway
	request  *http.Request
	exchange *Exchange
	ids      ids
	stage    *stage
	path     string // below the stage, escaped, with its leading slash
	match    match
	body     []byte

	granted           *grant // what the authorizer said; nil when there is none
	authorizerLatency int64  // ms
	trace             string // X-Amzn-Trace-Id, made when first used
}

// answer takes the request through every hop.
func (c *call) answer() answer {
	name, path := splitStage(c.request.URL.EscapedPath())
	c.stage, c.path = c.gateway.api.stages[name], path
	if c.stage == nil {
		return c.forbidden()
	}
	c.exchange.Stage = name
	a, f := c.proceed()
	if f != nil {
		c.exchange.Reason = f.reason
		return c.render(f)
	}
	return a
}

// proceed returns the integration's answer, or the fault that ended the way to it.
func (c *call) proceed() (answer, *fault) {
	if f := c.limits(); f != nil {
		return answer{}, f
	}
	var ok bool
	if c.match, ok = c.gateway.api.route(c.exchange.Method, c.path); !ok {
		return answer{}, newFault(missingAuthentication, c.noRoute())
	}
	c.exchange.Resource = c.match.resource.path
	c.step("route", "%s %s matched %s of %s", c.exchange.Method, c.path, c.match.method.verb, c.match.resource.path)
	if c.throttled() {
		return answer{}, newFault(throttled, "the rate limit of the method is spent: see MethodSettings")
	}
	if c.match.method.authorizer == nil {
		c.step("authorizer", "none: the method is open")
	} else if f := c.authorize(c.match.method.authorizer); f != nil {
		return answer{}, f
	}
	if f := c.validate(); f != nil {
		return answer{}, f
	}
	i := c.match.method.integration
	if i.mock {
		return c.mock(i)
	}
	return c.proxy(i)
}

// forbidden is the answer when the host has no such stage. There is no API yet
// whose gateway responses could apply.
func (c *call) forbidden() answer {
	a := answer{status: http.StatusForbidden, body: []byte(`{"message":"Forbidden"}`)}
	a.set("x-amzn-ErrorType", "ForbiddenException")
	a.set("Content-Type", "application/json")
	c.exchange.ErrorType = "ForbiddenException"
	c.exchange.Reason = fmt.Sprintf("no such stage: the path starts with one of %s", "/"+strings.Join(names(c.gateway.api.stages), "/, /")+"/")
	return a
}

// limits refuses what is too large, and reads the body. The quotas are documented;
// which status the deployed gateway gives a long URL or large headers is not.
func (c *call) limits() *fault {
	size := 0
	for _, values := range c.request.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	switch {
	case len(c.request.RequestURI) > maxURL:
		return uriTooLong(fmt.Sprintf("the URL has %d characters, at most %d pass", len(c.request.RequestURI), maxURL))
	case size > maxHeaders:
		return newFault(requestTooLarge, fmt.Sprintf("the header values have %d bytes, at most %d pass", size, maxHeaders)).
			saying(fmt.Sprintf("HTTP header is larger than %d bytes.", maxHeaders))
	case c.request.ContentLength > maxBody:
		return bodyTooLarge()
	case c.request.Body == nil:
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody+1))
	if err != nil {
		return newFault(badRequestBody, "the body ended early")
	}
	if len(body) > maxBody {
		return bodyTooLarge()
	}
	c.body = body
	return nil
}

func bodyTooLarge() *fault {
	return newFault(requestTooLarge, fmt.Sprintf("the body has more than %d bytes", maxBody))
}

// uriTooLong is a 414, documented for method ARNs; no gateway response type has it.
func uriTooLong(reason string) *fault {
	f := newFault(default4XX, reason).saying("Request URI too long")
	f.status = http.StatusRequestURITooLong
	return f
}

// noRoute explains the 403 that stands for "not found".
func (c *call) noRoute() string {
	var verbs []string
	for _, verb := range anyVerb {
		if _, ok := c.gateway.api.route(verb, c.path); ok {
			verbs = append(verbs, verb)
		}
	}
	reason := "no resource has this path: a REST API answers 403, not 404"
	if len(verbs) > 0 {
		reason = fmt.Sprintf("the path exists, for %s: a REST API answers 403, not 405", strings.Join(verbs, ", "))
	}
	if c.request.Header.Get("Authorization") != "" {
		c.step("route", "with an Authorization header the deployed gateway may say IncompleteSignatureException instead: it takes the token for an AWS signature")
	}
	return reason
}

// validate insists on the parameters that the method's validator requires.
func (c *call) validate() *fault {
	var missing []string
	for _, p := range c.match.method.required {
		if c.parameter(p) == "" {
			missing = append(missing, p.name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	list := "[" + strings.Join(missing, ", ") + "]"
	return newFault(badRequestParameters, "the request validator misses "+list).
		saying("Missing required request parameters: " + list)
}

// sentTrace is a trace root that a client or a proxy may already have chosen.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
var sentTrace = regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;|$)`)

// traceID is the request's X-Amzn-Trace-Id: the root that was sent, or a new one.
func (c *call) traceID() string {
	if c.trace == "" {
		if sent := c.request.Header.Get("X-Amzn-Trace-Id"); sentTrace.MatchString(sent) {
			c.trace = sent[:len("Root=1-")+8+1+24]
		} else {
			c.trace = fmt.Sprintf("Root=1-%08x-%s", uint32(c.exchange.Time.Unix()), c.ids.trace)
		}
	}
	return c.trace
}

// port is the one that the client reached.
func (c *call) port() string {
	if address, ok := c.request.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, port, err := net.SplitHostPort(address.String()); err == nil {
			return port
		}
	}
	return "80"
}

func base64URL(b []byte) string { return base64.URLEncoding.EncodeToString(b) }

// milliseconds rounds a duration as the gateway's latencies are.
func milliseconds(d time.Duration) int64 { return d.Milliseconds() }
