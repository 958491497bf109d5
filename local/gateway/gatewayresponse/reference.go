package gatewayresponse

import (
	"slices"
	"strings"
)

// Reference names a value of the request, its stage or its context.
type Reference struct {
	Source Source
	Name   string
}

// Source is where a reference finds its value: the start of its text.
type Source string

// The sources that are modelled.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/gateway-response-params.html
const (
	Header        Source = "method.request.header."
	QueryString   Source = "method.request.querystring."
	PathParameter Source = "method.request.path."
	StageVariable Source = "stageVariables."
	Authorizer    Source = "context.authorizer."
	Context       Source = "context."
)

// sources are in the order in which they are tried: the longer prefix first.
var sources = []Source{Header, QueryString, PathParameter, StageVariable, Authorizer, Context}

// ContextVariables are the names that a reference to [Context] may have.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var ContextVariables = []string{
	"accountId", "apiId", "deploymentId", "domainName", "domainPrefix", "error.message", "error.messageString",
	"error.responseType", "extendedRequestId", "httpMethod", "identity.sourceIp", "identity.userAgent", "path", "protocol",
	"requestId", "requestTime", "requestTimeEpoch", "resourceId", "resourcePath", "stage",
}

// ParseReference reads a reference such as context.requestId.
func ParseReference(text string) (r Reference, ok bool) {
	for _, source := range sources {
		if name, ok := strings.CutPrefix(text, string(source)); ok {
			return Reference{source, name}, name != "" && (source != Context || slices.Contains(ContextVariables, name))
		}
	}
	return Reference{}, false
}

// Parameter reports whether the reference is to a header, a query string or a path
// parameter of the request.
func (r Reference) Parameter() bool {
	return r.Source == Header || r.Source == QueryString || r.Source == PathParameter
}
