package main

import (
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Kinds of request, as a server sees them.
func isPreflight(r *http.Request) bool { return r.Method == http.MethodOptions }
func atOrders(r *http.Request) bool    { return r.URL.Path == "/test/orders" }
func noToken(r *http.Request) bool {
	return r.Header["Authorization"] == nil && r.Header["X-Token"] == nil
}
func hasToken(r *http.Request) bool { return !noToken(r) }

// on changes the answers to those requests that all conditions hold for.
func on(change func(*reply), conditions ...func(*http.Request) bool) func(*http.Request, *reply) {
	return func(r *http.Request, a *reply) {
		for _, holds := range conditions {
			if !holds(r) {
				return
			}
		}
		change(a)
	}
}

func at(p string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Path == p }
}

func override(v string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("X-Http-Method-Override") == v }
}

func answered(status int) func(*reply) {
	return func(a *reply) {
		a.status, a.body = status, `{"message":"otherwise"}`
		a.header.Del(errorType)
	}
}

func with(name, value string) func(*reply) { return func(a *reply) { a.header.Set(name, value) } }
func lacking(name string) func(*reply)     { return func(a *reply) { a.header.Del(name) } }

// onStatus changes the answers that have a status.
func onStatus(status int, change func(*reply)) func(*http.Request, *reply) {
	return func(_ *http.Request, a *reply) {
		if a.status == status {
			change(a)
		}
	}
}

// everywhere changes every answer.
func everywhere(change func(*reply)) func(*http.Request, *reply) { return on(change) }

// remembers returns a server with a mistake that needs two requests: once it saw first,
// it answers otherwise to then.
func remembers(first, then func(*http.Request) bool, status int) func(*http.Request, *reply) {
	var mu sync.Mutex
	seen := false
	return func(r *http.Request, a *reply) {
		mu.Lock()
		defer mu.Unlock()
		if seen && then(r) {
			answered(status)(a)
		}
		seen = first(r)
	}
}

func bearer(token string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("Authorization") == "Bearer "+token }
}

// deniedOnce is a request that the fixture's policies deny.
func deniedOnce(r *http.Request) bool {
	return bearer(clerk)(r) && atOrders(r) || r.Header.Get("X-Token") == "Bearer "+reader
}

