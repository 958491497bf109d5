// Package endpointtest makes the events that API Gateway sends a handler, and runs a
// handler's executable as Lambda does. It is for the tests of package endpoint and of the
// handlers. It has no expected answers: each test states its own.
package endpointtest

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"account-api/internal/decision"
)

// What an event has and a log must not: the token, and the caller.
const (
	Bearer  = "header.payload.signature"
	Subject = "FHgLVARPk8oXjsP5utP8wYAnZePPAkw1@clients"
)

// RequestID is API Gateway's request ID in an event.
const RequestID = "0f0ae4b9-2f5f-4d3a-9d5c-6a2a9f2f3b11"

// Event is what API Gateway sends for GET /orders, with the given authorizer member.
// The form is that of a REST API's Lambda proxy integration; headers are abridged.
func Event(authorizer string) string {
	return `{"resource":"/orders","path":"/orders","httpMethod":"GET",` +
		`"headers":{"Accept":"*/*","Authorization":"Bearer ` + Bearer + `","Host":"abcdef1234.execute-api.eu-central-1.amazonaws.com"},` +
		`"multiValueHeaders":{"Accept":["*/*"],"Authorization":["Bearer ` + Bearer + `"]},` +
		`"queryStringParameters":null,"multiValueQueryStringParameters":null,"pathParameters":null,"stageVariables":null,` +
		`"requestContext":{"resourceId":"r1","authorizer":` + authorizer + `,"resourcePath":"/orders","httpMethod":"GET",` +
		`"requestTime":"17/Jun/2024:14:52:41 +0000","path":"/prod/orders","accountId":"123456789012","protocol":"HTTP/1.1",` +
		`"stage":"prod","requestTimeEpoch":1718635961000,"requestId":"` + RequestID + `","identity":{"sourceIp":"192.0.2.1","user":null},` +
		`"apiId":"abcdef1234"},"body":null,"isBase64Encoded":false}`
}

// EventOf is an event that ends in the policy's input, as far as the input has it.
func EventOf(t testing.TB, input decision.Input) string {
	t.Helper()
	event := Event(Caller(t, input))
	replace := func(member string, from, to any) {
		event = strings.Replace(event, member+encode(t, from), member+encode(t, to), 1)
	}
	if input.Method != "" {
		replace(`"httpMethod":`, "GET", input.Method)
	}
	if input.Time != 0 {
		replace(`"requestTimeEpoch":`, 1718635961000, time.Unix(0, input.Time).UnixMilli())
	}
	if input.Query != nil {
		replace(`"multiValueQueryStringParameters":`, nil, input.Query)
	}
	resource, parameters := input.Resource, map[string]string{}
	for name, value := range input.Parameters {
		parameters[name] = url.PathEscape(value)
	}
	if resource == "" && len(input.Path) > 0 {
		resource = "/" + strings.Join(input.Path, "/")
	}
	if resource != "" {
		replace(`"resource":`, "/orders", resource)
	}
	if len(parameters) > 0 {
		replace(`"pathParameters":`, nil, parameters)
	}
	return event
}

// Scope is an authorizer member with a scope.
func Scope(t testing.TB, scope string) string {
	t.Helper()
	return Caller(t, decision.Input{Scope: scope})
}

// Caller is an authorizer member that ends in the policy's input, with [Subject] for a
// principal that is empty.
func Caller(t testing.TB, input decision.Input) string {
	t.Helper()
	authorizer := map[string]any{"principalId": cmp.Or(input.Principal, Subject), "integrationLatency": 422}
	for name, value := range map[string]string{
		"scope": input.Scope, "permissions": input.Permissions, "azp": input.AuthorizedParty,
		"issuer": input.Issuer, "claims": string(input.Claims),
	} {
		if value != "" {
			authorizer[name] = value
		}
	}
	return encode(t, authorizer)
}

func encode(t testing.TB, value any) string {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
