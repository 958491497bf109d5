package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"account-api/local/gateway/declaration"
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
	api, e, resource := c.gateway.api, c.exchange, c.match.resource
	if resource == nil {
		resource = &declaration.Resource{}
	}
	return map[string]string{
		"accountId": api.Account, "apiId": api.ID, "domainName": api.DomainName(), "domainPrefix": api.ID,
		"deploymentId": c.stage.DeploymentID, "stage": c.stage.Name, "path": "/" + c.stage.Name + c.sent,
		"error.message": f.text(), "error.messageString": f.quoted(), "error.responseType": string(f.kind),
		"requestId": e.RequestID, "extendedRequestId": e.ExtendedRequestID, "requestTime": requestTime(e.Time),
		"requestTimeEpoch": strconv.FormatInt(e.Time.UnixMilli(), 10), "resourceId": resource.ID, "resourcePath": resource.Path,
		"httpMethod": e.Method, "protocol": c.request.Proto, "identity.sourceIp": e.SourceIP, "identity.userAgent": c.request.UserAgent(),
	}[name]
}

// requestTime formats a time as access logs do.
func requestTime(t time.Time) string { return t.UTC().Format("02/Jan/2006:15:04:05 -0700") }
