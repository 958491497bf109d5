package endpoint

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"account-api/internal/endpoint/endpointtest"
)

// orders is the policy of the tests' endpoint.
const orders = `package orders

default allow := false

allow if "read:orders" in split(input.scope, " ")

default decision := {"allow": false, "reasons": {"scope \"read:orders\" is required"}}

decision := {"allow": true, "reasons": set()} if allow == true
`

// byDefault is for a policy whose own rule always decides.
const byDefault = "\ndefault decision := {\"allow\": false, \"reasons\": {\"by default\"}}\n"

// The answers, byte for byte, of a function without ALLOWED_ORIGIN.
const (
	ok        = `{"statusCode":200,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"customer\":\"Zoë\"}"}`
	forbidden = `{"statusCode":403,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"message\":\"Error: Forbidden\",\"info\":\"scope \\\"read:orders\\\" is required\"}"}`
	badPath   = `{"statusCode":400,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"message\":\"the path is not percent-encoded UTF-8\"}"}`
	failure   = `{"statusCode":500,"headers":{"Content-Type":"application/json","Cache-Control":"no-store"},"body":"{\"message\":\"Internal server error\"}"}`
)

// body is what the tests' endpoint answers.
const body = `{"customer":"Zoë"}`

// configuration is an endpoint with the policy of orders, without an allowed origin.
func configuration(log io.Writer) (Config, Environment) {
	return Config{
			Policy:     regoFile(orders),
			Entrypoint: "orders/decision",
			Answer:     func(context.Context, Request) (Reply, error) { return Reply{Body: []byte(body)}, nil },
		}, Environment{
			Labels: []slog.Attr{slog.String("system", "orders-api")},
			Log:    log,
			Now:    time.Now,
		}
}

// newTestHandler returns a handler, and the log that it writes after its start.
func newTestHandler(t testing.TB, change func(*Config, *Environment)) (*Handler, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	c, e := configuration(log)
	if change != nil {
		change(&c, &e)
	}
	handler, err := New(t.Context(), c, e)
	if err != nil {
		t.Fatal(err)
	}
	log.Reset()
	return handler, log
}

func withPolicy(rego string) func(*Config, *Environment) {
	return func(c *Config, _ *Environment) { c.Policy = regoFile(rego) }
}

func regoFile(rego string) fs.FS {
	return fstest.MapFS{"orders/orders.rego": {Data: []byte(rego)}}
}

// Nothing of these may appear in a log, though the event has them.
const (
	bearer  = endpointtest.Bearer
	subject = endpointtest.Subject
)

const eventID = endpointtest.RequestID

func event(authorizer string) string { return endpointtest.Event(authorizer) }

func scope(t testing.TB, scope string) string {
	t.Helper()
	return endpointtest.Scope(t, scope)
}

func invoke(t testing.TB, h *Handler, payload string) string {
	t.Helper()
	response, err := h.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatalf("Invoke returned the error %v, want none ever", err)
	}
	return string(response)
}
