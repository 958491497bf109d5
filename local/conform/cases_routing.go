package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func preflights(t target) []testCase {
	ask := one(preflightFor(request{}))
	unknown := preflightFor(request{path: t.beside("conform-no-such-path")})
	other := preflightFor(request{})
	other.header[1] = "https://other.conform.example"
	return []testCase{
		// A browser goes on only after a status from 200 to 299.
		{name: "it is 200 or 204 without a token", send: ask, expect: []expectation{statusOneOf(200, 204), header(errorTypeHeader, "")}},
		{name: "it allows an origin", send: ask, expect: []expectation{readable("")}},
		{name: "it allows GET", send: ask, expect: []expectation{lists("Access-Control-Allow-Methods", "GET")}},
		// https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
		{name: "it allows Authorization by name, which * does not cover", send: ask, expect: []expectation{lists("Access-Control-Allow-Headers", "Authorization")}},
		{name: "a browser may keep it for a minute or more", send: ask, expect: []expectation{maxAge}},
		{name: "its origin does not depend on who asks", send: []request{preflightFor(request{}), other}, expect: []expectation{sameAsBefore("Access-Control-Allow-Origin")}},
		{name: "API Gateway answers it alone, so it has no trace", send: ask, expect: []expectation{header(traceHeader, "")}},
		{name: "one for an unknown path is 403", send: one(unknown), expect: noRoute()},
	}
}

func routing(t target, origin string) []testCase {
	unknown := request{path: t.beside("conform-no-such-path")}
	cases := []testCase{
		{name: "an unknown path is 403, not 404", send: one(unknown), expect: noRoute()},
		{name: "so is a path below the endpoint", send: one(request{path: t.url.Path + "/conform"}), expect: noRoute()},
		{name: "so is the path in upper case", send: one(request{path: t.beside(strings.ToUpper(t.url.Path[strings.LastIndexByte(t.url.Path, '/')+1:]))}), expect: noRoute()},
		{name: "a page on the allowed origin may read that", send: one(fromPage(unknown, page)), expect: []expectation{readable(origin)}},
		{name: "a trailing slash is the same path", send: one(request{path: t.url.Path + "/"}), expect: unauthorized()},
	}
	for _, verb := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		cases = append(cases, testCase{name: verb + " is 403, not 405", send: one(request{method: verb}), expect: noRoute()})
	}
	// GET does not imply HEAD, whose answer has no body to compare.
	cases = append(cases, testCase{name: "HEAD is 403 without a body", send: one(request{method: http.MethodHead}),
		expect: []expectation{status(403), body(""), header(errorTypeHeader, "MissingAuthenticationTokenException")}})
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
	for _, row := range []struct {
		name, verb, override string
		expect               []expectation
	}{
		{"X-HTTP-Method-Override makes a GET of a POST", http.MethodPost, http.MethodGet, unauthorized()},
		{"X-HTTP-Method-Override makes a DELETE of a GET", http.MethodGet, http.MethodDelete, noRoute()},
	} {
		cases = append(cases, testCase{name: row.name, send: one(request{method: row.verb, header: []string{"X-HTTP-Method-Override", row.override}}), expect: row.expect})
	}
	stageless := ""
	if t.stage == "" {
		stageless = "needs a URL that names a stage; a custom domain has none"
	}
	forbidden := gatewayError(http.StatusForbidden, "ForbiddenException", forbiddenHostBody)
	return append(cases,
		testCase{name: "an unknown stage is forbidden", missing: stageless, send: one(request{path: t.ofStage("conform-no-such-stage")}), expect: forbidden},
		testCase{name: "no stage is forbidden", missing: stageless, send: one(request{path: "/"}), expect: forbidden},
	)
}

var (
	// uuid is the form of RFC 9562, section 4.
	uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	// extendedID is base64 with its padding, such as N7Sb5GwpDoEEf9A=. A plus and a
	// slash are tolerated: which of the two alphabets it is, is not documented.
	extendedID = regexp.MustCompile(`^[-_+/0-9A-Za-z]{8,}={0,2}$`)
	// trace is a tracing header with at least its root.
	// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
	trace = regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;|$)`)
)

func headers() []testCase {
	twice := []request{{}, {}}
	return []testCase{
		{name: "x-amzn-RequestId is a UUID, another one each time", send: twice, expect: []expectation{shaped(requestIDHeader, "a UUID", uuid), differs(requestIDHeader)}},
		{name: "x-amz-apigw-id is an ID, another one each time", send: twice, expect: []expectation{shaped(extendedIDHeader, "of base64 characters", extendedID), differs(extendedIDHeader)}},
		{name: "a preflight has both", send: one(preflightFor(request{})), expect: []expectation{shaped(requestIDHeader, "a UUID", uuid), shaped(extendedIDHeader, "of base64 characters", extendedID)}},
		{name: "a refusal can be traced", send: one(request{}), expect: []expectation{traced}},
		{name: "Date is a date of today", send: one(request{}), expect: []expectation{dated}},
		{name: "Content-Length is the body's", send: one(request{}), expect: []expectation{measured}},
		{name: "HTTP/1.1 connections stay open", send: one(request{}), expect: []expectation{keptOpen}},
	}
}

func traced(a *answer) string {
	return shaped(traceHeader, "with a root", trace)(a)
}

// maxAge, in seconds: less than a minute is a second request for nearly every call.
func maxAge(a *answer) string {
	sent := a.header.Get("Access-Control-Max-Age")
	if seconds, err := strconv.Atoi(sent); err == nil && seconds >= 60 {
		return ""
	}
	return fmt.Sprintf("expected Access-Control-Max-Age of at least 60 seconds, got %s", shown(sent))
}

// differs expects another value than the request before had.
func differs(name string) expectation {
	return func(a *answer) string {
		if a.header.Get(name) != a.previous.header.Get(name) {
			return ""
		}
		return fmt.Sprintf("expected another %s for another request, got the same", spelled(name))
	}
}

func sameAsBefore(name string) expectation {
	return func(a *answer) string {
		if a.header.Get(name) == a.previous.header.Get(name) {
			return ""
		}
		return fmt.Sprintf("expected %s to stay as it is whoever asks, got the asking page's", name)
	}
}

// dated tolerates a clock that is off by a day: it is about the form.
func dated(a *answer) string {
	sent := a.header.Get("Date")
	if at, err := http.ParseTime(sent); err == nil && time.Since(at).Abs() < 24*time.Hour {
		return ""
	}
	return fmt.Sprintf("expected a Date of today, got %s", shown(sent))
}

// measured tolerates an answer without a length, which HTTP/2 and CDNs may send.
func measured(a *answer) string {
	if a.length < 0 && (a.major > 1 || relayed(a)) || a.length == int64(len(a.body)) {
		return ""
	}
	return fmt.Sprintf("expected Content-Length: %d, got %d", len(a.body), a.length)
}

// keptOpen is about HTTP/1 only: HTTP/2 has no such header (RFC 9113, section 8.2.2).
func keptOpen(a *answer) string {
	if a.major > 1 || relayed(a) {
		return ""
	}
	return header("Connection", "keep-alive")(a)
}

// relayed reports whether a CDN or a proxy stands between: the CloudFront distribution
// of an edge-optimized API does, and then owns the connection.
func relayed(a *answer) bool {
	return a.header.Get("Via") != "" || a.header.Get("X-Cache") != ""
}
