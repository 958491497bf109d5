package gateway

import (
	"errors"

	"github.com/go-json-experiment/json/jsontext"

	"account-api/local/gateway/iampolicy"
	"account-api/local/gateway/member"
)

// parseAuthorizerOutput reads what an authorizer answered. Errors name members and
// never quote values.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func parseAuthorizerOutput(payload []byte) (*grant, error) {
	object, err := member.Of(payload)
	if err != nil {
		return nil, errors.New("expected a JSON object with principalId and policyDocument")
	}
	g := &grant{}
	for _, name := range names(object) {
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
		case "usageIdentifierKey": // for usage plans, which are not modelled
		case "policyDocument":
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

// contextValues turns the context into the strings that integrations get. Objects
// and lists break the whole output; null is left out.
func contextValues(raw jsontext.Value) (map[string]string, error) {
	object, err := optional(raw)
	if err != nil {
		return nil, errors.New("context: expected an object")
	}
	out := make(map[string]string, len(object))
	for _, key := range names(object) {
		text, present, err := scalar(object[key])
		if err != nil {
			return nil, errors.New("context: a value is an object or a list, which API Gateway cannot pass on: make it a string")
		}
		if present {
			out[key] = text
		}
	}
	return out, nil
}

// optional reads an object that may as well be null.
func optional(raw jsontext.Value) (map[string]jsontext.Value, error) {
	if raw.Kind() == jsontext.KindNull {
		return nil, nil
	}
	return member.Of(raw)
}
