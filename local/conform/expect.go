package main

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"account-api/local/fidelity"
)

// Headers of API Gateway, as its documentation spells them.
const (
	errorType  = "x-amzn-ErrorType"
	requestID  = "x-amzn-RequestId"
	extendedID = "x-amz-apigw-id"
	traceID    = "X-Amzn-Trace-Id"
)

// expectation says what is wrong with an answer, as "expected …, got …"; "" when
// nothing is.
type expectation func(*answer) string

// unless is "" if all is well, and the text otherwise.
func unless(ok bool, format string, arguments ...any) string {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, arguments...)
}

func status(want ...int) expectation {
	return func(a *answer) string {
		return unless(slices.Contains(want, a.StatusCode), "expected status %d, got %d", want, a.StatusCode)
	}
}

// authorized expects an answer by the function: no refusal, and no server error.
func authorized(a *answer) string {
	refused := a.StatusCode == 401 || a.StatusCode == 403 || a.StatusCode >= 500 || a.Header.Get(errorType) != ""
	return unless(!refused, "expected neither 401, 403 nor an error of the server, got %d %s", a.StatusCode, a.Header.Get(errorType))
}

func authenticated(a *answer) string {
	return unless(a.StatusCode != 401, "expected the token to be accepted, got 401")
}

// after expects the status of the request before, without which the case says nothing.
func after(want int) expectation {
	return func(a *answer) string {
		return unless(a.before.StatusCode == want, "expected status %d of the request before, got %d", want, a.before.StatusCode)
	}
}

// expected is the answer of a published row.
func expected(a fidelity.Answer) []expectation {
	expect := []expectation{status(a.Status)}
	if a.Type != nil {
		expect = append(expect, header(errorType, *a.Type))
	}
	if a.Body != nil {
		expect = append(expect, body(*a.Body))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Answered)) {
		if pattern, ok := fidelity.Pattern(a.Answered[name]); ok {
			expect = append(expect, shaped(name, "of the form "+pattern, pattern))
		} else {
			expect = append(expect, header(name, a.Answered[name]))
		}
	}
	return expect
}

// body compares every byte. An answer to HEAD has none.
func body(want string) expectation {
	return func(a *answer) string {
		return unless(a.body == want || a.body == "" && a.request.method == http.MethodHead, "expected the body %s, got %s", shown(want), shown(a.body))
	}
}

// shown is text that fits a line. The report cuts what is long, after tokens were taken
// out.
func shown(texts ...string) string {
	text := strconv.QuoteToGraphic(strings.Join(texts, " and "))
	if text == `""` {
		return "none"
	}
	return strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`)
}

// header compares the one value of a header; "" expects it to be absent.
func header(name, want string) expectation {
	return func(a *answer) string {
		values := a.Header.Values(name)
		return unless(len(values) == 0 && want == "" || len(values) == 1 && values[0] == want, "expected %s: %s, got %s", name, shown(want), shown(values...))
	}
}

// The forms of values.
var (
	// uuid: RFC 9562, section 4.
	uuid = shaped(requestID, "a UUID", `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	// base64ID is such as N7Sb5GwpDoEEf9A=. Which of the two base64 alphabets it has is
	// not documented.
	base64ID = shaped(extendedID, "of base64 characters", `^[-_+/0-9A-Za-z]{8,}={0,2}$`)
	// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
	traced = shaped(traceID, "with a root", `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}(?:;|$)`)
)

// shaped expects exactly one value, of a form.
func shaped(name, form, pattern string) expectation {
	expression := regexp.MustCompile(pattern)
	return func(a *answer) string {
		values := a.Header.Values(name)
		return unless(len(values) == 1 && expression.MatchString(values[0]), "expected one %s, %s, got %s", name, form, shown(values...))
	}
}

// renewed expects another value than the request before had.
func renewed(name string) expectation {
	return func(a *answer) string {
		return unless(a.Header.Get(name) != a.before.Header.Get(name), "expected another %s for another request, got the same", name)
	}
}

// listed are the parts of a comma-separated header, in lower case.
func listed(a *answer, name string) []string {
	return strings.FieldsFunc(strings.ToLower(strings.Join(a.Header.Values(name), ",")), func(r rune) bool { return r == ',' || r == ' ' })
}

// lists expects a comma-separated header to name all of what is wanted, in any case,
// without the help of a wildcard.
func lists(name string, want ...string) expectation {
	return func(a *answer) string {
		named := listed(a, name)
		missing := slices.DeleteFunc(slices.Clone(want), func(w string) bool { return slices.Contains(named, strings.ToLower(w)) })
		return unless(len(missing) == 0, "expected %s to name %s, got %s", name, strings.Join(missing, ", "), shown(strings.Join(named, ", ")))
	}
}

// offers expects a preflight to name the declared methods and no other. OPTIONS and HEAD
// need not be named: no page asks for them with a token.
func offers(declared []endpoint) expectation {
	const name = "Access-Control-Allow-Methods"
	var all, needed []string
	for _, e := range declared {
		if all = append(all, strings.ToLower(e.verb)); e.verb != "OPTIONS" && e.verb != "HEAD" {
			needed = append(needed, e.verb)
		}
	}
	return func(a *answer) string {
		for _, named := range listed(a, name) {
			if !slices.Contains(all, named) {
				return fmt.Sprintf("expected %s to name declared methods only, %s, got %s", name, strings.Join(needed, ", "), shown(a.Header.Values(name)...))
			}
		}
		return lists(name, needed...)(a)
	}
}

// isJSON expects the media type of JSON where there is a body. A charset is tolerated:
// RFC 8259, section 11 gives it no meaning.
func isJSON(a *answer) string {
	media, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return unless(a.body == "" || err == nil && media == "application/json", "expected Content-Type: application/json, got %s", shown(a.Header.Get("Content-Type")))
}

// readable expects that a page on the allowed origin may read the answer; "" is any.
// https://fetch.spec.whatwg.org/#cors-check
func readable(origin string) expectation {
	return func(a *answer) string {
		allowed := a.Header.Values("Access-Control-Allow-Origin")
		switch {
		case len(allowed) != 1 || allowed[0] == "" || origin != "" && allowed[0] != origin:
			return fmt.Sprintf("expected one Access-Control-Allow-Origin, as declared: %s, got %s", shown(origin), shown(allowed...))
		case allowed[0] == "*":
			// Browsers refuse credentials together with any origin.
			return header("Access-Control-Allow-Credentials", "")(a)
		}
		// Whoever caches the answer must not give it to a page on another origin.
		return lists("Vary", "Origin")(a)
	}
}

// maxAge, in seconds: with less than a minute nearly every call costs two requests.
func maxAge(a *answer) string {
	sent := a.Header.Get("Access-Control-Max-Age")
	seconds, err := strconv.Atoi(sent)
	return unless(err == nil && seconds >= 60, "expected Access-Control-Max-Age of at least 60 seconds, got %s", shown(sent))
}

// gatewayError is an answer that API Gateway gives by itself.
func gatewayError(code int, kind, text string) []expectation {
	return []expectation{status(code), body(`{"message":"` + text + `"}`), header(errorType, kind), isJSON}
}

// The gateway errors that clients may rely on, byte by byte.
var (
	// unauthorized is how every token is refused: the answer never tells why.
	unauthorized = gatewayError(401, "UnauthorizedException", "Unauthorized")
	// noRoute is what a REST API answers instead of 404 and 405.
	noRoute = gatewayError(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
)
