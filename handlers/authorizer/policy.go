package main

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"account-api/internal/refusal"
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

// maxResource is the longest resource of a policy that API Gateway takes, in characters:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const maxResource = 512

// covered is the resource of the answered policy. arn is the called method's, and stage is the
// part of it that names API and stage. The ARN ends in the path as the caller wrote it. A
// wildcard or variable in it would widen the policy, so the caller is refused.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func covered(arn, stage string, scope policyScope) (string, error) {
	if scope == scopeAPI {
		return stage + "/*/*", nil
	}
	if len(arn) > maxResource || strings.ContainsFunc(arn, ambiguous) {
		refused := refusal.New(refusal.InvalidEvent, "expected a short path without wildcards and variables in the method ARN of %d characters, got another", len(arn))
		refused.By = refusal.Client
		return "", refused
	}
	return arn, nil
}

// allow answers that the caller is authenticated, for a resource.
func allow(c token.Claims, resource string, severalIssuers bool) ([]byte, error) {
	return json.Marshal(events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: c.Subject,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: "Allow", Resource: []string{resource}},
			},
		},
		Context: propagated(c, severalIssuers),
	})
}

// propagated are the claims that endpoints may decide by. A claim that the token lacks is
// absent. API Gateway answers 500 if a value is an array or an object, and a claim named
// principalId would hide the real one: so those of the setting CLAIMS are one text.
func propagated(c token.Claims, severalIssuers bool) map[string]any {
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
	if c.PassedOn != "" {
		claims["claims"] = c.PassedOn
	}
	if severalIssuers {
		claims["issuer"] = c.Issuer
	}
	return claims
}
