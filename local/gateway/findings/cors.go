package findings

import (
	"slices"
	"strings"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/field"
)

// preflights finds what stops a browser and does not stop curl.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
func preflights(f *finder) {
	enabled := false // the stack serves pages of other origins
	for _, r := range f.api.Responses {
		_, allows := r.Sets("Access-Control-Allow-Origin")
		enabled = enabled || allows
	}
	for _, m := range f.api.Methods {
		if m.Verb == "OPTIONS" {
			enabled = true
			preflight(f, m)
		}
	}
	for _, m := range f.api.Methods {
		if enabled && m.Authorizer != nil && m.Verb != "OPTIONS" && !sibling(f, m, func(other *declaration.Method) bool { return other.Answers("OPTIONS") }) {
			f.add(declaration.TypeMethod, m.Declared, "declare OPTIONS on the same resource with Authorization NONE and a MOCK integration",
				"browsers never send %s %s: its preflight is answered 403 Missing Authentication Token", m.Verb, m.Path)
		}
	}
}

// preflight checks an OPTIONS method.
func preflight(f *finder, m *declaration.Method) {
	if m.Authorizer != nil {
		f.add(declaration.TypeMethod, m.Declared, `Authorization: pulumi.String("NONE")`,
			"every preflight is answered 401: browsers never send a token with OPTIONS %s", m.Path)
	}
	if m.Integration.Mock == nil {
		return
	}
	protected := sibling(f, m, func(other *declaration.Method) bool { return other != m && other.Authorizer != nil })
	for _, r := range m.Integration.Mock.Responses {
		headers := map[string]string{}
		for _, h := range r.Headers {
			headers[strings.ToLower(h.Name)] = h.Value
		}
		if refused(headers["access-control-allow-origin"], headers["access-control-allow-credentials"]) {
			f.add(declaration.TypeIntegrationResponse, r.Declared, nameOrigin, "browsers refuse the preflight: %s", starWithCredentials)
		}
		if slices.Contains(field.List(headers["access-control-allow-methods"]), "any") {
			f.add(declaration.TypeIntegrationResponse, r.Declared, "name the methods: '"+strings.Join(declaration.Verbs, ",")+"'",
				"browsers refuse to send every method but GET, HEAD and POST: ANY is no method to them")
		}
		if protected && !slices.Contains(field.List(headers["access-control-allow-headers"]), "authorization") {
			f.add(declaration.TypeIntegrationResponse, r.Declared, `"method.response.header.Access-Control-Allow-Headers": pulumi.String("'Authorization'")`,
				`browsers may refuse to send the token: Access-Control-Allow-Headers does not name Authorization, which "*" does not cover`)
		}
	}
}

// sibling reports whether a method of the same resource meets a condition.
func sibling(f *finder, m *declaration.Method, meets func(*declaration.Method) bool) bool {
	return slices.ContainsFunc(f.api.Methods, func(other *declaration.Method) bool { return other.Path == m.Path && meets(other) })
}
