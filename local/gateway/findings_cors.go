package gateway

import (
	"slices"
	"strings"
)

// cors finds what keeps browsers out while curl is served.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
func (f *finder) cors() {
	enabled := false // the stack means to serve pages of other origins
	for _, kind := range names(f.api.responses) {
		r := f.api.responses[kind]
		enabled = enabled || r.header("Access-Control-Allow-Origin") != ""
		f.inherits(r)
		if credentials(r.header("Access-Control-Allow-Origin"), r.header("Access-Control-Allow-Credentials")) {
			f.add(r.declared, "name the origin instead of '*', or drop Access-Control-Allow-Credentials", "browsers refuse the answer: %s", starWithCredentials)
		}
	}
	for _, m := range f.methods() {
		if m.verb == "OPTIONS" {
			enabled = true
			f.preflight(m)
		}
	}
	if !enabled {
		return
	}
	for _, m := range f.methods() {
		if m.authorizer == nil || m.verb == "OPTIONS" || m.resource.method("OPTIONS") != nil {
			continue
		}
		f.add(m.declared, "declare OPTIONS on the same resource with Authorization NONE and a MOCK integration",
			"browsers never send %s %s: its preflight is answered 403 Missing Authentication Token", m.verb, m.resource.path)
	}
}

const starWithCredentials = `Access-Control-Allow-Origin "*" together with Access-Control-Allow-Credentials`

// inherits checks that a specific response repeats its family's CORS headers, for
// it inherits none of them.
func (f *finder) inherits(r *gatewayResponse) {
	parent := f.api.responses[family(r.kind)]
	if parent == nil || parent == r {
		return
	}
	for _, h := range parent.headers {
		if strings.HasPrefix(strings.ToLower(h.name), "access-control-") && r.header(h.name) == "" {
			f.add(r.declared, `add "gatewayresponse.header.`+h.name+`" to its ResponseParameters`,
				"%s lacks %s: a specific gateway response replaces %s as a whole, so browsers hide the answer", r.kind, h.name, parent.kind)
		}
	}
}

// preflight checks an OPTIONS method.
func (f *finder) preflight(m *method) {
	if m.authorizer != nil {
		f.add(m.declared, `Authorization: pulumi.String("NONE")`,
			"every preflight is answered 401: browsers never send a token with OPTIONS %s", m.resource.path)
	}
	protected := slices.ContainsFunc(names(m.resource.methods), func(verb string) bool {
		other := m.resource.methods[verb]
		return verb != "OPTIONS" && other.authorizer != nil
	})
	for _, r := range m.integration.responses {
		headers := map[string]string{}
		for name, value := range r.headers {
			headers[strings.ToLower(name)] = value
		}
		if credentials(headers["access-control-allow-origin"], headers["access-control-allow-credentials"]) {
			f.add(r.declared, "name the origin instead of '*', or drop Access-Control-Allow-Credentials", "browsers refuse the preflight: %s", starWithCredentials)
		}
		if allowed := commaList([]string{headers["access-control-allow-headers"]}); protected && !slices.Contains(allowed, "authorization") {
			f.add(r.declared, `"method.response.header.Access-Control-Allow-Headers": pulumi.String("'Authorization'")`,
				`browsers may refuse to send the token: Access-Control-Allow-Headers does not name Authorization, which "*" does not cover`)
		}
	}
}

func credentials(origin, credentials string) bool { return origin == "*" && credentials == "true" }

// header is the literal or the reference that a header is set to; "" when it is not.
func (r *gatewayResponse) header(name string) string {
	for _, h := range r.headers {
		if strings.EqualFold(h.name, name) {
			return h.literal + h.from
		}
	}
	return ""
}
