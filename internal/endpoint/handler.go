package endpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"account-api/internal/decision"
)

// Handler answers proxy events, as a [lambda.Handler]. It is immutable and safe for
// concurrent use.
type Handler struct {
	policy    *decision.Policy // nil if broken says why there is none
	broken    error
	answer    func(context.Context, Request) (Reply, error)
	headers   []string // of requests, that answer reads
	responses responses
	log       decisionLog
	now       func() time.Time
	budget    time.Duration // for one decision
	explain   bool          // denials, in the log
}

// budget is the longest that a decision may take. A usual one takes some 20 µs. A policy that
// exceeds it, by a comprehension over its own input for example, ends in a 500 and in a log
// line that names it. At the function's timeout Lambda would end the process without one.
const budget = time.Second

// emptyEvent is an event without an authorizer.
const emptyEvent = `{"requestContext":{"authorizer":{}}}`

// New prepares the policy and makes one decision, about [emptyEvent]. That warms the decoder
// and OPA in the init phase, which has a full CPU. It is an error if c is incomplete, or if
// the origin is none that a browser sends.
//
// A policy that does not compile is not an error here. Lambda would start the function anew
// for each request, and callers would get a 502. Instead every answer is a 500, and the log
// has the cause.
func New(ctx context.Context, c Config, e Environment) (*Handler, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	responses, err := newResponses(e.AllowedOrigin)
	if err != nil {
		return nil, err
	}
	h := &Handler{answer: c.Answer, headers: c.Headers, responses: responses, now: e.Now, budget: budget, explain: e.ExplainDenials}
	h.policy, h.broken = decision.Prepare(ctx, c.Policy, c.Entrypoint)
	h.log = newDecisionLog(e.Log, c.Entrypoint, h.policy, e.Labels)
	h.log.reveal, h.log.whole = e.RevealErrors, e.ExplainDenials
	if h.broken != nil {
		h.log.undecided(ctx, "", h.broken)
		return h, nil
	}
	_, input, err := readEvent([]byte(emptyEvent))
	if err != nil {
		return nil, err
	}
	if _, err := h.decide(ctx, input); err != nil {
		h.log.undecided(ctx, "", fmt.Errorf("about an empty input: %w", err))
	}
	return h, nil
}

// Invoke answers one proxy event. It takes and returns bytes, because a reflective handler
// decodes the whole event for a few fields. It never returns an error, which API Gateway
// would answer with a 502. Every failure is a 500, and the log has its cause.
func (h *Handler) Invoke(ctx context.Context, payload []byte) (response []byte, _ error) {
	var id string
	failed := decisionLog.undecided // until there is a decision
	defer func() {
		if fault := recover(); fault != nil {
			failed(h.log, ctx, id, panicCause(fault))
			response = h.responses.internalError
		}
	}()

	request, input, err := readEvent(payload)
	request.headers = h.headers
	if request.ID == "" {
		request.ID = invocationID(ctx)
	}
	id = request.ID
	if h.broken != nil {
		failed(h.log, ctx, id, h.broken)
		return h.responses.internalError, nil
	}
	if refused, ok := errors.AsType[*ClientError](err); ok {
		return h.responses.refused(refused), nil
	}
	if err != nil {
		failed(h.log, ctx, id, err)
		return h.responses.internalError, nil
	}

	start := h.now()
	decided, err := h.decide(ctx, input)
	elapsed := h.now().Sub(start)
	if err != nil {
		failed(h.log, ctx, id, err)
		return h.responses.internalError, nil
	}
	h.log.decided(ctx, id, input, decided, elapsed, h.explanation(ctx, input, decided))
	if !decided.Allow {
		return h.responses.forbidden(cmp.Or(strings.Join(decided.Reasons, "; "), "denied by policy")), nil
	}

	failed = decisionLog.unanswered
	response, err = h.reply(ctx, request)
	if err != nil {
		failed(h.log, ctx, id, err)
		return h.responses.internalError, nil
	}
	return response, nil
}

// explanation is why the policy denied, if that is to be logged.
func (h *Handler) explanation(ctx context.Context, input decision.Input, decided decision.Decision) []string {
	if !h.explain || decided.Allow {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, h.budget)
	defer cancel()
	lines, err := h.policy.Explain(limited, input)
	if err != nil {
		lines = append(lines, err.Error())
	}
	return lines
}

// decide asks the policy within the budget, or half of the function's remaining time if that
// is less.
func (h *Handler) decide(ctx context.Context, input decision.Input) (decision.Decision, error) {
	allowance := h.budget
	if deadline, ok := ctx.Deadline(); ok {
		allowance = min(allowance, time.Until(deadline)/2)
	}
	limited, cancel := context.WithTimeout(ctx, allowance)
	defer cancel()
	decided, err := h.policy.Decide(limited, input)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s exceeded its budget of %v: %w", h.policy.Entrypoint(), allowance, err)
	}
	return decided, err
}

// invocationID is Lambda's own request ID, for an event that carries none.
func invocationID(ctx context.Context) string {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		return invocation.AwsRequestID
	}
	return ""
}

// panicCause describes a panic without its value, which may quote a claim. The messages of
// the runtime's own panics have indices and types only.
func panicCause(fault any) error {
	cause := fmt.Sprintf("a %T", fault)
	if fault, ok := fault.(runtime.Error); ok {
		cause = fault.Error()
	}
	return discreet{fmt.Sprintf("panic: %s\n%s", cause, debug.Stack()), fault}
}
