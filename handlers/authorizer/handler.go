package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"account-api/internal/refusal"
	"account-api/internal/token"
)

// errUnauthorized is the only error that the function answers. API Gateway answers 401 to
// exactly this text, and 500 to any other.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
var errUnauthorized = errors.New("Unauthorized")

// reserve is the part of an invocation's time that is kept for the answer. If Lambda has to
// stop the function, the caller gets a 500.
const reserve = 100 * time.Millisecond

// keySource finds the provider's key for a key ID. Its errors are refusals.
type keySource interface {
	Key(ctx context.Context, kid string) (*rsa.PublicKey, error)
	Age() (time.Duration, bool)
}

// handler authenticates. It is safe for concurrent use.
type handler struct {
	verifier *token.Verifier
	keys     keySource
	scope    policyScope
	now      func() time.Time
	log      *slog.Logger
}

// Invoke implements [lambda.Handler]. It takes bytes so that an event that does not decode is
// refused like any other. With a typed event the runtime would answer the decoder's error, and
// the caller would get a 500.
func (h *handler) Invoke(ctx context.Context, payload []byte) (response []byte, err error) {
	start := h.now()
	attempt := &attempt{}
	defer func() {
		if p := recover(); p != nil {
			// The panic's value may quote the token. A stack holds addresses, no text.
			response, err = nil, refusal.New(refusal.Internal, "panic at %s", debug.Stack())
		}
		h.report(ctx, attempt, h.now().Sub(start), err)
		if err != nil {
			response, err = nil, errUnauthorized
		}
	}()
	return h.authenticate(ctx, payload, attempt)
}

// attempt is what the log says about a caller.
type attempt struct {
	kid string // the start of the token's key ID
}

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
	claims, err := h.verifier.Verify(compact, h.now(), func(kid string) (*rsa.PublicKey, error) {
		a.kid = token.ShortKeyID(kid)
		return h.keys.Key(ctx, kid)
	})
	if err != nil {
		return nil, err
	}
	return allow(claims, e.MethodArn, stage, h.scope)
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
	if age, ok := h.keys.Age(); ok {
		attributes = append(attributes, slog.Float64("jwks_age_s", age.Seconds()))
	}
	if err == nil {
		h.log.Info("authenticated", append(attributes, slog.String("reason", "accepted"))...)
		return
	}
	level := slog.LevelWarn
	if category := refusal.ReasonOf(err).Category(); category == refusal.Defect || category == refusal.Misconfiguration {
		level = slog.LevelError
	}
	h.log.Log(ctx, level, "refused", append(logRefusal(err), attributes...)...)
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
		slog.String("category", string(reason.Category())),
		slog.String("detail", detail),
	}
}
