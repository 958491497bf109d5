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
	// scopeMethod is only the method that was called.
	scopeMethod policyScope = "method"
	// scopeAPI is every method of the called stage. It is for cached answers: API Gateway
	// applies them to other methods as well.
	scopeAPI policyScope = "api"
)

// allow answers that the caller is authenticated. arn is the called method's, and stage is the
// part of it that names API and stage.
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

// propagated are the claims that endpoints may decide by. A claim that the token lacks is
// absent. No others are passed on: API Gateway answers 500 if a value is an array or an
// object, and a claim named principalId would hide the real one.
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
