package decision

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Input is the document that a policy calls input: the request, and what API Gateway says
// about the caller after the authorizer has verified the token. An empty field is absent
// from the document, so the policy finds it undefined. [Fields] describes each.
//
// It has no header, no body and no token.
type Input struct {
	Method     string              `json:"method,omitempty"`
	Path       []string            `json:"path,omitempty"`
	Resource   string              `json:"resource,omitempty"`
	Parameters map[string]string   `json:"parameters,omitempty"`
	Query      map[string][]string `json:"query,omitempty"`
	Time       int64               `json:"time,omitempty"`

	Principal       string `json:"principal,omitempty"`
	Scope           string `json:"scope,omitempty"`
	Permissions     string `json:"permissions,omitempty"`
	AuthorizedParty string `json:"azp,omitempty"`
	Issuer          string `json:"issuer,omitempty"`
	Claims          Claims `json:"claims,omitempty"`
}

// Claims is a JSON object of further claims of the token, by name. Its numbers stay digit
// for digit.
type Claims json.RawMessage

// MarshalJSON implements [json.Marshaler].
func (c Claims) MarshalJSON() ([]byte, error) { return c, nil }

// UnmarshalJSON implements [json.Unmarshaler].
func (c *Claims) UnmarshalJSON(text []byte) error {
	*c = bytes.Clone(text)
	return nil
}

// value is the object as OPA has it. Its error does not quote the claims.
func (c Claims) value() (ast.Value, error) {
	value, err := ast.ValueFromReader(bytes.NewReader(c))
	if err != nil || !json.Valid(c) {
		return nil, errors.New("claims: expected a JSON object, got malformed JSON")
	}
	if _, ok := value.(ast.Object); !ok {
		return nil, errors.New("claims: expected a JSON object, got " + ast.ValueName(value))
	}
	return value, nil
}

// Field is a member of the input.
type Field struct {
	Name   string
	Type   string // in words
	From   string // in words
	schema map[string]any
}

// Fields are the members of the input, in the order of its JSON. This table is the source
// of the schema and of the documentation.
var Fields = []Field{
	{"method", "string", "the request's verb", text},
	{"path", "array of strings", "the parts of the path below the stage, decoded", list(text)},
	{"resource", "string", "the path as the API declares it", text},
	{"parameters", "object of strings", "the path's parameters, decoded", object(text)},
	{"query", "object of arrays of strings", "the query, decoded", object(list(text))},
	{"time", "number", "when API Gateway received the request, in nanoseconds since 1970", map[string]any{"type": "number"}},
	{"principal", "string", "the token's `sub`", text},
	{"scope", "string", "the token's scopes, separated by single spaces", text},
	{"permissions", "string", "the token's permissions, likewise, with the providers `auth0` and `entra`; those of others have none", text},
	{"azp", "string", "the client that obtained the token", text},
	{"issuer", "string", "the token's `iss`, if the stack trusts several issuers: a principal is unique per issuer", text},
	{"claims", "object", "the claims that the setting `claims` names, as the token has them", nil},
}

var text = map[string]any{"type": "string"}

func list(of map[string]any) map[string]any { return map[string]any{"type": "array", "items": of} }

func object(of map[string]any) map[string]any {
	return map[string]any{"type": "object", "additionalProperties": of}
}

// Schema is the JSON schema of the input, where claims has the members that are named. With
// nil it may have any: a handler does not know the settings of its stack. With none there is
// no claims: OPA takes an object without properties for one with any.
func Schema(claims []string) map[string]any {
	properties := map[string]any{}
	for _, field := range Fields {
		properties[field.Name] = field.schema
	}
	named := map[string]any{}
	for _, name := range claims {
		named[name] = map[string]any{}
	}
	switch {
	case claims == nil:
		properties["claims"] = map[string]any{"type": "object"}
	case len(claims) == 0:
		delete(properties, "claims")
	default:
		properties["claims"] = map[string]any{"type": "object", "additionalProperties": false, "properties": named}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

// value is the input as OPA has it.
func (i Input) value() (ast.Value, error) {
	input := ast.NewObject()
	put := func(name string, value ast.Value) { input.Insert(ast.StringTerm(name), ast.NewTerm(value)) }
	for _, field := range [...]struct{ name, value string }{
		{"method", i.Method},
		{"resource", i.Resource},
		{"principal", i.Principal},
		{"scope", i.Scope},
		{"permissions", i.Permissions},
		{"azp", i.AuthorizedParty},
		{"issuer", i.Issuer},
	} {
		if field.value != "" {
			put(field.name, ast.String(field.value))
		}
	}
	if len(i.Path) > 0 {
		put("path", texts(i.Path))
	}
	if len(i.Parameters) > 0 {
		parameters := ast.NewObject()
		for name, value := range i.Parameters {
			parameters.Insert(ast.StringTerm(name), ast.StringTerm(value))
		}
		put("parameters", parameters)
	}
	if len(i.Query) > 0 {
		query := ast.NewObject()
		for name, values := range i.Query {
			query.Insert(ast.StringTerm(name), ast.NewTerm(texts(values)))
		}
		put("query", query)
	}
	if i.Time != 0 {
		put("time", ast.Number(fmt.Sprint(i.Time)))
	}
	if len(i.Claims) > 0 {
		claims, err := i.Claims.value()
		if err != nil {
			return nil, err
		}
		put("claims", claims)
	}
	return input, nil
}

func texts(values []string) ast.Value {
	terms := make([]*ast.Term, len(values))
	for i, value := range values {
		terms[i] = ast.StringTerm(value)
	}
	return ast.NewArray(terms...)
}
