package decision

import "github.com/open-policy-agent/opa/v1/ast"

// Input is the document that a policy calls input: what API Gateway says about the
// caller, once the authorizer has verified the token. An empty field is absent from
// the document, so that the policy finds it undefined.
type Input struct {
	Principal       string `json:"principal,omitempty"`   // the token's sub claim
	Scope           string `json:"scope,omitempty"`       // its scopes, separated by single spaces
	Permissions     string `json:"permissions,omitempty"` // Auth0's permissions, likewise
	AuthorizedParty string `json:"azp,omitempty"`         // the client that obtained the token
}

// fields are those of an [Input] that a policy reads. The others need no conversion: it
// is on every request's account, and no decision depends on it.
type fields struct{ principal, scope, permissions, authorizedParty bool }

// The names of the fields, as the engine wants them. They are constants that Go cannot
// declare as such.
var (
	principalKey       = ast.StringTerm("principal")
	scopeKey           = ast.StringTerm("scope")
	permissionsKey     = ast.StringTerm("permissions")
	authorizedPartyKey = ast.StringTerm("azp")
)

var everyField = fields{principal: true, scope: true, permissions: true, authorizedParty: true}

// fieldsRead finds what compiled modules read of their input. That is every field as soon
// as one of them does more than to name a field, such as input as a whole, input[name],
// or with input as something else.
func fieldsRead(modules map[string]*ast.Module) fields {
	var read fields
	var visitor *ast.GenericVisitor
	visitor = ast.NewGenericVisitor(func(node any) (stop bool) {
		switch node := node.(type) {
		case ast.Var:
			if node.Equal(ast.InputRootDocument.Value) {
				read = everyField
			}
		case ast.Ref:
			if len(node) < 2 || !node.HasPrefix(ast.InputRootRef) {
				return false // and if it begins with input, that is a variable
			}
			name, constant := node[1].Value.(ast.String)
			if !constant {
				return false
			}
			switch name {
			case principalKey.Value:
				read.principal = true
			case scopeKey.Value:
				read.scope = true
			case permissionsKey.Value:
				read.permissions = true
			case authorizedPartyKey.Value:
				read.authorizedParty = true
			}
			for _, operand := range node[2:] {
				visitor.Walk(operand)
			}
			return true
		}
		return false
	})
	for _, module := range modules {
		visitor.Walk(module)
	}
	return read
}

// of converts an input.
func (read fields) of(i Input) ast.Value {
	object := ast.NewObjectWithCapacity(1) // a policy reads one field as a rule
	for _, field := range [...]struct {
		read  bool
		key   *ast.Term
		value string
	}{
		{read.principal, principalKey, i.Principal},
		{read.scope, scopeKey, i.Scope},
		{read.permissions, permissionsKey, i.Permissions},
		{read.authorizedParty, authorizedPartyKey, i.AuthorizedParty},
	} {
		if field.read && field.value != "" {
			object.Insert(field.key, ast.StringTerm(field.value))
		}
	}
	return object
}
