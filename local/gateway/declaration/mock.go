package declaration

import (
	"encoding/json"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"account-api/local/gateway/field"
)

// Mock is what a MOCK integration answers with. Its request template yields a status,
// and that status selects a response.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
type Mock struct {
	Passthrough string                  // passthroughBehavior
	Templates   map[string]MockTemplate // by content type
	Responses   []IntegrationResponse
}

// Select returns the response whose pattern matches a status as a whole, else the
// default, else nil.
func (m *Mock) Select(status int) *IntegrationResponse {
	var fallback *IntegrationResponse
	for i := range m.Responses {
		switch r := &m.Responses[i]; {
		case r.Pattern == nil:
			fallback = r
		case r.Pattern.Matches(strconv.Itoa(status)):
			return r
		}
	}
	return fallback
}

func readMock(d declared) *Mock {
	m := &Mock{Passthrough: d.text("passthroughBehavior", "WHEN_NO_MATCH"), Templates: map[string]MockTemplate{}}
	types, templates := members[string](d, "requestTemplates")
	for _, contentType := range types {
		if vtl(templates[contentType]) {
			d.refuse("requestTemplates", "%q: a template with $ or # is not modelled: write a literal such as {\"statusCode\": 200}", contentType)
		}
		m.Templates[strings.ToLower(contentType)] = ParseMockTemplate(templates[contentType])
	}
	return m
}

// vtl reports whether a template is more than literal text.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
func vtl(template string) bool { return strings.ContainsAny(template, "$#") }

// MockTemplate is the request template of a mock.
type MockTemplate struct {
	Status int
	Err    error // why the template yields no status; nil when it does
}

// bareName is an unquoted member name, which API Gateway accepts in mock templates:
// {statusCode: 200}.
var bareName = regexp.MustCompile(`([{,]\s*)([A-Za-z_][A-Za-z0-9_]*)(\s*:)`)

// ParseMockTemplate reads the statusCode of a template, or of a body that is passed
// through in its place.
func ParseMockTemplate(text string) MockTemplate {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil && json.Unmarshal([]byte(bareName.ReplaceAllString(text, `$1"$2"$3`)), &object) != nil {
		return MockTemplate{Err: errors.New("the template is not a JSON object")}
	}
	code, ok := object["statusCode"].(float64)
	if !ok || code != math.Trunc(code) || code < 100 || code > 599 {
		return MockTemplate{Err: errors.New("the template yields no integer statusCode")}
	}
	return MockTemplate{Status: int(code)}
}

// IntegrationResponse is one answer of a mock.
type IntegrationResponse struct {
	Declared string      // logical name in the program
	Pattern  *Expression // nil = the default
	Status   int
	Headers  []MappedHeader
	Body     string
}

// MappedHeader is a header that a mock answers, with its literal value.
type MappedHeader struct{ Name, Value string }

func readIntegrationResponse(d declared) IntegrationResponse {
	r := IntegrationResponse{Declared: d.Name, Status: status(d), Pattern: readExpression(d, "selectionPattern")}
	keys, parameters := members[string](d, "responseParameters")
	for _, key := range keys {
		literal, isLiteral := unquote(parameters[key])
		if !isLiteral || !field.ValidValue(literal) {
			d.refuse("responseParameters", "%q: only a literal in single quotes is modelled: write '…'", key)
		}
		r.Headers = append(r.Headers, MappedHeader{d.headerIn("responseParameters", key, "method.response.header."), literal})
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
