package endpoint

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/origin"
)

// responses are an endpoint's answers in the form of the Lambda proxy integration. What does
// not depend on the request is written once.
//
// They have only keys that API Gateway knows. It answers 502 to any other:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
//
// RFC 6750, section 3.1 has a WWW-Authenticate challenge for denials (insufficient_scope).
// These have none: API Gateway would rename the header to x-amzn-Remapped-WWW-Authenticate,
// which no client reads.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
type responses struct {
	defaults      [][2]string // headers
	headers       []byte      // defaults as a JSON object
	internalError []byte
}

// exposed lists the headers that a page may read besides the safelisted ones: the request ID,
// and the challenge of a 401. https://fetch.spec.whatwg.org/#http-access-control-expose-headers
const exposed = "x-amzn-RequestId, WWW-Authenticate"

// newResponses returns the responses for a configured origin, which is "" for none.
func newResponses(allowedOrigin string) (responses, error) {
	headers := [][2]string{
		{"Content-Type", "application/json"},
		{"Cache-Control", "no-store"}, // the answer is for one caller only
	}
	if allowedOrigin != "" {
		if err := origin.Check(allowedOrigin); err != nil {
			return responses{}, fmt.Errorf("ALLOWED_ORIGIN: %w", err)
		}
		headers = append(headers,
			[2]string{"Access-Control-Allow-Origin", allowedOrigin},
			[2]string{"Access-Control-Expose-Headers", exposed})
		if allowedOrigin != "*" {
			headers = append(headers, [2]string{"Vary", "Origin"})
		}
	}
	r := responses{defaults: headers, headers: encode(headers...)}
	r.internalError = r.answer(http.StatusInternalServerError, encode([2]string{"message", "Internal server error"}))
	return r, nil
}

// forbidden is the answer to a request that the policy denies, with its reason.
func (r responses) forbidden(reason string) []byte {
	return r.answer(http.StatusForbidden, encode(
		[2]string{"message", "Error: Forbidden"},
		[2]string{"info", reason},
	))
}

// refused is the answer to a request that only its client can correct.
func (r responses) refused(e *ClientError) []byte {
	return r.answer(e.Status, encode([2]string{"message", e.Message}))
}

func (r responses) answer(status int, body []byte) []byte {
	response := make([]byte, 0, len(r.headers)+2*len(body)+64)
	response = append(response, `{"statusCode":`...)
	response = strconv.AppendInt(response, int64(status), 10)
	response = append(response, `,"headers":`...)
	response = append(response, r.headers...)
	response = append(response, `,"body":`...)
	response = quote(response, body)
	return append(response, '}')
}

// of is the answer of an endpoint. A header of several values goes into multiValueHeaders.
func (r responses) of(reply Reply) []byte {
	status := cmp.Or(reply.Status, http.StatusOK)
	if len(reply.Header) == 0 && reply.Body != nil && utf8.Valid(reply.Body) {
		return r.answer(status, reply.Body)
	}
	single, several := r.headersOf(reply)
	response := strconv.AppendInt([]byte(`{"statusCode":`), int64(status), 10)
	response = append(append(response, `,"headers":`...), encode(single...)...)
	if len(several) > 0 {
		lists, _ := json.Marshal(several, json.Deterministic(true)) // strings always encode
		response = append(append(response, `,"multiValueHeaders":`...), lists...)
	}
	switch {
	case reply.Body == nil:
	case utf8.Valid(reply.Body):
		response = quote(append(response, `,"body":`...), reply.Body)
	default:
		response = base64.StdEncoding.AppendEncode(append(response, `,"body":"`...), reply.Body)
		response = append(response, `","isBase64Encoded":true`...)
	}
	return append(response, '}')
}

// headersOf returns the defaults that the reply does not replace, then the reply's own. Pages
// may read the latter. A cache has to mind both reasons to vary.
func (r responses) headersOf(reply Reply) (single [][2]string, several map[string][]string) {
	own := http.Header{}
	for name, values := range reply.Header {
		for _, value := range values {
			own.Add(name, value)
		}
	}
	names := slices.Sorted(maps.Keys(own))
	for _, header := range r.defaults {
		switch header[0] {
		case "Access-Control-Expose-Headers":
			header[1] = strings.Join(append([]string{header[1]}, names...), ", ")
		case "Vary":
			header[1] = strings.Join(append([]string{header[1]}, own["Vary"]...), ", ")
			delete(own, "Vary")
		}
		if len(own[header[0]]) == 0 && (header[0] != "Content-Type" || reply.Body != nil) {
			single = append(single, header)
		}
	}
	for _, name := range names {
		switch values := own[name]; len(values) {
		case 0: // merged above
		case 1:
			single = append(single, [2]string{name, values[0]})
		default:
			if several == nil {
				several = map[string][]string{}
			}
			several[name] = values
		}
	}
	return single, several
}

// encode writes a JSON object of strings, compact and in the given order. A map would not
// keep the order, and clients may rely on the bytes of an answer.
func encode(members ...[2]string) []byte {
	encoded := []byte{'{'}
	for i, member := range members {
		if i > 0 {
			encoded = append(encoded, ',')
		}
		encoded = quote(encoded, member[0])
		encoded = append(encoded, ':')
		encoded = quote(encoded, member[1])
	}
	return append(encoded, '}')
}

// quote appends a JSON string in UTF-8 that escapes as little as possible. Text that is not
// UTF-8 gets replacement characters.
func quote[Text []byte | string](to []byte, text Text) []byte {
	to, _ = jsontext.AppendQuote(to, text) // the error reports that replacement
	return to
}
