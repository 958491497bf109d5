package main

import (
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Headers of API Gateway, in canonical form.
const (
	errorTypeHeader  = "X-Amzn-Errortype"
	requestIDHeader  = "X-Amzn-Requestid"
	extendedIDHeader = "X-Amz-Apigw-Id"
	traceHeader      = "X-Amzn-Trace-Id"
)

// The bodies that clients may rely on, byte by byte.
const (
	unauthorizedBody  = `{"message":"Unauthorized"}`
	missingTokenBody  = `{"message":"Missing Authentication Token"}`
	forbiddenHostBody = `{"message":"Forbidden"}`
	profileBody       = `{"name":"Daniël"}`
	noScopeBody       = `{"message":"Error: Forbidden","info":"scope \"get:profile\" is required"}`
)

// expectation says what is wrong with an answer, as "expected …, got …"; "" when
// nothing is.
type expectation func(*answer) string

func status(want int) expectation {
	return func(a *answer) string {
		if a.status == want {
			return ""
		}
		return fmt.Sprintf("expected status %d, got %d", want, a.status)
	}
}

func statusOneOf(want ...int) expectation {
	return func(a *answer) string {
		if slices.Contains(want, a.status) {
			return ""
		}
		return fmt.Sprintf("expected a status of %v, got %d", want, a.status)
	}
}

// body compares every byte.
func body(want string) expectation {
	return func(a *answer) string {
		if a.body == want {
			return ""
		}
		return fmt.Sprintf("expected the body %s, got %s", shown(want), shown(a.body))
	}
}

// shown is text that fits a line: control characters are escaped, and what is long is
// cut by the report, after tokens were taken out.
func shown(text string) string {
	if text == "" {
		return "none"
	}
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// header compares the one value of a header; "" expects it to be absent.
func header(name, want string) expectation {
	return func(a *answer) string {
		values := a.header.Values(name)
		switch {
		case len(values) == 0 && want == "", len(values) == 1 && values[0] == want && want != "":
			return ""
		case want == "":
			return fmt.Sprintf("expected no %s, got one", spelled(name))
		case len(values) == 0:
			return fmt.Sprintf("expected %s: %s, got none", spelled(name), want)
		}
		return fmt.Sprintf("expected %s: %s, got %s", spelled(name), want, shown(strings.Join(values, " and ")))
	}
}

// shaped expects exactly one value, of a form.
func shaped(name, form string, pattern *regexp.Regexp) expectation {
	return func(a *answer) string {
		values := a.header.Values(name)
		if len(values) == 1 && pattern.MatchString(values[0]) {
			return ""
		}
		return fmt.Sprintf("expected one %s, %s, got %s", spelled(name), form, shown(strings.Join(values, " and ")))
	}
}

// lists expects a comma-separated header to name all of what is wanted, in any case,
// without the help of a wildcard.
func lists(name string, want ...string) expectation {
	return func(a *answer) string {
		named := commaList(a.header.Values(name))
		for _, w := range want {
			if !slices.Contains(named, strings.ToLower(w)) {
				return fmt.Sprintf("expected %s to name %s, got %s", spelled(name), w, shown(strings.Join(named, ", ")))
			}
		}
		return ""
	}
}

func commaList(values []string) []string {
	var parts []string
	for part := range strings.SplitSeq(strings.ToLower(strings.Join(values, ",")), ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// isJSON expects the media type of JSON. A charset is tolerated: RFC 8259, section 11
// gives it no meaning.
func isJSON(a *answer) string {
	sent := a.header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(sent); err == nil && media == "application/json" {
		return ""
	}
	return fmt.Sprintf("expected Content-Type: application/json, got %s", shown(sent))
}

// readable expects that a page on the allowed origin may read the answer.
// https://fetch.spec.whatwg.org/#cors-check
func readable(origin string) expectation {
	return func(a *answer) string {
		allowed := a.header.Values("Access-Control-Allow-Origin")
		switch {
		case len(allowed) != 1 || allowed[0] == "":
			return fmt.Sprintf("expected one Access-Control-Allow-Origin, got %s", shown(strings.Join(allowed, " and ")))
		case origin != "" && allowed[0] != origin:
			return fmt.Sprintf("expected Access-Control-Allow-Origin: %s, as the preflight says, got %s", origin, shown(allowed[0]))
		case allowed[0] == "*" && slices.Contains(a.header.Values("Access-Control-Allow-Credentials"), "true"):
			return `expected no Access-Control-Allow-Credentials next to the origin *, which browsers refuse, got "true"`
		case allowed[0] != "*":
			// Whoever caches the answer must not give it to a page on another origin.
			return lists("Vary", "Origin")(a)
		}
		return ""
	}
}

// spelled is a header's name as documentation writes it.
func spelled(name string) string {
	switch name {
	case errorTypeHeader:
		return "x-amzn-ErrorType"
	case requestIDHeader:
		return "x-amzn-RequestId"
	case extendedIDHeader:
		return "x-amz-apigw-id"
	}
	return name
}

// gatewayError is an answer that API Gateway gives by itself.
func gatewayError(code int, kind, text string) []expectation {
	return []expectation{status(code), body(text), header(errorTypeHeader, kind), isJSON}
}

// unauthorized is how every token is refused: nobody learns from outside why.
func unauthorized() []expectation {
	return gatewayError(http.StatusUnauthorized, "UnauthorizedException", unauthorizedBody)
}

// noRoute is what a REST API says instead of 404 and 405.
func noRoute() []expectation {
	return gatewayError(http.StatusForbidden, "MissingAuthenticationTokenException", missingTokenBody)
}
