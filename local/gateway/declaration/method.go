package declaration

import (
	"slices"
	"strings"

	"account-api/local/gateway/gatewayresponse"
)

// Method is a verb of one resource.
type Method struct {
	Declared      string // logical name in the program
	Path          string // of the resource: "/users/{id}"
	Verb          string // "ANY" for every verb
	OperationName string
	Authorizer    *Authorizer                 // nil = open
	Required      []gatewayresponse.Reference // parameters that the request validator insists on
	Integration   *Integration
	Responses     map[int]MethodResponse // by status

	resourceID string // with the verb, the key of what belongs to the method
}

// MethodResponse lists the headers that a method may answer with one status.
type MethodResponse struct {
	Declared string // logical name in the program
	Headers  []string
}

// Verbs are what ANY stands for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html
var Verbs = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// Answers reports whether the method is for a verb: its own, or one that its ANY stands for.
func (m *Method) Answers(verb string) bool {
	return m.Verb == verb && verb != "ANY" || m.Verb == "ANY" && slices.Contains(Verbs, verb)
}

// SourcePath is the path of the method's source ARN: "*" stands for a path parameter.
func (m *Method) SourcePath() string {
	parts := strings.Split(m.Path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}
