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
// bytes long. A longer field is left out, not cut: the replay of a cut one could end in
// another decision.
const maxLogged = 4 << 10

// decisionLog writes one line for each decision in the terms of OPA's decision logs,
// so that tools for those read it: https://www.openpolicyagent.org/docs/management-decision-logs
//
// To replay a decision, put the line's input into input.json and run
//
//	opa eval -d policies -i input.json data.orders.decision
//
// The principal and the client are erased from the input, and erased names them, as in
// OPA's masked logs. If the policy reads one of them, the replay may differ.
type decisionLog struct {
	failures  *slog.Logger
	decisions *slog.Logger
}

// newDecisionLog returns the log of one policy. It formats once what is the same in every
// line. The type and the message of a decision are OPA's.
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

// unanswered logs a request that was allowed but not answered. Its decision has a line
// already. The member is cause, because error means that there is no decision.
func (l decisionLog) unanswered(ctx context.Context, id string, cause error) {
	l.failures.LogAttrs(ctx, slog.LevelError, "no answer",
		slog.String("decision_id", id),
		slog.String("cause", cause.Error()),
	)
}
