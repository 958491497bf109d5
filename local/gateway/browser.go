package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"account-api/local/gateway/field"
)

// safelisted methods need no mention in Access-Control-Allow-Methods.
// https://fetch.spec.whatwg.org/#cors-safelisted-method
var safelisted = []string{http.MethodGet, http.MethodHead, http.MethodPost}

// blocked says why a browser would keep an answer from a page on another origin. It is
// "" when the page can use the answer, and when the request is of no such page.
// https://fetch.spec.whatwg.org/#http-cors-protocol
func blocked(r *http.Request, a answer) string {
	origin := r.Header.Get("Origin")
	if at, err := url.Parse(origin); origin == "" || err == nil && at.Host == r.Host {
		return ""
	}
	wanted := r.Header.Get("Access-Control-Request-Method")
	preflight := r.Method == http.MethodOptions && wanted != ""
	if preflight && (a.status < 200 || a.status > 299) {
		return fmt.Sprintf("the preflight was answered %d, and a browser sends the request only after 200 to 299: declare OPTIONS with a MOCK integration and without an authorizer", a.status)
	}
	allowed := a.get("Access-Control-Allow-Origin")
	switch {
	case len(allowed) == 0:
		return "the answer has no Access-Control-Allow-Origin"
	case len(allowed) > 1:
		return "the answer has more than one Access-Control-Allow-Origin"
	case allowed[0] != "*" && allowed[0] != origin:
		return "Access-Control-Allow-Origin names another origin than the page's"
	case allowed[0] == "*" && slices.Contains(a.get("Access-Control-Allow-Credentials"), "true"):
		return `Access-Control-Allow-Origin "*" is not accepted together with Access-Control-Allow-Credentials`
	}
	if !preflight {
		return ""
	}
	methods := field.List(a.get("Access-Control-Allow-Methods")...)
	if !slices.Contains(safelisted, wanted) && !slices.Contains(methods, strings.ToLower(wanted)) && !slices.Contains(methods, "*") {
		return "Access-Control-Allow-Methods does not name the requested method"
	}
	headers := field.List(a.get("Access-Control-Allow-Headers")...)
	for _, name := range field.List(r.Header.Values("Access-Control-Request-Headers")...) {
		switch {
		case slices.Contains(headers, name):
		case name == "authorization":
			return `Access-Control-Allow-Headers does not name Authorization, which "*" never covers`
		case !slices.Contains(headers, "*"):
			return "Access-Control-Allow-Headers does not name every requested header"
		}
	}
	return ""
}
