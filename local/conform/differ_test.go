package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Kinds of request, as a server sees them.
func isPreflight(r *http.Request) bool { return r.Method == http.MethodOptions }
func atEndpoint(r *http.Request) bool  { return r.URL.Path == "/dev/profile" }
func hasToken(r *http.Request) bool    { _, sent := r.Header["Authorization"]; return sent }

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

func verb(v string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == v && r.Header.Get("X-Http-Method-Override") == "" }
}

func at(p string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.URL.Path == p && r.Method == http.MethodGet }
}

func override(v string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get("X-Http-Method-Override") == v }
}

func answered(status int) func(*reply) {
	return func(a *reply) {
		a.status, a.body = status, `{"message":"otherwise"}`
		a.header.Del(errorTypeHeader)
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

// Every case differs from some server that is wrong in one way only.
func TestWrongServers(t *testing.T) {
	needStack(t)
	noToken := func(r *http.Request) bool { return !hasToken(r) }
	rows := []struct {
		name    string
		mutate  func(*http.Request, *reply)
		differs []string
	}{
		{"another body of 401", on(func(a *reply) { a.body = `{"message":"unauthorized"}` }, verb("GET"), atEndpoint, noToken), []string{"without a token: it is 401"}},
		{"no error type", onStatus(401, lacking(errorTypeHeader)), []string{"without a token: its error type is UnauthorizedException"}},
		{"another challenge", onStatus(401, with("Www-Authenticate", "Basic")), []string{"without a token: it challenges for a bearer token"}},
		{"no CORS headers on 401", onStatus(401, lacking("Access-Control-Allow-Origin")), []string{"without a token: a page on the allowed origin may read it"}},
		{"another origin on 401 than on the preflight", onStatus(401, with("Access-Control-Allow-Origin", "https://app.example.com")), []string{"without a token: a page on the allowed origin may read it"}},
		{"credentials for any origin", everywhere(with("Access-Control-Allow-Credentials", "true")), []string{"without a token: a page on the allowed origin may read it", "preflight: it allows an origin"}},
		{"a hidden challenge", onStatus(401, with("Access-Control-Expose-Headers", "x-amzn-RequestId")), []string{"without a token: such a page may read request ID and challenge"}},
		{"a query is an error", on(answered(400), func(r *http.Request) bool { return r.URL.RawQuery != "" }), []string{"without a token: a query changes nothing"}},

		{"an authorizer that accepts everything", on(func(a *reply) { a.status, a.body = 200, profileBody }, hasToken),
			append(slices.Concat(names("malformed values", malformed()), names("refused tokens", refused(mustForge(t)))),
				"with a token: with a lower-case scheme: 401", "with a token: after two spaces: 401",
				"with a token: without its scheme: 401", "with a token: twice in one header: 401")},

		{"a preflight that needs a token", on(answered(401), isPreflight), []string{"preflight: it is 200 or 204 without a token"}},
		{"a preflight without an origin", on(lacking("Access-Control-Allow-Origin"), isPreflight), []string{"preflight: it allows an origin"}},
		{"a preflight for another method", on(with("Access-Control-Allow-Methods", "POST"), isPreflight), []string{"preflight: it allows GET"}},
		{"a preflight with a wildcard for headers", on(with("Access-Control-Allow-Headers", "*"), isPreflight), []string{"preflight: it allows Authorization by name, which * does not cover"}},
		{"a preflight for every call", on(with("Access-Control-Max-Age", "5"), isPreflight), []string{"preflight: a browser may keep it for a minute or more"}},
		{"a preflight that reflects the origin", func(r *http.Request, a *reply) {
			if isPreflight(r) {
				a.header.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			}
		}, []string{"preflight: its origin does not depend on who asks"}},
		{"a preflight by a function", on(with(traceHeader, "Root=1-00000000-000000000000000000000000"), isPreflight), []string{"preflight: API Gateway answers it alone, so it has no trace"}},
		{"a preflight for every path", on(answered(204), isPreflight, func(r *http.Request) bool { return !atEndpoint(r) }), []string{"preflight: one for an unknown path is 403"}},
		{"a preflight without IDs", on(func(a *reply) { a.header.Del(requestIDHeader); a.header.Del(extendedIDHeader) }, isPreflight), []string{"headers: a preflight has both"}},

		{"404 for an unknown path", on(answered(404), at("/dev/conform-no-such-path")), []string{"routing: an unknown path is 403, not 404"}},
		{"a path that goes on", on(answered(401), at("/dev/profile/conform")), []string{"routing: so is a path below the endpoint"}},
		{"a path in any case", on(answered(401), at("/dev/PROFILE")), []string{"routing: so is the path in upper case"}},
		{"no CORS headers on 403", onStatus(403, lacking("Access-Control-Allow-Origin")), []string{
			"routing: a page on the allowed origin may read that", "with a token that lacks the scope: a page on the allowed origin may read it"}},
		{"a slash that counts", on(answered(404), at("/dev/profile/")), []string{"routing: a trailing slash is the same path", "with a token: a trailing slash is the same path"}},
		{"405 for POST", on(answered(405), verb("POST")), []string{"routing: POST is 403, not 405"}},
		{"405 for PUT", on(answered(405), verb("PUT")), []string{"routing: PUT is 403, not 405"}},
		{"405 for PATCH", on(answered(405), verb("PATCH")), []string{"routing: PATCH is 403, not 405"}},
		{"405 for DELETE", on(answered(405), verb("DELETE")), []string{"routing: DELETE is 403, not 405"}},
		{"HEAD as GET", on(answered(401), verb("HEAD")), []string{"routing: HEAD is 403 without a body"}},
		{"an ignored override to GET", on(answered(403), override("GET")), []string{
			"routing: X-HTTP-Method-Override makes a GET of a POST", "with a token: X-HTTP-Method-Override: GET makes a GET of a POST"}},
		{"an ignored override to DELETE", on(answered(401), override("DELETE")), []string{"routing: X-HTTP-Method-Override makes a DELETE of a GET"}},
		{"404 for an unknown stage", on(answered(404), at("/conform-no-such-stage/profile")), []string{"routing: an unknown stage is forbidden"}},
		{"a page without a stage", on(answered(200), at("/")), []string{"routing: no stage is forbidden"}},

		{"the same request ID for all", everywhere(with(requestIDHeader, "00000000-0000-4000-8000-000000000000")), []string{"headers: x-amzn-RequestId is a UUID, another one each time"}},
		{"a request ID of another form", on(with(requestIDHeader, "42"), verb("GET")), []string{"headers: x-amzn-RequestId is a UUID, another one each time"}},
		{"the same extended ID for all", everywhere(with(extendedIDHeader, "N7Sb5GwpDoEEf9A=")), []string{"headers: x-amz-apigw-id is an ID, another one each time"}},
		{"no trace", everywhere(lacking(traceHeader)), []string{"headers: a refusal can be traced", "with a token: it can be traced"}},
		{"a date of another year", everywhere(with("Date", "Mon, 17 Jun 2024 14:52:41 GMT")), []string{"headers: Date is a date of today"}},
		{"a chunked body", everywhere(func(a *reply) { a.header.Del("Content-Length"); a.chunked = true }), []string{"headers: Content-Length is the body's"}},
		{"a connection for each request", everywhere(with("Connection", "close")), []string{"headers: HTTP/1.1 connections stay open"}},
		{"another content type", everywhere(with("Content-Type", "text/html")), []string{
			"without a token: it is 401", "with a token: it is 200 with the profile", "with a token that lacks the scope: it is 403 with the policy's reason"}},

		{"another profile", onStatus(200, func(a *reply) { a.body = `{"name":"Daniel"}` }), []string{"with a token: it is 200 with the profile"}},
		{"no CORS headers on 200", onStatus(200, lacking("Access-Control-Allow-Origin")), []string{"with a token: a page on the allowed origin may read it"}},
		{"a profile that may be cached", onStatus(200, with("Cache-Control", "max-age=60")), []string{"with a token: no cache may keep it"}},
		{"a session after the first token", remembers(bearer(good), noToken, 200), []string{"with a token: the next request without it is 401"}},
		{"another reason", on(func(a *reply) { a.body = `{"message":"Forbidden"}` }, bearer(scant)), []string{"with a token that lacks the scope: it is 403 with the policy's reason"}},
		{"a denial that may be cached", onStatus(403, lacking("Cache-Control")), []string{"with a token that lacks the scope: no cache may keep it"}},
		{"a denial that stays", remembers(bearer(scant), bearer(good), 403), []string{"with a token that lacks the scope: a token with the scope is 200 right after"}},
	}
	covered := map[string]bool{}
	for _, row := range rows {
		for _, name := range row.differs {
			covered[name] = true
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := invoke(t, newClient(), tokens(), "-url", serve(t, row.mutate))
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
		target, err := parseTarget(stack.API)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := allCases(t.Context(), &caller{client: newClient(), target: target}, settings{target: target, token: good, withoutScope: scant})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range cases {
			if name := k.group + ": " + k.name; !covered[name] {
				t.Errorf("no wrong server shows that %q can differ", name)
			}
		}
	})
}

func mustForge(t *testing.T) []forgery {
	t.Helper()
	forged, err := forge(good)
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

func names(group string, cases []testCase) []string {
	var names []string
	for _, k := range cases {
		names = append(names, group+": "+k.name)
	}
	return names
}

// A server that sends back what it got must not make the table show a token.
func TestEchoedTokensAreRedacted(t *testing.T) {
	needStack(t)
	r := invoke(t, newClient(), tokens(), "-v", "-url", serve(t, func(r *http.Request, a *reply) {
		if sent := r.Header.Get("Authorization"); sent != "" {
			a.body = `{"message":"` + strings.Repeat("x", 280) + sent + `"}`
			a.header.Set("Content-Type", sent)
			a.header.Set(errorTypeHeader, strings.TrimPrefix(sent, "Bearer "))
		}
	}))
	if !strings.Contains(r.out, "[token]") {
		t.Errorf("expected tokens to be marked, got:\n%s", r.out)
	}
}
