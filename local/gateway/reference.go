package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"account-api/local/gateway/gatewayresponse"
)

// resolve returns the value of a reference; "" when it has none.
func (c *call) resolve(r gatewayresponse.Reference, f *fault) string {
	switch r.Source {
	case gatewayresponse.StageVariable:
		return c.stage.Variables[r.Name]
	case gatewayresponse.Authorizer:
		switch {
		case c.granted == nil:
			return ""
		case r.Name == "principalId":
			return c.granted.principal
		}
		return c.granted.context[r.Name]
	case gatewayresponse.Context:
		return c.context(r.Name, f)
	}
	return c.parameter(r)
}

// parameter reads a value of the request; "" when it is absent.
func (c *call) parameter(r gatewayresponse.Reference) string {
	switch {
	case r.Source == gatewayresponse.QueryString:
		return last(parseQuery(c.request.URL.RawQuery)[r.Name])
	case r.Source == gatewayresponse.PathParameter:
		return c.match.parameters[r.Name]
	case strings.EqualFold(r.Name, "Host"):
		return c.request.Host
	default:
		return last(c.request.Header.Values(http.CanonicalHeaderKey(r.Name)))
	}
}

// context reads one of [gatewayresponse.ContextVariables].
func (c *call) context(name string, f *fault) string {
	switch name {
	case "accountId":
		return c.gateway.api.Account
	case "apiId", "domainPrefix":
		return c.gateway.api.ID
	case "deploymentId":
		return c.stage.DeploymentID
	case "domainName":
		return c.gateway.api.DomainName()
	case "error.message":
		return f.text()
	case "error.messageString":
		return f.quoted()
	case "error.responseType":
		return string(f.kind)
	case "extendedRequestId":
		return c.exchange.ExtendedRequestID
	case "httpMethod":
		return c.exchange.Method
	case "identity.sourceIp":
		return c.exchange.SourceIP
	case "identity.userAgent":
		return c.request.UserAgent()
	case "path":
		return "/" + c.stage.Name + c.path
	case "protocol":
		return c.request.Proto
	case "requestId":
		return c.exchange.RequestID
	case "requestTime":
		return requestTime(c.exchange.Time)
	case "requestTimeEpoch":
		return strconv.FormatInt(c.exchange.Time.UnixMilli(), 10)
	case "resourceId":
		if c.match.resource != nil {
			return c.match.resource.ID
		}
	case "resourcePath":
		if c.match.resource != nil {
			return c.match.resource.Path
		}
	case "stage":
		return c.stage.Name
	}
	return ""
}

// requestTime formats a time as access logs do.
func requestTime(t time.Time) string { return t.UTC().Format("02/Jan/2006:15:04:05 -0700") }
