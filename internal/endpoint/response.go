package endpoint

import (
	"fmt"
	"net/http"
	"strconv"

	"account-api/internal/origin"

	"github.com/go-json-experiment/json/jsontext"
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
	headers       []byte // a JSON object
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
	r := responses{headers: encode(headers...)}
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