// Every case differs from some server that is wrong in one way only.
func TestWrongServers(t *testing.T) {
	const group = "GET /orders without a token: "
	toOrders := func(verb string) func(*http.Request) bool {
		return func(r *http.Request) bool {
			return atOrders(r) && r.Method == verb && r.Header.Get("X-Http-Method-Override") == ""
		}
	}
	rows := []struct {
		name    string
		mutate  func(*http.Request, *reply)
		differs []string
	}{
		{"another body of 401", on(func(a *reply) { a.body = `{"message":"unauthorized"}` }, toOrders("GET"), noToken), []string{"recorded: The header with the token: without the header it is 401, and the authorizer is not called"}},
		{"no error type", onStatus(401, lacking(errorType)), []string{"recorded: The header with the token: without the header it is 401, and the authorizer is not called"}},
		{"another challenge", onStatus(401, with("Www-Authenticate", "Basic")), []string{group + "it challenges for a bearer token", "other methods: PUT /orders without a token: 401"}},
		{"no CORS headers on 401", onStatus(401, lacking("Access-Control-Allow-Origin")), []string{group + "a page on the allowed origin may read it"}},
		{"another origin on 401 than declared", onStatus(401, with("Access-Control-Allow-Origin", "*")), []string{group + "a page on the allowed origin may read it"}},
		{"no Vary next to one origin", everywhere(lacking("Vary")), []string{group + "a page on the allowed origin may read it", "preflight: /orders: it allows the declared origin"}},
		{"a hidden challenge", onStatus(401, with("Access-Control-Expose-Headers", "x-amzn-RequestId")), []string{group + "such a page may read request ID and challenge"}},
		{"a query is an error", on(answered(400), func(r *http.Request) bool { return r.URL.RawQuery != "" }), []string{"recorded: The header with the token: a query string changes nothing about that", "recorded: The header with the token: a query parameter is no token", "recorded: Limits: a URL of 8,000 characters passes"}},

		{"an authorizer that accepts everything", on(func(a *reply) { a.status, a.body = 200, "{}" }, hasToken), slices.Concat(
			named(t, "GET /orders with refused tokens"),
			slices.DeleteFunc(named(t, "other methods"), func(name string) bool {
				return strings.HasSuffix(name, "without a token: 401") || strings.HasSuffix(name, "needs no token")
			}),
			[]string{"misuse of a token: with a lower-case scheme: 401", "misuse of a token: after two spaces: 401", "misuse of a token: without its scheme: 401", "misuse of a token: twice in one header: 401"})},
		{"an expression that matches everything", on(answered(403), atOrders), named(t, "recorded: The header with the token")},
		{"a server that tidies slashes up", on(answered(301), func(r *http.Request) bool { return strings.Contains(r.URL.Path, "//") }), []string{
			"recorded: Paths and verbs: a slash before the stage does not count", "recorded: Paths and verbs: a second slash after the stage does not count"}},
		{"small buffers", on(answered(431), func(r *http.Request) bool { return len(r.Header.Get("X-A")) > 4096 }), []string{
			"recorded: Limits: header values of 10,000 bytes together pass"}},
		{"an open PUT", on(answered(200), toOrders("PUT")), []string{"other methods: PUT /orders without a token: 401"}},
		{"a second path without an authorizer", on(answered(200), noToken, at("/test/orders/conform/lines")), []string{"other methods: GET /orders/{order}/lines without a token: 401"}},
		{"a second authorizer that is missing", on(answered(200), noToken, at("/test/reports")), []string{"other methods: GET /reports without a token: 401"}},
		{"an open method that is closed", on(answered(401), at("/test/health")), []string{"other methods: GET /health needs no token"}},

		{"a preflight that needs a token", on(answered(401), isPreflight), []string{
			"preflight: /orders: it is 200 or 204 without a token", "preflight: /orders/{order}/lines: it is 200 or 204 without a token"}},
		{"a preflight without an origin", on(lacking("Access-Control-Allow-Origin"), isPreflight), []string{
			"preflight: /orders: it allows the declared origin", "preflight: /orders/{order}/lines: it allows the declared origin"}},
		{"a preflight without the PUT", on(with("Access-Control-Allow-Methods", "GET"), isPreflight), []string{"preflight: /orders: it allows the declared methods and no other"}},
		{"a preflight for one method too many", on(with("Access-Control-Allow-Methods", "GET,PUT"), isPreflight), []string{"preflight: /orders/{order}/lines: it allows the declared methods and no other"}},
		{"a preflight with a wildcard for headers", on(with("Access-Control-Allow-Headers", "*"), isPreflight), []string{
			"preflight: /orders: it allows the token's header by name, which * does not cover", "preflight: /orders/{order}/lines: it allows the token's header by name, which * does not cover"}},
		{"a preflight for every call", on(with("Access-Control-Max-Age", "5"), isPreflight), []string{"preflight: a browser may keep it for a minute or more"}},
		{"a preflight that reflects the origin", func(r *http.Request, a *reply) {
			if isPreflight(r) {
				a.header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			}
		}, []string{"preflight: /orders: it allows the declared origin"}},
		{"a preflight by a function", on(with(traceID, "Root=1-00000000-000000000000000000000000"), isPreflight), []string{"preflight: API Gateway answers it alone, so it has no trace"}},
		{"a preflight for every path", on(answered(204), isPreflight, at("/test/no-such-path")), []string{"recorded: Paths and verbs: a preflight for an unknown path is 403"}},
		{"a preflight without IDs", on(func(a *reply) { a.header.Del(requestID); a.header.Del(extendedID) }, isPreflight), []string{"preflight: it has both request IDs"}},

		{"404 for an unknown path", on(answered(404), at("/test/no-such-path")), []string{"recorded: Paths and verbs: an unknown path is 403, not 404", "recorded: Paths and verbs: a token does not make an unknown path known", "recorded: The answer's headers: an unknown path has a request ID"}},
		{"a path that goes on", on(answered(401), at("/test/orders/no-such-path")), []string{"recorded: Paths and verbs: a path below the endpoint is another path"}},
		{"a path in any case", on(answered(401), at("/test/ORDERS")), []string{"recorded: Paths and verbs: a path knows upper and lower case"}},
		{"no CORS headers on 403", onStatus(403, lacking("Access-Control-Allow-Origin")), []string{
			"routing: a page on the allowed origin may read a 403", "what policies decide: GET /orders with TOKEN_WITHOUT_SCOPE: a page on the allowed origin may read that"}},
		{"a slash that counts", on(answered(404), at("/test/orders/")), []string{"recorded: Paths and verbs: a trailing slash is the same path"}},
		{"405 for POST", on(answered(405), toOrders("POST")), []string{"routing: POST /orders is 403, not 405", "recorded: Paths and verbs: a verb that the path lacks is 403, not 405"}},
		{"405 for PATCH", on(answered(405), toOrders("PATCH")), []string{"routing: PATCH /orders is 403, not 405"}},
		{"405 for DELETE", on(answered(405), toOrders("DELETE")), []string{"routing: DELETE /orders is 403, not 405"}},
		{"HEAD as GET", on(answered(401), toOrders("HEAD")), []string{"routing: HEAD /orders is 403, not 405", "recorded: Paths and verbs: GET does not imply HEAD"}},
		{"405 on every other path", on(answered(405), func(r *http.Request) bool { return !atOrders(r) && (r.Method == "POST" || r.URL.Path == "/test/admin") }), []string{
			"routing: POST /orders/{order}/lines is 403, not 405", "routing: POST /reports is 403, not 405",
			"routing: POST /health is 403, not 405", "routing: GET /admin is 403, not 405"}},
		{"an ignored override to GET", on(answered(403), override("GET")), []string{"recorded: Paths and verbs: X-HTTP-Method-Override makes another method of the one that was sent"}},
		{"an ignored override to POST", on(answered(401), override("POST")), []string{"recorded: Paths and verbs: X-HTTP-Method-Override can name a method that is not declared"}},
		{"404 for an unknown stage", on(answered(404), at("/no-such-stage/orders")), []string{"recorded: Paths and verbs: an unknown stage is 403 and Forbidden"}},
		{"a page without a stage", on(answered(200), at("/")), []string{"recorded: Paths and verbs: no stage at all is 403 and Forbidden"}},

		{"the same request ID for all", everywhere(with(requestID, "00000000-0000-4000-8000-000000000000")), []string{"headers: x-amzn-RequestId is a UUID, another one each time"}},
		{"a request ID of another form", everywhere(func(a *reply) { a.header.Set(requestID, strings.TrimPrefix(a.header.Get(requestID), "0")) }), []string{"headers: x-amzn-RequestId is a UUID, another one each time"}},
		{"the same extended ID for all", everywhere(with(extendedID, "N7Sb5GwpDoEEf9A=")), []string{"headers: x-amz-apigw-id is an ID, another one each time"}},
		{"no trace", everywhere(lacking(traceID)), []string{"recorded: The answer's headers: a refusal has request ID, extended ID and trace", "what policies decide: GET /orders with TOKEN: that can be traced", "what policies decide: GET /orders with TOKEN_WITHOUT_SCOPE: that can be traced"}},
		{"another content type", everywhere(with("Content-Type", "text/html")), []string{
			"recorded: The header with the token: an Accept for HTML still gets JSON", "recorded: The answer's headers: a refusal is JSON", "what policies decide: GET /orders with TOKEN is allowed: answered", "what policies decide: GET /orders with TOKEN_WITHOUT_SCOPE is denied: 403 with the reasons"}},

		{"a function that fails", onStatus(200, answered(500)), []string{"what policies decide: GET /orders with TOKEN is allowed: answered", "what policies decide: GET /reports with TOKEN_WITHOUT_SCOPE is allowed: answered"}},
		{"a policy that denies everybody", onStatus(200, answered(403)), []string{"what policies decide: GET /orders with TOKEN is allowed: answered"}},
		{"a policy that allows everybody", on(answered(200), hasToken), []string{
			"what policies decide: GET /reports with TOKEN is denied: 403 with the reasons", "what policies decide: GET /orders with TOKEN_WITHOUT_SCOPE is denied: 403 with the reasons"}},
		{"another reason", on(func(a *reply) { a.body = `{"message":"Forbidden"}` }, bearer(clerk)), []string{"what policies decide: GET /orders with TOKEN_WITHOUT_SCOPE is denied: 403 with the reasons"}},
		{"a good token that is refused", on(answered(401), at("/test/orders/conform/lines"), hasToken), []string{
			"what policies decide: GET /orders/{order}/lines with TOKEN has no policy or authorizer of this checkout: not 401",
			"what policies decide: GET /orders/{order}/lines with TOKEN_WITHOUT_SCOPE has no policy or authorizer of this checkout: not 401"}},
		{"no CORS headers on 200", onStatus(200, lacking("Access-Control-Allow-Origin")), []string{"what policies decide: GET /orders with TOKEN: a page on the allowed origin may read that"}},
		{"answers that may be cached", everywhere(with("Cache-Control", "max-age=60")), []string{"what policies decide: GET /orders with TOKEN: no cache may keep that", "what policies decide: GET /orders with TOKEN_WITHOUT_SCOPE: no cache may keep that"}},
		{"a session after the first token", remembers(bearer(reader), noToken, 200), []string{"misuse of a token: the next request without it is 401"}},
		{"a denial that stays", remembers(deniedOnce, hasToken, 403), []string{"what policies decide: GET /orders is answered right after it was denied to another caller", "what policies decide: GET /reports is answered right after it was denied to another caller"}},
	}
	covered := map[string]bool{}
	for _, row := range rows {
		for _, name := range row.differs {
			covered[name] = true
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := invoke(t, newClient(), both(), "-url", serve(t, row.mutate))
			found := differing(r.out)
			for _, name := range row.differs {
				if !found[name] {
					t.Errorf("expected %q to differ, got %q", name, slices.Sorted(maps.Keys(found)))
				}
			}
			if r.status != exitDiffers {
				t.Errorf("expected exit status %d, got %d: %s", exitDiffers, r.status, r.errs)
			}
		})
	}
	t.Run("and there is one for every case", func(t *testing.T) {
		for _, name := range named(t, "") {
			if !covered[name] {
				t.Errorf("no wrong server shows that %q can differ", name)
			}
		}
	})
}

