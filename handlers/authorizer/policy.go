package main

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"account-api/internal/token"
)

// policyScope says what the answered policy covers.
type policyScope string

const (
	// scopeMethod is the method that was called, and nothing else.
	scopeMethod policyScope = "method"
	// scopeAPI is every method of the called stage. It is for an authorizer whose
	// answers API Gateway caches, and so applies to other methods as well.
	scopeAPI policyScope = "api"
)

// allow answers that the caller is authenticated. arn is the called method's, stage
// its API and stage.
func allow(c token.Claims, arn, stage string, scope policyScope) ([]byte, error) {
	resource := arn
	if scope == scopeAPI {
		resource = stage + "/*/*"
	}
	return json.Marshal(events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: c.Subject,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{resource}},
			},
		},
		Context: propagated(c),
	})
}

// propagated are the claims that endpoints may decide by. Only these: API Gateway
// turns every request into a 500 if a value is an array or an object, and a claim
// named principalId would shadow the real one. A claim that the token lacks is
// absent here too.
func propagated(c token.Claims) map[string]any {
	claims := map[string]any{}
	if c.HasScope {
		claims["scope"] = c.Scope
	}
	if c.Permissions != nil {
		claims["permissions"] = strings.Join(c.Permissions, " ")
	}
	if c.AuthorizedParty != "" {
		claims["azp"] = c.AuthorizedParty
	}
	return claims
}
