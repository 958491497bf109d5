package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// match is a route: the resource, its method and what the path parameters bind.
type match struct {
	resource   *resource
	method     *method
	parameters map[string]string // nil when the path has none
}

// splitStage separates "/dev/profile" into "dev" and "/profile". The path is the
// escaped one: a slash that was sent as %2F separates nothing.
func splitStage(escaped string) (stage, path string) {
	stage, rest, _ := strings.Cut(strings.TrimPrefix(escaped, "/"), "/")
	return stage, "/" + rest
}

// effectiveVerb is the method that the gateway acts on: API Gateway lets a header
// replace it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func effectiveVerb(r *http.Request) string {
	if verb := r.Header.Get("X-Http-Method-Override"); slices.Contains(anyVerb, verb) {
		return verb
	}
	return r.Method
}

// route finds the method for a verb and a path below the stage. A static part wins
// over {name}, which wins over {name+}; a resource that lacks the verb gives way to
// the next. Trailing slashes do not count; empty parts elsewhere do.
func (a *api) route(verb, path string) (match, bool) {
	trimmed := strings.Trim(path, "/")
	var parts []string
	if trimmed != "" {
		// Only the slash that every path starts with is no part of it.
		parts = strings.Split(strings.TrimRight(strings.TrimPrefix(path, "/"), "/"), "/")
	}
	m := match{}
	if !m.walk(a.root, verb, parts) {
		return match{}, false
	}
	return m, true
}

func (m *match) walk(r *resource, verb string, parts []string) bool {
	if len(parts) == 0 {
		m.resource, m.method = r, r.method(verb)
		return m.method != nil
	}
	part := parts[0]
	if child := r.static[part]; child != nil && m.walk(child, verb, parts[1:]) {
		return true
	}
	if child := r.variable; child != nil && part != "" && m.walk(child, verb, parts[1:]) {
		m.bind(child.parameter, part)
		return true
	}
	if child := r.greedy; child != nil {
		if method := child.method(verb); method != nil {
			m.resource, m.method = child, method
			m.bind(child.parameter, strings.Join(parts, "/"))
			return true
		}
	}
	return false
}

func (m *match) bind(name, escaped string) {
	if m.parameters == nil {
		m.parameters = map[string]string{}
	}
	value, err := url.PathUnescape(escaped)
	if err != nil {
		value = escaped
	}
	m.parameters[name] = value
}

// method returns the method for a verb: its own, or ANY for those that ANY stands for.
func (r *resource) method(verb string) *method {
	if m := r.methods[verb]; m != nil && verb != "ANY" {
		return m
	}
	if slices.Contains(anyVerb, verb) {
		return r.methods["ANY"]
	}
	return nil
}

// sourcePath is the resource's path as it stands in the ARN of the caller that a
// function's resource policy sees: "*" for a path parameter.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (r *resource) sourcePath() string {
	parts := strings.Split(r.path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, "/")
}
