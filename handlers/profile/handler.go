package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"account-api/internal/decision"
)

// entrypoint is the rule that decides, as a path below data.
const entrypoint = "profile/decision"

// profile is what the API is about. It stands in for a look-up by principal.
const profile = `{"name":"Daniël"}`

// config is everything that a handler takes from the world around it.
type config struct {
	policy        fs.FS
	allowedOrigin string      // "", "*" or a serialized origin
	labels        []slog.Attr // identify this function in the decision log
	logger        *slog.Logger
	now           func() time.Time
}

// handler answers proxy events. It is immutable and safe for concurrent use.
type handler struct {
	policy    *decision.Policy // nil if broken says why there is none
	broken    error
	responses responses
	log       decisionLog
	now       func() time.Time
}

// nobody is the event of a caller of whom API Gateway knows nothing.
const nobody = `{"requestContext":{"authorizer":{}}}`

// newHandler prepares the policy and lets it decide once about [nobody], which warms
// decoder and engine while Lambda still lends the init phase a full CPU.
//
// A policy that does not compile is no reason not to start. The function would be
// restarted for each request and its callers would see a gateway's error; like this,
// every answer is the 500 that a policy without a decision is, with its cause in the
// log.
func newHandler(ctx context.Context, c config) (*handler, error) {
	responses, err := newResponses(c.allowedOrigin)
	if err != nil {
		return nil, err
	}
	h := &handler{responses: responses, now: c.now}
	h.policy, h.broken = decision.Prepare(ctx, c.policy, entrypoint)
	h.log = newDecisionLog(c.logger, entrypoint, h.policy, c.labels)
	if h.broken != nil {
		h.log.failed(ctx, "", h.broken)
		return h, nil
	}
	request, err := readRequest([]byte(nobody))
	if err != nil {
		return nil, err
	}
	if _, err := h.policy.Decide(ctx, request.input); err != nil {
		h.log.failed(ctx, "", fmt.Errorf("about an empty input: %w", err))
	}
	return h, nil
}

// Invoke answers one proxy event, as a [lambda.Handler]: bytes in and bytes out, because
// a reflective handler would decode the whole event to use three of its fields. It never
// returns an error. API Gateway would turn that into a 502 of its own, while every
// failure here is a 500 and its cause is in the log.
func (h *handler) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	var requestID string
	defer func() {
		if fault := recover(); fault != nil {
			h.log.failed(ctx, requestID, panicCause(fault))
			response = h.responses.internalError
		}
	}()

	request, err := readRequest(payload)
	requestID = request.id
	if requestID == "" {
		requestID = invocationID(ctx)
	}
	if err != nil {
		h.log.failed(ctx, requestID, err)
		return h.responses.internalError, nil
	}

	if h.broken != nil {
		h.log.failed(ctx, requestID, h.broken)
		return h.responses.internalError, nil
	}
	start := h.now()
	decided, err := h.policy.Decide(ctx, request.input)
	elapsed := h.now().Sub(start)
	if err != nil {
		h.log.failed(ctx, requestID, err)
		return h.responses.internalError, nil
	}
	h.log.decided(ctx, requestID, request.input, decided, elapsed)
	if !decided.Allow {
		return h.responses.forbidden(cmp.Or(strings.Join(decided.Reasons, "; "), "denied by policy")), nil
	}
	return h.responses.profile, nil
}

// invocationID is Lambda's own request ID, for an event that carries none.
func invocationID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}

// panicCause describes a panic without its value, which may be or quote a claim. The
// messages of the runtime's own panics are safe: they know indices and types only.
func panicCause(fault any) error {
	cause := fmt.Sprintf("a %T", fault)
	if fault, ok := fault.(runtime.Error); ok {
		cause = fault.Error()
	}
	return fmt.Errorf("panic: %s\n%s", cause, debug.Stack())
}
