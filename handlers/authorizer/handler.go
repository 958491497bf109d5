package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
)

// errUnauthorized is the error that the function answers. API Gateway answers 401 to exactly
// this text. To any other it answers 500, unless a gateway response makes it 503: that is for
// errUnavailable, which only the setting OUTAGE allows.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
var (
	errUnauthorized = errors.New("Unauthorized")
	errUnavailable  = errors.New("Unavailable")
)

// reserve is the part of an invocation's time that is kept for the answer. If Lambda has to
// stop the function, the caller gets a 500.
const reserve = 100 * time.Millisecond

// keySources are the key sets by their issuer. No key of one is ever used for another.
type keySources map[string]keySource

// keySource finds an issuer's key for a key ID. Its errors are refusals.
type keySource interface {
	Key(ctx context.Context, kid string, failed *signature.Key) (*signature.Key, error)
	Holds(kid string) bool
	Usable() bool
	Age() (time.Duration, bool)
}

// handler authenticates. It is safe for concurrent use.
type handler struct {
	verifier *token.Verifier
	keys     keySources
	scope    policyScope
	outage   error // the answer if no key is usable
	now      func() time.Time
	log      *slog.Logger
}

// Invoke implements [lambda.Handler]. It takes bytes so that an event that does not decode is
// refused like any other. With a typed event the runtime would answer the decoder's error, and
// the caller would get a 500.
func (h *handler) Invoke(ctx context.Context, payload []byte) (response []byte, err error) {
	start := h.now()
	attempt := &attempt{ctx: ctx, sources: h.keys}
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may quote the token. A stack holds addresses, no text.
			response, err = nil, refusal.New(refusal.Internal, "panic at %s", debug.Stack())
		}
		h.report(ctx, attempt, h.now().Sub(start), err)
		if err != nil {
			response, err = nil, h.answer(attempt, err)
		}
	}()
	return h.authenticate(ctx, payload, attempt)
}

// answer is the error that API Gateway gets. A token that fails without a key is refused during
// an outage as at any other time.
func (h *handler) answer(a *attempt, err error) error {
	if refusal.ReasonOf(err) == refusal.JWKSUnavailable && !a.source.Usable() {
		return h.outage
	}
	return errUnauthorized
}

// attempt is one invocation's way to the keys, and what the log says about the caller.
type attempt struct {
	ctx     context.Context // with the time for a fetch
	sources keySources
	source  keySource // the issuer's, once its keys were needed
	kid     string    // the start of the token's key ID
}

// Key implements [token.Keys].
func (a *attempt) Key(issuer, kid string, failed *signature.Key) (*signature.Key, error) {
	a.kid, a.source = token.ShortKeyID(kid), a.sources[issuer]
	return a.source.Key(a.ctx, kid, failed)
}

// Holds implements [token.Keys].
func (a *attempt) Holds(issuer, kid string) bool { return a.sources[issuer].Holds(kid) }

func (h *handler) authenticate(ctx context.Context, payload []byte, a *attempt) ([]byte, error) {
	if deadline, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	if ctx.Err() != nil {
		return nil, refusal.New(refusal.Internal, "less than %v left to answer in", reserve)
	}
	e, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	compact, err := bearer(e.AuthorizationToken)
	if err != nil {
		return nil, err
	}
	stage, err := apiStage(e.MethodArn)
	if err != nil {
		return nil, err
	}
	resource, err := covered(e.MethodArn, stage, h.scope)
	if err != nil {
		return nil, err
	}
	a.ctx = ctx
	claims, err := h.verifier.Verify(compact, h.now(), a)
	if err != nil {
		return nil, err
	}
	return allow(claims, resource, len(h.keys) > 1)
}

// report logs one line per invocation, without claims or parts of the token.
func (h *handler) report(ctx context.Context, a *attempt, took time.Duration, err error) {
	attributes := []any{
		slog.String("kid", a.kid),
		slog.Float64("latency_ms", float64(took.Microseconds())/1000),
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		attributes = append(attributes, slog.String("request_id", lc.AwsRequestID))
	}
	if source := h.sourceOf(a); source != nil {
		if age, ok := source.Age(); ok {
			attributes = append(attributes, slog.Float64("jwks_age_s", age.Seconds()))
		}
	}
	if err == nil {
		h.log.Info("authenticated", append(attributes, slog.String("reason", "accepted"))...)
		return
	}
	level := slog.LevelWarn
	if category := refusal.CategoryOf(err); category == refusal.Defect || category == refusal.Misconfiguration {
		level = slog.LevelError
	}
	h.log.Log(ctx, level, "refused", append(logRefusal(err), attributes...)...)
}

// sourceOf is where the keys for an invocation came from, or would have.
func (h *handler) sourceOf(a *attempt) keySource {
	if a.source == nil && len(h.keys) == 1 {
		for _, only := range h.keys {
			return only
		}
	}
	return a.source
}

// logRefusal are the fields of an error that may be logged. The text of an error that is no
// refusal could hold anything and is left out.
func logRefusal(err error) []any {
	reason, detail := refusal.ReasonOf(err), "unexpected error"
	var refused *refusal.Error
	if errors.As(err, &refused) {
		detail = refused.Detail
	}
	return []any{
		slog.String("reason", string(reason)),
		slog.String("category", string(refusal.CategoryOf(err))),
		slog.String("detail", detail),
	}
}
