package gateway

import (
	"net/http"
	"slices"
	"strings"

	"account-api/local/gateway/declaration"
)

// match is a route: the resource, its method and what the path parameters bind.
type match struct {
	resource   *declaration.Resource
	method     *declaration.Method
	parameters map[string]string // nil when the path has none
}

// splitStage separates "/live/books" into "live" and "/books". The path is the
// escaped one: a slash that was sent as %2F separates nothing. Slashes before the stage
// do not count.
func splitStage(escaped string) (stage, path string) {
	stage, rest, _ := strings.Cut(strings.TrimLeft(escaped, "/"), "/")
	return stage, "/" + rest
}

// effectiveVerb is the method that the gateway acts on: API Gateway lets a header
// replace it.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func effectiveVerb(r *http.Request) string {
	if verb := r.Header.Get("X-Http-Method-Override"); slices.Contains(declaration.Verbs, verb) {
		return verb
	}
	return r.Method
}

// route finds the method for a verb and a path below the stage. A static part wins
// over {name}, which wins over {name+}. A resource that lacks the verb gives way to
// the next. Trailing slashes do not count; empty parts elsewhere do.
func route(root *declaration.Resource, verb, path string) (m match, ok bool) {
	var parts []string
	if strings.Trim(path, "/") != "" {
		// Only the slash that every path starts with is no part of it.
		parts = strings.Split(strings.TrimRight(strings.TrimPrefix(path, "/"), "/"), "/")
	}
	ok = m.walk(root, verb, parts)
	return m, ok
}

func (m *match) walk(r *declaration.Resource, verb string, parts []string) bool {
	if len(parts) == 0 {
		m.resource, m.method = r, r.Method(verb)
		return m.method != nil
	}
	part := parts[0]
	if child := r.Static[part]; child != nil && m.walk(child, verb, parts[1:]) {
		return true
	}
	if child := r.Variable; child != nil && part != "" && m.walk(child, verb, parts[1:]) {
		m.bind(child.Parameter, part)
		return true
	}
	if child := r.Greedy; child != nil {
		if method := child.Method(verb); method != nil {
			m.resource, m.method = child, method
			m.bind(child.Parameter, strings.Join(parts, "/"))
			return true
		}
	}
	return false
}

// bind keeps the value as it was sent: a REST API decodes query strings, not path
// parameters (recorded from AWS: https://github.com/aws/aws-sam-cli/issues/771).
func (m *match) bind(name, escaped string) {
	if m.parameters == nil {
		m.parameters = map[string]string{}
	}
	m.parameters[name] = escaped
}
