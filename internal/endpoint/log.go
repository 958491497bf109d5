package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

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
// What may name a person or hold a token is erased from the input, and erased names it, as in
// OPA's masked logs. In the reasons such a text is replaced, and masked names them. To decide
// recorded lines again, with the policy of a checkout, run
//
//	make replay LOG=decisions.jsonl
//
// The member replayable says whether the line's input suffices for that. It is false if the
// policy may read a field that is erased.
//
// With whole, for a developer's own machine, nothing is erased or masked.
type decisionLog struct {
	failures  *slog.Logger
	decisions *slog.Logger
	reads     []string // the fields of the input that the policy may read
	reveal    bool     // messages that a line leaves out otherwise
	whole     bool     // nothing is erased or masked
}

// newDecisionLog returns the log of one policy. It formats once what is the same in every
// line. The type and the message of a decision are OPA's.
func newDecisionLog(to io.Writer, path string, policy *decision.Policy, labels []slog.Attr) decisionLog {
	revision := ""
	var reads []string
	if policy != nil {
		revision, reads = policy.Revision(), policy.Reads()
	}
	logger := logline.New(to).With(
		slog.String("path", path),
		slog.String("revision", revision),
		slog.Attr{Key: "labels", Value: slog.GroupValue(labels...)},
	)
	return decisionLog{
		failures:  logger,
		decisions: logger.With(slog.String("type", "openpolicyagent.org/decision_logs")),
		reads:     reads,
	}
}

// decided logs one decision.
func (l decisionLog) decided(ctx context.Context, id string, input decision.Input, result decision.Decision, took time.Duration, explanation []string) {
	erased, masked := []string{}, []string(nil)
	if !l.whole {
		result.Reasons, masked = mask(result.Reasons, secrets(input))
		input, erased = erase(input)
	}
	replayable := !slices.ContainsFunc(erased, func(field string) bool { return slices.Contains(l.reads, field) })
	for i, field := range erased {
		erased[i] = "/input/" + field // RFC 6901
	}
	attributes := []slog.Attr{
		slog.String("decision_id", id),
		slog.Any("input", input),
		slog.Any("erased", erased),
		slog.Any("result", result),
		slog.Bool("replayable", replayable),
		slog.Group("metrics", slog.Int64("timer_rego_query_eval_ns", took.Nanoseconds())),
	}
	if len(explanation) > 0 {
		attributes = append(attributes, slog.Any("explanation", explanation))
	}
	if len(masked) > 0 {
		attributes = append(attributes, slog.Any("masked", masked))
	}
	l.decisions.LogAttrs(ctx, slog.LevelInfo, "Decision Log", attributes...)
}

// erase empties the fields that no line has, and those that are too long. It returns the names
// of those that were not empty.
func erase(input decision.Input) (decision.Input, []string) {
	erased := []string{}
	note := func(name string, present bool) {
		if present {
			erased = append(erased, name)
		}
	}
	if len(input.Parameters) > 0 { // a path without any is the declared one
		note("path", len(input.Path) > 0)
		input.Path = nil
	}
	note("parameters", len(input.Parameters) > 0)
	note("query", len(input.Query) > 0)
	note("principal", input.Principal != "")
	note("claims", len(input.Claims) > 0)
	input.Parameters, input.Query, input.Principal, input.Claims = nil, nil, "", nil
	for _, field := range [...]struct {
		name  string
		value *string
	}{
		{"method", &input.Method},
		{"resource", &input.Resource},
		{"scope", &input.Scope},
		{"permissions", &input.Permissions},
		{"azp", &input.AuthorizedParty},
		{"issuer", &input.Issuer},
	} {
		if len(*field.value) > maxLogged {
			note(field.name, true)
			*field.value = ""
		}
	}
	return input, erased
}

// secrets are the texts of the fields that are always erased, longest first, so that no part
// of one is left when another is replaced.
func secrets(input decision.Input) []string {
	texts := []string{input.Principal}
	for _, value := range input.Parameters {
		texts = append(texts, value)
	}
	declared := strings.Split(input.Resource, "/")
	for _, part := range input.Path {
		if !slices.Contains(declared, part) {
			texts = append(texts, part)
		}
	}
	for name, values := range input.Query {
		texts = append(append(texts, name), values...)
	}
	texts = append(texts, textsIn(input.Claims)...)
	texts = slices.DeleteFunc(texts, func(text string) bool { return text == "" })
	slices.SortFunc(texts, func(a, b string) int { return len(b) - len(a) })
	return texts
}

// textsIn lists the strings and numbers in the values of a JSON document. Numbers stay digit
// for digit, as a policy prints them: as a float64, a large one would be another text.
func textsIn(document []byte) (texts []string) {
	for decoder := jsontext.NewDecoder(bytes.NewReader(document)); ; {
		token, err := decoder.ReadToken()
		if err != nil {
			return texts // its end: the claims were read before
		}
		container, length := decoder.StackIndex(decoder.StackDepth())
		isName := container == '{' && length%2 == 1
		if kind := token.Kind(); kind == '"' && !isName || kind == '0' {
			texts = append(texts, token.String())
		}
	}
}

// shortest is the length from which a secret is replaced wherever it is. A shorter one, such
// as page 1, is replaced where no letter or digit is next to it.
const shortest = 4

// mask replaces secrets in reasons, and returns the places of those that it changed.
func mask(reasons, secrets []string) (result, masked []string) {
	result = make([]string, len(reasons))
	for i, reason := range reasons {
		result[i] = reason
		for _, secret := range secrets {
			result[i] = replace(result[i], secret)
		}
		if result[i] != reason {
			masked = append(masked, fmt.Sprintf("/result/reasons/%d", i))
		}
	}
	return result, masked
}

func replace(text, secret string) string {
	var result strings.Builder
	for {
		before, after, found := strings.Cut(text, secret)
		result.WriteString(before)
		if !found {
			return result.String()
		}
		left, _ := utf8.DecodeLastRuneInString(before)
		right, _ := utf8.DecodeRuneInString(after)
		if len(secret) < shortest && (isWord(left) || isWord(right)) {
			result.WriteString(secret)
		} else {
			result.WriteString("***")
		}
		text = after
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// undecided logs a request that ended without a decision.
func (l decisionLog) undecided(ctx context.Context, id string, cause error) {
	l.failed(ctx, "no decision", id, "error", cause)
}

// unanswered logs a request that was allowed but not answered. Its decision has a line
// already. The member is cause, because error means that there is no decision.
func (l decisionLog) unanswered(ctx context.Context, id string, cause error) {
	l.failed(ctx, "no answer", id, "cause", cause)
}

func (l decisionLog) failed(ctx context.Context, what, id, member string, cause error) {
	attributes := []slog.Attr{slog.String("decision_id", id), slog.String(member, cause.Error())}
	if hidden, ok := errors.AsType[discreet](cause); ok && l.reveal {
		attributes = append(attributes, slog.String("message", fmt.Sprint(hidden.value)))
	}
	l.failures.LogAttrs(ctx, slog.LevelError, what, attributes...)
}

// discreet is an error about a value that may quote a claim or what the client sent. Its text
// does not.
type discreet struct {
	text  string
	value any
}

func (d discreet) Error() string { return d.text }
