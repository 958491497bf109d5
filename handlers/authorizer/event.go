package main

import (
	"strings"

	"github.com/go-json-experiment/json"

	"account-api/internal/refusal"
)

// event is what API Gateway sends to a TOKEN authorizer:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
type event struct {
	Type               string `json:"type"`
	AuthorizationToken string `json:"authorizationToken"`
	MethodArn          string `json:"methodArn"`
}

// parseEvent reads an event. Names are case-sensitive, and a repeated name is an error. Unknown
// names are ignored, because API Gateway may add some.
func parseEvent(payload []byte) (event, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		// The decoder's error may quote the token.
		return event{}, refusal.New(refusal.InvalidEvent, "the event is not the JSON of a TOKEN authorizer's")
	}
	if e.Type != "TOKEN" {
		return event{}, refusal.New(refusal.InvalidEvent, `Authorizer must be of type "TOKEN"`)
	}
	return e, nil
}

// bearerCharacters are those of a compact token (RFC 7515, section 3.1): base64url and dots.
const bearerCharacters = upper + lower + digits + "-_."

// bearer returns the token of an Authorization value: exactly "Bearer", one space and the
// token. RFC 9110, section 11.1, would also allow "bearer", but the gateway's validation
// expression does not.
func bearer(authorization string) (string, error) {
	if authorization == "" {
		return "", refusal.New(refusal.MissingToken, `Authorization header with "Bearer TOKEN" must be provided`)
	}
	compact, found := strings.CutPrefix(authorization, "Bearer ")
	if !found || !only(bearerCharacters, compact) {
		return "", refusal.New(refusal.MalformedToken, "Invalid bearer token")
	}
	return compact, nil
}

// apiStage returns the part of a method ARN, in any partition, that names the API and the
// stage. The path after them is the caller's. Compiling a regular expression would slow the cold
// start.
func apiStage(arn string) (string, error) {
	api, resource, _ := strings.Cut(arn, "/")
	stage, resource, _ := strings.Cut(resource, "/")
	method, _, found := strings.Cut(resource, "/")
	names := strings.Split(api, ":") // arn, partition, service, region, account, API
	if !found || len(names) != 6 || names[0] != "arn" || names[2] != "execute-api" ||
		!strings.HasPrefix(names[1], "aws") || !only(lower+"-", names[1]) ||
		!only(lower+digits+"-", names[3]) || !only(digits, names[4]) || len(names[4]) != 12 ||
		!only(lower+digits, names[5]) || !only(lower+upper+digits+"_-", stage) || !only(upper, method) {
		return "", refusal.New(refusal.InvalidEvent, "expected an execute-api method ARN of an API, a stage and a method")
	}
	return arn[:len(api)+1+len(stage)], nil
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// only reports whether text has at least one character, and none but these.
func only(characters, text string) bool { return text != "" && strings.Trim(text, characters) == "" }

// ambiguous reports whether the character has a meaning of its own in a policy.
func ambiguous(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("*?$", r) }
