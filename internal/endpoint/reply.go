package endpoint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Reply is what an endpoint answers. A Reply with a body alone is 200 with that JSON.
type Reply struct {
	Status int // from 200 to 599; 0 is 200, and takes a body

	// Header has further headers. Content-Type is application/json by default, and
	// Cache-Control is no-store. What lets pages read the answer stays the package's:
	// Access-Control-Allow-Origin and its like. Pages may read each header that is set here.
	//
	// API Gateway sends some headers itself, such as Date, and would rename these. They are
	// an error. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
	Header http.Header

	// Body is nil for none, as a 204 must be. It is JSON unless Header says otherwise. A body
	// that is not UTF-8 goes to API Gateway in base64. It is decoded there if its Content-Type
	// is among the API's binaryMediaTypes and in the request's Accept.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/lambda-proxy-binary-media.html
	Body []byte
}

// check returns the first reason why a client could not get the reply as it is. It quotes no
// value, which may be a claim's.
func (r Reply) check() error {
	bodiless := r.Status == http.StatusNoContent || r.Status == http.StatusResetContent || r.Status == http.StatusNotModified
	switch {
	case r.Status != 0 && (r.Status < 200 || r.Status > 599):
		return fmt.Errorf("expected a status from 200 to 599, got %d", r.Status)
	case r.Status == 0 && r.Body == nil:
		return errors.New("expected JSON, got nothing: set Body, or Status to answer without one")
	case bodiless && len(r.Body) > 0:
		return fmt.Errorf("expected no body with status %d, got %d bytes: RFC 9110, section 15", r.Status, len(r.Body))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if !isToken(name) {
			return errors.New("expected names of headers that HTTP allows, got another: RFC 9110, section 5.1")
		}
		if canonical := http.CanonicalHeaderKey(name); gatewaysOwn[canonical] || strings.HasPrefix(canonical, "Access-Control-") {
			return fmt.Errorf("expected no header %s: API Gateway or this package sets it", canonical)
		}
		if !slices.ContainsFunc(r.Header[name], isUnsafe) {
			continue
		}
		return fmt.Errorf("expected header %s to have printable ASCII only, got another character: percent-encode it", name)
	}
	if r.Body != nil && r.Header.Get("Content-Type") == "" && !jsontext.Value(r.Body).IsValid() {
		text := fmt.Sprintf("expected JSON, got %d bytes that are not: set Content-Type", len(r.Body))
		return discreet{text, fmt.Sprintf("%s; they begin %q", text, r.Body[:min(len(r.Body), 80)])}
	}
	return nil
}

// gatewaysOwn are response headers that API Gateway renames or drops.
var gatewaysOwn = map[string]bool{
	"Authorization": true, "Connection": true, "Content-Length": true, "Content-Md5": true, "Date": true,
	"Expect": true, "Host": true, "Max-Forwards": true, "Proxy-Authenticate": true, "Server": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "User-Agent": true,
	"Www-Authenticate": true, "X-Amzn-Requestid": true, "X-Amz-Apigw-Id": true,
}

// isToken reports whether a text can be a header's name (RFC 9110, section 5.6.2).
func isToken(text string) bool {
	return text != "" && strings.Trim(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// isUnsafe reports whether a header's value has a character that could end its line, or that
// clients read differently (RFC 9110, section 5.5).
func isUnsafe(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') })
}

// ClientError is an error that the client can correct, such as a body that lacks a member,
// or an account that does not exist. It is not logged: the access log has its status. It is
// not for denials, which are the policy's.
type ClientError struct {
	Status  int    // from 400 to 499
	Message string // the message of the body; the client reads it
}

// Error names status and message.
func (e *ClientError) Error() string { return fmt.Sprintf("%d %s", e.Status, e.Message) }

// reply answers a request that the policy allows. Its errors quote nothing secret.
func (h *Handler) reply(ctx context.Context, request Request) ([]byte, error) {
	reply, err := h.answer(ctx, request)
	if err != nil {
		mendable, ok := errors.AsType[*ClientError](err)
		switch {
		case !ok:
			return nil, discreet{"answer: failed with " + types(err), err}
		case mendable.Status < 400 || mendable.Status > 499:
			return nil, fmt.Errorf("answer: expected a ClientError's status to be from 400 to 499, got %d", mendable.Status)
		}
		return h.responses.refused(mendable), nil
	}
	if err := reply.check(); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return h.responses.of(reply), nil
}

// types describes an error by its type and the types of the errors that it wraps. Their
// messages may quote a claim or what the client sent.
func types(err error) string {
	description := fmt.Sprintf("%T", err)
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		if wrapped := wrapper.Unwrap(); wrapped != nil {
			description += " of " + types(wrapped)
		}
	case interface{ Unwrap() []error }:
		var wrapped []string
		for _, err := range wrapper.Unwrap() {
			wrapped = append(wrapped, types(err))
		}
		description += " of [" + strings.Join(wrapped, ", ") + "]"
	}
	return description
}
