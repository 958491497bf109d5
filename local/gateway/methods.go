package gateway

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// anyVerb is what ANY stands for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html
var anyVerb = []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// The integration timeout that AWS allows without a raised quota.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	shortestIntegration = 50     // ms
	longestIntegration  = 29_000 // ms, also the default
)

func (l *loader) loadMethods() {
	validators := map[string]bool{} // ID → validates parameters
	l.each(typeRequestValidator, func(d declared) { validators[d.ID] = d.boolean("validateRequestParameters") })
	l.methods = map[string]*method{}
	l.each(typeMethod, func(d declared) {
		r := l.resources[d.text("resourceId", "")]
		if r == nil {
			d.refuse("resourceId", "names no resource of the API: use an apigateway.Resource's ID")
			return
		}
		m := &method{declared: d.Resource, resource: r, verb: d.text("httpMethod", ""),
			operationName: d.text("operationName", ""), responses: map[string]methodResponse{}}
		if m.verb != "ANY" && !slices.Contains(anyVerb, m.verb) {
			d.refuse("httpMethod", "expected ANY or one of %s, got %q", strings.Join(anyVerb, ", "), m.verb)
			return
		}
		if r.methods[m.verb] != nil {
			d.refuse("httpMethod", "%s %s is declared twice: keep one", m.verb, r.path)
		}
		switch authorization, id := d.text("authorization", ""), d.text("authorizerId", ""); {
		case authorization == "":
			d.refuse("authorization", "is missing: say NONE or CUSTOM")
		case authorization == "CUSTOM":
			if m.authorizer = l.api.authorizers[id]; m.authorizer == nil {
				d.refuse("authorizerId", "names no authorizer of the API: use an apigateway.Authorizer's ID")
			}
		case id != "":
			d.refuse("authorizerId", "has no effect with authorization NONE, so the method would be open: say CUSTOM or remove it")
		}
		l.parameters(d, m, validators)
		r.methods[m.verb], l.methods[r.id+" "+m.verb] = m, m
	})
}

// parameters reads what a request validator insists on. Without a validator, a
// required parameter is documentation.
func (l *loader) parameters(d declared, m *method, validators map[string]bool) {
	required := d.booleans("requestParameters")
	for _, name := range names(required) {
		p, ok := parseParameter(name)
		if !ok {
			d.refuse("requestParameters", "expected method.request.header|querystring|path.<name>, got %q", name)
		}
		if required[name] {
			m.required = append(m.required, p)
		}
	}
	id := d.text("requestValidatorId", "")
	validates, known := validators[id]
	if id != "" && !known {
		d.refuse("requestValidatorId", "names no validator of the API: use an apigateway.RequestValidator's ID")
	}
	if !validates {
		m.required = nil
	}
}

// parseParameter reads "method.request.header.X" and its siblings.
func parseParameter(s string) (parameter, bool) {
	rest, ok := strings.CutPrefix(s, "method.request.")
	in, name, found := strings.Cut(rest, ".")
	known := in == "header" || in == "querystring" || in == "path"
	return parameter{in, name}, ok && found && known && name != ""
}

// method resolves the method that a resource is about.
func (l *loader) method(d declared) *method {
	m := l.methods[d.text("resourceId", "")+" "+d.text("httpMethod", "")]
	if m == nil {
		d.refuse("httpMethod", "names no method of the API: use the ResourceId and HttpMethod of an apigateway.Method")
	}
	return m
}

func (l *loader) loadMethodResponses() {
	l.each(typeMethodResponse, func(d declared) {
		m := l.method(d)
		if m == nil {
			return
		}
		response := methodResponse{declared: d.Resource, headers: map[string]bool{}}
		parameters := d.booleans("responseParameters")
		for _, name := range names(parameters) {
			header, ok := strings.CutPrefix(name, "method.response.header.")
			if !ok || !validHeaderName(header) {
				d.refuse("responseParameters", "expected method.response.header.<name>, got %q", name)
			}
			response.headers[header] = parameters[name]
		}
		m.responses[d.text("statusCode", "")] = response
	})
}

func (l *loader) loadIntegrations() {
	l.each(typeIntegration, func(d declared) {
		m := l.method(d)
		if m == nil {
			return
		}
		if m.integration != nil {
			d.refuse("httpMethod", "%s %s has two integrations: keep one", m.verb, m.resource.path)
		}
		i := &integration{declared: d.Resource, mock: d.text("type", "") == "MOCK",
			httpMethod:  d.text("integrationHttpMethod", ""),
			passthrough: d.text("passthroughBehavior", "WHEN_NO_MATCH"),
			timeout:     time.Duration(d.integer("timeoutMilliseconds", longestIntegration, shortestIntegration, longestIntegration)) * time.Millisecond,
		}
		if d.text("type", "") == "" {
			d.refuse("type", "is missing: say AWS_PROXY or MOCK")
		}
		if i.mock {
			i.templates = parseMockTemplates(d)
		} else {
			i.function = l.invoked(d, "uri")
			if i.httpMethod == "" {
				d.refuse("integrationHttpMethod", "is missing: a function is called with POST")
			}
		}
		m.integration = i
	})
}

func (l *loader) loadIntegrationResponses() {
	l.each(typeIntegrationResponse, func(d declared) {
		m := l.method(d)
		if m == nil || m.integration == nil {
			return
		}
		response := parseIntegrationResponse(d)
		for _, other := range m.integration.responses {
			if other.pattern == nil && response.pattern == nil {
				d.refuse("selectionPattern", "%s is the default as well: give one of them a pattern", other.declared.Name)
			}
		}
		m.integration.responses = append(m.integration.responses, response)
	})
}

// status reads a status code, which Pulumi declares as text.
func status(d declared, property string) int {
	text := d.text(property, "")
	code, err := strconv.Atoi(text)
	if err != nil || code < 200 || code > 599 {
		d.refuse(property, "expected a status code from 200 to 599 as a string, got %q", text)
	}
	return code
}
