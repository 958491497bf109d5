package gateway

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"account-api/local/gateway/iampolicy"
)

// grant is the output of an authorizer, as it is cached: policy and context, not a
// verdict.
type grant struct {
	principal string
	context   map[string]string
	policy    iampolicy.Policy
}

// parseGrant reads what an authorizer answered. Errors name members and never quote
// values.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func parseGrant(payload []byte) (*grant, error) {
	var output struct {
		Principal string            `json:"principalId"`
		Policy    jsontext.Value    `json:"policyDocument"`
		Context   map[string]scalar `json:"context"`
		UsageKey  jsontext.Value    `json:"usageIdentifierKey"` // for usage plans, which are not modelled
	}
	if err := readOutput(payload, &output, "principalId, policyDocument, context, usageIdentifierKey"); err != nil {
		return nil, err
	}
	// Unverified for TOKEN authorizers; the documentation calls it required.
	if output.Principal == "" {
		return nil, errors.New("principalId is missing: set it to the token's subject")
	}
	if output.Policy == nil {
		return nil, errors.New("policyDocument is missing")
	}
	policy, err := iampolicy.Parse(output.Policy)
	g := &grant{principal: output.Principal, context: map[string]string{}, policy: policy}
	for key, value := range output.Context {
		if value.present {
			g.context[key] = value.text
		}
	}
	return g, err
}

// forIntegration is event.requestContext.authorizer: strings and one number.
func (g *grant) forIntegration(latency int64) map[string]any {
	m := make(map[string]any, len(g.context)+2)
	for key, value := range g.context {
		m[key] = value
	}
	m["principalId"], m["integrationLatency"] = g.principal, latency
	return m
}
