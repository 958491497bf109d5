package gateway

import (
	"errors"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"account-api/local/gateway/iampolicy"
	"account-api/local/gateway/member"
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
	object, err := member.Of(payload)
	if err != nil {
		return nil, errors.New("expected a JSON object with principalId and policyDocument")
	}
	g := &grant{}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch name {
		case "principalId":
			principal, isText := member.Text(object[name])
			if !isText && object[name].Kind() != jsontext.KindNull {
				return nil, errors.New("principalId: expected a string")
			}
			g.principal = principal
		case "context":
			if g.context, err = contextValues(object[name]); err != nil {
				return nil, err
			}
		case "policyDocument", "usageIdentifierKey": // the latter is for usage plans, which are not modelled
		default:
			return nil, errors.New("has a member that is none of principalId, policyDocument, context, usageIdentifierKey")
		}
	}
	if g.principal == "" && requiresPrincipal {
		return nil, errors.New("principalId is missing: set it to the token's subject")
	}
	raw, ok := object["policyDocument"]
	if !ok {
		return nil, errors.New("policyDocument is missing")
	}
	g.policy, err = iampolicy.Parse(raw)
	return g, err
}

// contextValues turns the context into the strings that integrations get. An object or a
// list breaks the whole output. A null is left out.
func contextValues(raw jsontext.Value) (map[string]string, error) {
	object, err := member.Optional(raw)
	if err != nil {
		return nil, errors.New("context: expected an object")
	}
	values := make(map[string]string, len(object))
	for key, value := range object {
		text, present, err := member.Scalar(value)
		if err != nil {
			return nil, errors.New("context: a value is an object or a list: make it a string")
		}
		if present {
			values[key] = text
		}
	}
	return values, nil
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
