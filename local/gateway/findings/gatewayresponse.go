package findings

import (
	"maps"
	"slices"
	"strings"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
)

// gatewayResponses finds those that hide an answer from its client.
func gatewayResponses(f *finder) {
	for _, kind := range slices.Sorted(maps.Keys(f.api.Responses)) {
		r := f.api.Responses[kind]
		inheritsNothing(f, r)
		origin, _ := r.Sets("Access-Control-Allow-Origin")
		credentials, _ := r.Sets("Access-Control-Allow-Credentials")
		if refused(origin, credentials) {
			f.add(declaration.TypeGatewayResponse, r.Declared, nameOrigin, "browsers refuse the answer: %s", starWithCredentials)
		}
		if r.Status >= 200 && r.Status < 300 {
			f.add(declaration.TypeGatewayResponse, r.Declared, "remove StatusCode, so that each type keeps its own", "a refused request is answered %d, which clients take for success", r.Status)
		}
		if kind == gatewayresponse.RequestTooLarge {
			f.add(declaration.TypeGatewayResponse, r.Declared, "remove it", "it has no effect: this type cannot be customised")
		}
	}
}

// inheritsNothing checks that a specific response repeats the CORS headers of its family.
func inheritsNothing(f *finder, r *gatewayresponse.Response) {
	family := f.api.Responses[r.Type.Family()]
	if family == nil || family == r {
		return
	}
	for _, h := range family.Headers {
		if _, ok := r.Sets(h.Name); !ok && strings.HasPrefix(strings.ToLower(h.Name), "access-control-") {
			f.add(declaration.TypeGatewayResponse, r.Declared, `add "gatewayresponse.header.`+h.Name+`" to its ResponseParameters`,
				"%s lacks %s: a specific gateway response replaces %s as a whole, so browsers hide the answer", r.Type, h.Name, family.Type)
		}
	}
}

// refused reports whether browsers refuse a pair of CORS headers.
// https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
func refused(origin, credentials string) bool { return origin == "*" && credentials == "true" }

const (
	starWithCredentials = `Access-Control-Allow-Origin "*" together with Access-Control-Allow-Credentials`
	nameOrigin          = "name the origin instead of '*', or drop Access-Control-Allow-Credentials"
)
