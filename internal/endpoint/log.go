package endpoint

import (
	"context"
	"io"
	"log/slog"
	"time"

	"account-api/internal/decision"
	"account-api/internal/logline"
)

// maxLogged bounds a field of the input in a log line, in bytes. Scopes are some hundred
// bytes long; one beyond 4 KiB is left out of the line and not cut, as a replay of a cut
// one would end in another decision.
const maxLogged = 4 << 10

// decisionLog writes one line for each decision in the terms of OPA's decision logs,
// so that tools for those read it: https://www.openpolicyagent.org/docs/management-decision-logs
//
// It is enough to repeat a decision: with a line's input in input.json, run
//
//	opa eval -d policies -i input.json data.orders.decision
//
// It never holds who the caller is. The principal and the client are taken out of the
// input, and the line says so under erased, as OPA does for what its operator masks.
type decisionLog struct {
	failures  *slog.Logger
	decisions *slog.Logger
}

// newDecisionLog returns the log of one policy. What is the same in every line is
// formatted here and not for every request. The type is OPA's own, and so is the text
// of a decision.
func newDecisionLog(to io.Writer, path string, policy *decision.Policy, labels []slog.Attr) decisionLog {
	revision := ""
	if policy != nil {
		revision = policy.Revision()
	}
	logger := logline.New(to).With(
		slog.String("path", path),
		slog.String("revision", revision),
		slog.Attr{Key: "labels", Value: slog.GroupValue(labels...)},
	)
	return decisionLog{failures: logger, decisions: logger.With(slog.String("type", "openpolicyagent.org/decision_logs"))}
}

// decided logs one decision.
func (l decisionLog) decided(ctx context.Context, id string, input decision.Input, result decision.Decision, took time.Duration) {
	erased := make([]string, 0, 2)
	for _, field := range [...]struct {
		pointer string // RFC 6901
		value   *string
		most    int
	}{
		{"/input/principal", &input.Principal, 0},
		{"/input/azp", &input.AuthorizedParty, 0},
		{"/input/scope", &input.Scope, maxLogged},
		{"/input/permissions", &input.Permissions, maxLogged},
	} {
		if len(*field.value) > field.most {
			*field.value = ""
			erased = append(erased, field.pointer)
		}
	}
	l.decisions.LogAttrs(ctx, slog.LevelInfo, "Decision Log",
		slog.String("decision_id", id),
		slog.Any("input", input),
		slog.Any("erased", erased),
		slog.Any("result", result),
		slog.Group("metrics", slog.Int64("timer_rego_query_eval_ns", took.Nanoseconds())),
	)
}

// undecided logs a request that ended without a decision.
func (l decisionLog) undecided(ctx context.Context, id string, cause error) {
	l.failures.LogAttrs(ctx, slog.LevelError, "no decision",
		slog.String("decision_id", id),
		slog.String("error", cause.Error()),
	)
}

// unanswered logs a request that was allowed and has a line already, but no answer. It
// says cause for error, as the line is not about the decision, which was made.
func (l decisionLog) unanswered(ctx context.Context, id string, cause error) {
	l.failures.LogAttrs(ctx, slog.LevelError, "no answer",
		slog.String("decision_id", id),
		slog.String("cause", cause.Error()),
	)
}
