package gateway

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
)

// ServeHTTP answers one request. The path is /{stage}/….
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := g.now()
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	e := &Exchange{
		RequestID: uuid.NewString(), ExtendedRequestID: base64.URLEncoding.EncodeToString(random(11)), Time: start, SourceIP: host,
		Method: effectiveVerb(r), Path: r.URL.EscapedPath(), AnsweredBy: "gateway",
	}
	c := &call{gateway: g, request: r, exchange: e}
	a := c.answer()
	if e.Browser = blocked(r, a); e.Browser != "" {
		c.step("browser", "%s", e.Browser)
	}
	e.Status = a.status
	a.write(w, r, e)
	e.Duration = g.now().Sub(start)
	if g.report != nil {
		g.report(*e)
	}
}

// answer takes the request through every hop.
func (c *call) answer() answer {
	name, sent := splitStage(c.request.URL.EscapedPath())
	c.stage, c.sent, c.path = c.gateway.api.Stages[name], sent, "/"+strings.TrimLeft(sent, "/")
	if c.stage == nil {
		return c.forbidden()
	}
	a, f := c.proceed()
	if f != nil {
		c.exchange.Reason = f.reason
		return c.render(f)
	}
	return a
}

// proceed returns the integration's answer, or the fault that ended the way to it.
func (c *call) proceed() (answer, *fault) {
	if f := c.readBody(); f != nil {
		return answer{}, f
	}
	var ok bool
	if c.match, ok = route(c.gateway.api.Root, c.exchange.Method, c.path); !ok {
		return answer{}, c.noRoute()
	}
	method := c.match.method
	c.step("route", "%s %s matched %s of %s", c.exchange.Method, c.path, method.Verb, method.Path)
	if !c.gateway.throttle.take(c.stage, method, c.exchange.Time) {
		return answer{}, c.fail("throttle", gatewayresponse.Throttled, "the rate limit of the method is spent: see MethodSettings")
	}
	if method.Authorizer == nil {
		c.step("authorizer", "none: the method is open")
	} else if f := c.authorize(method.Authorizer); f != nil {
		return answer{}, f
	}
	if f := c.validate(); f != nil {
		return answer{}, f
	}
	if method.Integration.Mock != nil {
		return c.mock(method.Integration.Mock)
	}
	return c.proxy(method.Integration)
}

// forbidden is the answer when the host has no such stage. No gateway response applies,
// since no API is known.
func (c *call) forbidden() answer {
	a := answer{status: http.StatusForbidden, body: []byte(`{"message":"Forbidden"}`)}
	a.set("x-amzn-ErrorType", "ForbiddenException")
	a.set("Content-Type", "application/json")
	stages := slices.Sorted(maps.Keys(c.gateway.api.Stages))
	c.exchange.Reason = fmt.Sprintf("no such stage: the path starts with one of /%s/", strings.Join(stages, "/, /"))
	return a
}

// noRoute explains the 403 that a REST API answers in place of 404 and 405.
func (c *call) noRoute() *fault {
	var verbs []string
	for _, verb := range declaration.Verbs {
		if _, ok := route(c.gateway.api.Root, verb, c.path); ok {
			verbs = append(verbs, verb)
		}
	}
	if c.request.Header.Get("Authorization") != "" {
		c.step("route", "with an Authorization header the deployed gateway may answer IncompleteSignatureException instead: it takes the token for an AWS signature")
	}
	if len(verbs) > 0 {
		return c.fail("route", gatewayresponse.MissingAuthentication, "the path exists, for %s: a REST API answers 403, not 405", strings.Join(verbs, ", "))
	}
	return c.fail("route", gatewayresponse.MissingAuthentication, "no resource has this path: a REST API answers 403, not 404")
}

// validate insists on the parameters that the method's validator requires.
func (c *call) validate() *fault {
	var missing []string
	for _, reference := range c.match.method.Required {
		if c.parameter(reference) == "" {
			missing = append(missing, reference.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	list := "[" + strings.Join(missing, ", ") + "]"
	return c.fail("validator", gatewayresponse.BadRequestParameters, "the request lacks the required parameters %s", list).
		saying("Missing required request parameters: " + list)
}
