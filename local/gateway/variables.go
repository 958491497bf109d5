package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// contextNames are the context variables that a gateway response may use, next to
// context.authorizer.<key>.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var contextNames = []string{
	"context.accountId", "context.apiId", "context.deploymentId", "context.domainName", "context.domainPrefix",
	"context.error.message", "context.error.messageString", "context.error.responseType",
	"context.extendedRequestId", "context.httpMethod", "context.identity.sourceIp", "context.identity.userAgent",
	"context.path", "context.protocol", "context.requestId", "context.requestTime", "context.requestTimeEpoch",
	"context.resourceId", "context.resourcePath", "context.stage",
}

// knownReference reports whether lookup knows a reference, given without its "$".
func knownReference(name string) bool {
	if rest, ok := strings.CutPrefix(name, "context."); ok {
		return slices.Contains(contextNames, name) || strings.HasPrefix(rest, "authorizer.")
	}
	if rest, ok := strings.CutPrefix(name, "stageVariables."); ok {
		return rest != ""
	}
	_, ok := parseParameter(name)
	return ok
}

// lookup resolves a reference; "" when there is nothing to say.
func (c *call) lookup(name string, f *fault) string {
	if p, ok := parseParameter(name); ok {
		return c.parameter(p)
	}
	if key, ok := strings.CutPrefix(name, "stageVariables."); ok {
		return c.stage.variables[key]
	}
	if key, ok := strings.CutPrefix(name, "context.authorizer."); ok {
		switch {
		case c.granted == nil:
			return ""
		case key == "principalId":
			return c.granted.principal
		}
		return c.granted.context[key]
	}
	a := c.gateway.api
	switch name {
	case "context.accountId":
		return a.account
	case "context.apiId", "context.domainPrefix":
		return a.id
	case "context.deploymentId":
		return c.stage.deploymentID
	case "context.domainName":
		return a.domainName()
	case "context.error.message":
		if f.message == nil {
			return ""
		}
		return *f.message
	case "context.error.messageString":
		return f.quotedMessage()
	case "context.error.responseType":
		return f.kind
	case "context.extendedRequestId":
		return c.exchange.ExtendedRequestID
	case "context.httpMethod":
		return c.exchange.Method
	case "context.identity.sourceIp":
		return c.exchange.SourceIP
	case "context.identity.userAgent":
		return c.request.UserAgent()
	case "context.path":
		return "/" + c.stage.name + c.path
	case "context.protocol":
		return c.request.Proto
	case "context.requestId":
		return c.exchange.RequestID
	case "context.requestTime":
		return requestTime(c.exchange.Time)
	case "context.requestTimeEpoch":
		return strconv.FormatInt(c.exchange.Time.UnixMilli(), 10)
	case "context.resourceId":
		if c.match.resource != nil {
			return c.match.resource.id
		}
	case "context.resourcePath":
		if c.match.resource != nil {
			return c.match.resource.path
		}
	case "context.stage":
		return c.stage.name
	}
	return ""
}

// parameter reads a value of the request; "" when it is absent.
func (c *call) parameter(p parameter) string {
	switch p.in {
	case "header":
		if strings.EqualFold(p.name, "Host") {
			return c.request.Host
		}
		return last(c.request.Header.Values(http.CanonicalHeaderKey(p.name)))
	case "querystring":
		return last(parseQuery(c.request.URL.RawQuery)[p.name])
	default:
		return c.match.parameters[p.name]
	}
}

// last is the value that API Gateway keeps where it keeps only one.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}
