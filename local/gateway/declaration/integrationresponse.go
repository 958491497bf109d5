package declaration

import (
	"strconv"
	"strings"

	"account-api/local/gateway/field"
	"account-api/local/graph"
)

// IntegrationResponse is one answer of a mock.
type IntegrationResponse struct {
	Declared graph.Resource
	Pattern  *Expression // nil = the default
	Status   int
	Headers  []Header
	Body     string
}

// Header is a header with its literal value.
type Header struct{ Name, Value string }

func readIntegrationResponse(d declared) IntegrationResponse {
	r := IntegrationResponse{Declared: d.Resource, Status: status(d), Pattern: readExpression(d, "selectionPattern")}
	keys, parameters := members[string](d, "responseParameters")
	for _, key := range keys {
		name, ok := strings.CutPrefix(key, "method.response.header.")
		literal, isLiteral := unquote(parameters[key])
		switch {
		case !ok || !field.ValidName(name):
			d.refuse("responseParameters", "expected method.response.header.<name>, got %q", key)
		case !isLiteral || !field.ValidValue(literal):
			d.refuse("responseParameters", "%q: only a literal in single quotes is modelled: write '…'", key)
		default:
			r.Headers = append(r.Headers, Header{name, literal})
		}
	}
	types, templates := members[string](d, "responseTemplates")
	for _, contentType := range types {
		switch {
		case !strings.EqualFold(contentType, "application/json"):
			d.refuse("responseTemplates", "only application/json is modelled, got %q: remove it", contentType)
		case vtl(templates[contentType]):
			d.refuse("responseTemplates", "a template with $ or # is not modelled: write literal text")
		default:
			r.Body = templates[contentType]
		}
	}
	return r
}

// unquote strips the single quotes that mark a literal.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// status reads a statusCode, which Pulumi declares as text.
func status(d declared) int {
	text := d.text("statusCode", "")
	code, err := strconv.Atoi(text)
	if err != nil || code < 200 || code > 599 {
		d.refuse("statusCode", "expected a status code from 200 to 599 as a string, got %q", text)
	}
	return code
}