// named are the names of the fixture's cases, of a group or of all.
func named(t *testing.T, group string) (names []string) {
	t.Helper()
	target, err := parseTarget("http://127.0.0.1/test")
	if err != nil {
		t.Fatal(err)
	}
	d, err := readGraph(shop())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.locate(d); err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(t.Context(), settings{target: target, root: checkout(t, shop()), tokens: [2]token{{"TOKEN", reader}, {"TOKEN_WITHOUT_SCOPE", clerk}}}, d, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range p.cases {
		if group == "" || k.group == group {
			names = append(names, k.group+": "+k.name)
		}
	}
	return names
}

// A page on any origin may read what allows any origin, but not with credentials.
func TestAnyOrigin(t *testing.T) {
	g := shop()
	for _, r := range g.Resources {
		if r.Name == "4XX" {
			r.Inputs["responseParameters"] = map[string]any{"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}
		}
	}
	root := checkout(t, g)
	for _, row := range []struct {
		name   string
		mutate func(*reply)
		status int
	}{
		{"without Vary", func(a *reply) { a.header.Set("Access-Control-Allow-Origin", "*"); a.header.Del("Vary") }, exitConforms},
		{"with credentials", func(a *reply) {
			a.header.Set("Access-Control-Allow-Origin", "*")
			a.header.Set("Access-Control-Allow-Credentials", "true")
		}, exitDiffers},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invokeIn(t, root, newClient(), both(), "-graph", filepath.Join(root, "graph.json"), "-url", serve(t, everywhere(row.mutate)))
			if r.status != row.status {
				t.Errorf("expected exit status %d, got %d:\n%s%s", row.status, r.status, r.out, r.errs)
			}
		})
	}
}

// A server that sends back what it got must not make the table show a token.
func TestEchoedTokensAreRedacted(t *testing.T) {
	r := invoke(t, newClient(), both(), "-v", "-url", serve(t, func(r *http.Request, a *reply) {
		if sent := r.Header.Get("Authorization"); sent != "" {
			a.body = `{"message":"` + strings.Repeat("x", 280) + sent + `"}`
			a.header.Set("Content-Type", sent)
			a.header.Set(errorType, strings.TrimPrefix(sent, "Bearer "))
		}
	}))
	if !strings.Contains(r.out, "[token]") {
		t.Errorf("expected tokens to be marked, got:\n%s", r.out)
	}
}
