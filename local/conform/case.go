package main

import (
	"cmp"
	"context"
	"strings"
)

// testCase is one promise about the API: requests, and what the last answer must be.
type testCase struct {
	group, name string
	missing     string // what it takes to run it; "" when it can
	send        []request
	expect      []expectation
	hint        func(*answer) string // what a user may have got wrong, if it differs; nil = nothing
}

// outcome is what became of a case.
type outcome struct {
	testCase
	problems []string
	answers  []*answer
}

func (o outcome) verdict() string {
	switch {
	case o.missing != "":
		return "not run"
	case len(o.problems) > 0:
		return "differ"
	}
	return "pass"
}

func (k testCase) run(ctx context.Context, c *caller) outcome {
	o := outcome{testCase: k}
	if k.missing != "" {
		return o
	}
	var last *answer
	for _, r := range k.send {
		a, err := c.send(ctx, r)
		if err != nil {
			o.problems = append(o.problems, "expected an answer, got none: "+err.Error())
			return o
		}
		a.previous, last = last, a
		o.answers = append(o.answers, a)
	}
	for _, e := range k.expect {
		if problem := e(last); problem != "" {
			o.problems = append(o.problems, problem)
		}
	}
	if len(o.problems) > 0 && k.hint != nil {
		if hint := k.hint(last); hint != "" {
			o.problems = append(o.problems, hint)
		}
	}
	return o
}

// allCases are the cases for a target, in the order of the table.
func allCases(ctx context.Context, c *caller, s settings) ([]testCase, error) {
	// What the preflight names is the allowed origin that all answers have to agree on.
	preflight, err := c.send(ctx, preflightFor(request{}))
	if err != nil {
		return nil, err
	}
	origin := preflight.header.Get("Access-Control-Allow-Origin")
	forged, err := forge(s.token)
	if err != nil {
		return nil, err
	}
	var all []testCase
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"without a token", withoutToken(origin)},
		{"malformed values", malformed()},
		{"refused tokens", refused(forged)},
		{"preflight", preflights(s.target)},
		{"routing", routing(s.target, origin)},
		{"headers", headers()},
		{"with a token", withToken(s, origin)},
		{"with a token that lacks the scope", withoutScope(s, origin)},
	} {
		for _, k := range group.cases {
			k.group = group.name
			all = append(all, k)
		}
	}
	return all, nil
}

// one makes the requests of a case that has one.
func one(r request) []request { return []request{r} }

// authorized asks with a value of the Authorization header.
func authorized(value string) request { return request{header: []string{"Authorization", value}} }

// page is an origin that no API allows by accident.
const page = "https://conform.example"

// fromPage adds what a browser adds to the request of a page on another origin.
func fromPage(r request, origin string) request {
	r.header = append([]string{"Origin", origin}, r.header...)
	return r
}

// preflightFor is what a browser asks before it sends a request with a bearer token.
// https://fetch.spec.whatwg.org/#cors-preflight-fetch
func preflightFor(r request) request {
	r.header = append([]string{"Access-Control-Request-Method", cmp.Or(r.method, "GET"), "Access-Control-Request-Headers", "authorization"}, r.header...)
	r.method = "OPTIONS"
	return fromPage(r, page)
}

func withoutToken(origin string) []testCase {
	ask := one(request{})
	return []testCase{
		{name: "it is 401", send: ask, expect: []expectation{status(401), body(unauthorizedBody), isJSON}},
		{name: "its error type is UnauthorizedException", send: ask, expect: []expectation{header(errorTypeHeader, "UnauthorizedException")}},
		// RFC 9110, section 15.5.2: a 401 says which scheme would help.
		{name: "it challenges for a bearer token", send: ask, expect: []expectation{header("Www-Authenticate", "Bearer")}},
		{name: "a page on the allowed origin may read it", send: one(fromPage(request{}, page)), expect: []expectation{readable(origin)}},
		{name: "such a page may read request ID and challenge", send: one(fromPage(request{}, page)),
			expect: []expectation{lists("Access-Control-Expose-Headers", "x-amzn-RequestId", "WWW-Authenticate")}},
		{name: "a query changes nothing", send: one(request{query: "a=b"}), expect: unauthorized()},
	}
}

