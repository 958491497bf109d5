package decision

import "github.com/open-policy-agent/opa/v1/ast"

// Input is the document that a policy calls input. It holds what API Gateway says about the
// caller after the authorizer has verified the token. An empty field is absent from the
// document, so the policy finds it undefined.
type Input struct {
	Principal       string `json:"principal,omitempty"`   // the token's sub claim
	Scope           string `json:"scope,omitempty"`       // its scopes, separated by single spaces
	Permissions     string `json:"permissions,omitempty"` // Auth0's permissions, likewise
	AuthorizedParty string `json:"azp,omitempty"`         // the client that obtained the token
}

// value is the input as OPA has it.
func (i Input) value() ast.Value {
	object := ast.NewObject()
	for _, field := range [...]struct{ name, value string }{
		{"principal", i.Principal},
		{"scope", i.Scope},
		{"permissions", i.Permissions},
		{"azp", i.AuthorizedParty},
	} {
		if field.value != "" {
			object.Insert(ast.StringTerm(field.name), ast.StringTerm(field.value))
		}
	}
	return object
}
