package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"account-api/local/gateway/declaration"
	"account-api/local/lambda"
)

// invoke calls a function and notes how it went. The call outlives a client that
// gives up, as it does in AWS. Only the gateway's own timeout ends the wait.
func (c *call) invoke(f *declaration.Function, event []byte, timeout time.Duration) (lambda.Result, *Invocation, error) {
	ctx := context.WithoutCancel(c.request.Context())
	if !c.gateway.patient {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	start := c.gateway.now()
	result, err := c.gateway.functions.Invoke(ctx, f.ARN, event)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // however the implementation words it
	}
	note := &Invocation{
		RequestID: result.RequestID, ColdStart: result.ColdStart, Latency: c.gateway.now().Sub(start),
		LoggedAsReason: loggedReason(result.LogTail),
	}
	if result.FunctionError != "" {
		note.FailureType = readFailure(result.Payload).kind()
	}
	return result, note, err
}

func isTimeout(err error) bool { return errors.Is(err, context.DeadlineExceeded) }

// timing says how long a function took.
func timing(i *Invocation) string {
	cold := ""
	if i.ColdStart {
		cold = ", cold start"
	}
	return fmt.Sprintf(" in %s%s", i.Latency.Round(time.Microsecond), cold)
}

// failure is the document of a failed invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type failure struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func readFailure(payload []byte) failure {
	var f failure
	if json.Unmarshal(payload, &f) != nil {
		return failure{}
	}
	return f
}

// kind is the error's type, if it is a name.
func (f failure) kind() string {
	if !word.MatchString(f.Type) {
		return "unknown"
	}
	return f.Type
}

// word is what may be repeated from a function's output. A sentence may not: it could
// quote what a caller sent.
var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)

// loggedReason is the "reason" of the last JSON log line that has one. It is "" when none
// has, or when it is more than a word.
func loggedReason(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(line, "{") || !strings.Contains(line, `"reason"`) {
			continue // most lines have none, and decoding each takes time on every request
		}
		var entry struct {
			Reason string `json:"reason"`
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Reason != "" {
			if word.MatchString(entry.Reason) {
				return entry.Reason
			}
			return ""
		}
	}
	return ""
}
