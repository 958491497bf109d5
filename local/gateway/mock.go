package gateway

import (
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"regexp"
	"strconv"
	"strings"
)

// mockTemplate is a request template of a MOCK integration. Templates that compute
// something (VTL) are refused when the stack is read, so what a template yields is
// known then.
type mockTemplate struct {
	status  int
	problem string // why the template yields no status; "" when it does
}

// vtl reports whether a template is more than literal text.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html
func vtl(template string) bool { return strings.ContainsAny(template, "$#") }

func parseMockTemplates(d declared) map[string]mockTemplate {
	templates := d.texts("requestTemplates")
	parsed := make(map[string]mockTemplate, len(templates))
	for _, contentType := range names(templates) {
		text := templates[contentType]
		if vtl(text) {
			d.refuse("requestTemplates", "%q: a template with $ or # is not modelled: write a literal such as {\"statusCode\": 200}", contentType)
			continue
		}
		var t mockTemplate
		if code, err := mockStatus(text); err != nil {
			t.problem = err.Error()
		} else {
			t.status = code
		}
		parsed[strings.ToLower(contentType)] = t
	}
	return parsed
}

// bareName is an unquoted member name, which API Gateway accepts in mock templates:
// {statusCode: 200}.
var bareName = regexp.MustCompile(`([{,]\s*)([A-Za-z_][A-Za-z0-9_]*)(\s*:)`)

// mockStatus reads the statusCode that a mock's request template must yield.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
func mockStatus(text string) (int, error) {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) != nil {
		quoted := bareName.ReplaceAllString(text, `$1"$2"$3`)
		if json.Unmarshal([]byte(quoted), &object) != nil {
			return 0, fmt.Errorf("the template is not a JSON object")
		}
	}
	code, ok := object["statusCode"].(float64)
	if !ok || code != math.Trunc(code) || code < 100 || code > 599 {
		return 0, fmt.Errorf("the template yields no integer statusCode")
	}
	return int(code), nil
}

func parseIntegrationResponse(d declared) integrationResponse {
	r := integrationResponse{declared: d.Resource, status: status(d, "statusCode"), headers: map[string]string{}}
	if source := d.text("selectionPattern", ""); source != "" {
		pattern, err := compileJava(source)
		if err != nil {
			d.refuse("selectionPattern", "%v", err)
		}
		r.pattern = pattern
	}
	parameters := d.texts("responseParameters")
	for _, key := range names(parameters) {
		name, ok := strings.CutPrefix(key, "method.response.header.")
		literal, isLiteral := quoted(parameters[key])
		switch {
		case !ok || !validHeaderName(name):
			d.refuse("responseParameters", "expected method.response.header.<name>, got %q", key)
		case !isLiteral || !validHeaderText(literal):
			d.refuse("responseParameters", "%q: only a literal in single quotes is modelled: write '…'", key)
		default:
			r.headers[name] = literal
		}
	}
	templates := d.texts("responseTemplates")
	for _, contentType := range names(templates) {
		switch {
		case !strings.EqualFold(contentType, "application/json"):
			d.refuse("responseTemplates", "only application/json is modelled, got %q: remove it", contentType)
		case vtl(templates[contentType]):
			d.refuse("responseTemplates", "a template with $ or # is not modelled: write literal text")
		default:
			r.body = templates[contentType]
		}
	}
	return r
}

// mock answers from a MOCK integration: the request template yields a status, the
// status selects an integration response, and that one's status is answered.
func (c *call) mock(i *integration) (answer, *fault) {
	contentType := "application/json"
	if sent := c.request.Header.Get("Content-Type"); sent != "" {
		contentType = sent
		if media, _, err := mime.ParseMediaType(sent); err == nil {
			contentType = media
		}
	}
	c.exchange.AnsweredBy = "mock"
	template, ok := i.templates[strings.ToLower(contentType)]
	if !ok {
		if i.passthrough == "NEVER" || i.passthrough == "WHEN_NO_TEMPLATES" && len(i.templates) > 0 {
			return answer{}, newFault(unsupportedMediaType, fmt.Sprintf("no request template for the request's content type, and passthroughBehavior is %s", i.passthrough))
		}
		code, err := mockStatus(string(c.body))
		if err != nil {
			return answer{}, mockFault("no request template for the request's content type, so the body is passed through, and it is no {\"statusCode\": …}")
		}
		template = mockTemplate{status: code}
	}
	if template.problem != "" {
		return answer{}, mockFault(template.problem)
	}
	response := i.selects(template.status)
	if response == nil {
		return answer{}, mockFault(fmt.Sprintf("no integration response matches status %d and none is the default", template.status))
	}
	out := answer{status: response.status, body: []byte(response.body)}
	out.set("Content-Type", "application/json")
	allowed := c.match.method.responses[strconv.Itoa(response.status)].headers
	for _, name := range names(response.headers) {
		if _, ok := allowed[name]; ok {
			out.set(name, response.headers[name])
		}
	}
	c.step("mock", "template yields %d, integration response %s answers %d", template.status, response.declared.Name, response.status)
	c.exchange.Reason = "answered by the gateway itself, without a function"
	return out, nil
}

func mockFault(reason string) *fault { return newFault(apiConfigurationError, reason) }

func ptr[T any](v T) *T { return &v }

// selects picks the integration response for a status: a pattern that matches it
// as a whole, else the default.
func (i *integration) selects(status int) *integrationResponse {
	var fallback *integrationResponse
	for n := range i.responses {
		r := &i.responses[n]
		switch {
		case r.pattern == nil:
			fallback = r
		case matchesWhole(r.pattern, strconv.Itoa(status)):
			return r
		}
	}
	return fallback
}