func malformed() []testCase {
	const parts = "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"
	var cases []testCase
	for _, row := range []struct{ name, value string }{
		{"an empty value", ""},
		{"the scheme alone", "Bearer"},
		{"a token alone", parts},
		{"a lower-case scheme", "bearer " + parts},
		{"two spaces", "Bearer  " + parts},
		{"a tab for the space", "Bearer\t" + parts},
		{"another scheme", "Basic " + parts},
		{"one part", "Bearer aGVhZGVy"},
		{"two parts", "Bearer aGVhZGVy.cGF5bG9hZA"},
		{"four parts", "Bearer " + parts + ".cGFydA"},
		{"an empty part", "Bearer aGVhZGVy..c2lnbmF0dXJl"},
		{"padding", "Bearer " + parts + "="},
		{"a character that base64url lacks", "Bearer aGVhZGVy.cGF5+G9hZA.c2lnbmF0dXJl"},
		{"two tokens", "Bearer " + parts + ", Bearer " + parts},
	} {
		cases = append(cases, testCase{name: row.name + ": 401", send: one(authorized(row.value)), expect: unauthorized()})
	}
	return cases
}

func refused(forged []forgery) []testCase {
	var cases []testCase
	for _, f := range forged {
		cases = append(cases, testCase{name: f.name + ": 401", missing: f.missing, send: one(authorized("Bearer " + f.token)), expect: unauthorized()})
	}
	return cases
}

// tokenMissing names what a case needs.
func tokenMissing(token, variable string) string {
	if token == "" {
		return "needs " + variable
	}
	return ""
}

func withToken(s settings, origin string) []testCase {
	good := authorized("Bearer " + s.token)
	slash := good
	slash.path = s.target.url.Path + "/"
	override := good
	override.method = "POST"
	override.header = append([]string{"X-HTTP-Method-Override", "GET"}, good.header...)
	granted := []expectation{status(200), body(profileBody)}
	cases := []testCase{
		{name: "it is 200 with the profile", send: one(good), expect: append(granted, isJSON, header(errorTypeHeader, "")), hint: tokenHint(s.token)},
		{name: "a page on the allowed origin may read it", send: one(fromPage(good, page)), expect: []expectation{status(200), readable(origin)}},
		{name: "no cache may keep it", send: one(good), expect: []expectation{status(200), header("Cache-Control", "no-store")}},
		{name: "it can be traced", send: one(good), expect: []expectation{status(200), traced}},
		{name: "a trailing slash is the same path", send: one(slash), expect: granted},
		{name: "X-HTTP-Method-Override: GET makes a GET of a POST", send: one(override), expect: granted},
		{name: "the next request without it is 401", send: []request{good, {}}, expect: append(unauthorized(), after(200))},
		{name: "with a lower-case scheme: 401", send: one(authorized("bearer " + s.token)), expect: unauthorized()},
		{name: "after two spaces: 401", send: one(authorized("Bearer  " + s.token)), expect: unauthorized()},
		{name: "without its scheme: 401", send: one(authorized(s.token)), expect: unauthorized()},
		{name: "twice in one header: 401", send: one(authorized("Bearer " + s.token + ", Bearer " + s.token)), expect: unauthorized()},
	}
	for i := range cases {
		cases[i].missing = tokenMissing(s.token, "TOKEN")
	}
	return cases
}

func withoutScope(s settings, origin string) []testCase {
	ask := authorized("Bearer " + s.withoutScope)
	cases := []testCase{
		{name: "it is 403 with the policy's reason", send: one(ask), expect: []expectation{status(403), body(noScopeBody), isJSON, header(errorTypeHeader, "")}, hint: tokenHint(s.withoutScope)},
		{name: "a page on the allowed origin may read it", send: one(fromPage(ask, page)), expect: []expectation{status(403), readable(origin)}},
		{name: "no cache may keep it", send: one(ask), expect: []expectation{status(403), header("Cache-Control", "no-store")}},
	}
	for i := range cases {
		cases[i].missing = tokenMissing(s.withoutScope, "TOKEN_WITHOUT_SCOPE")
	}
	both := testCase{name: "a token with the scope is 200 right after", missing: tokenMissing(s.withoutScope, "TOKEN_WITHOUT_SCOPE"),
		send: []request{ask, authorized("Bearer " + s.token)}, expect: []expectation{after(403), status(200), body(profileBody)}}
	if s.token == "" {
		both.missing = tokenMissing("", "TOKEN and TOKEN_WITHOUT_SCOPE")
	}
	return append(cases, both)
}

// after expects the status of the request before, without which the case says nothing.
func after(want int) expectation {
	return func(a *answer) string {
		if problem := status(want)(a.previous); problem != "" {
			return strings.Replace(problem, "expected", "before it, expected", 1)
		}
		return ""
	}
}
