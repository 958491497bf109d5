package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"account-api/local/gateway/member"
	"account-api/local/lambda"
)

// invoke calls a function and notes how it went. The call outlives a client that
// gives up, as it does in AWS; only the gateway's own timeout ends the wait.
func (c *call) invoke(f *function, event []byte, timeout time.Duration) (lambda.Result, *Invocation, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.request.Context()), timeout)
	defer cancel()
	start := c.gateway.now()
	result, err := c.gateway.functions.Invoke(ctx, f.arn, event)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // however the implementation words it
	}
	note := &Invocation{
		Function: f.name, RequestID: result.RequestID, ColdStart: result.ColdStart,
		InitDuration: result.InitDuration, Duration: result.Duration, Latency: c.gateway.now().Sub(start),
		Failed: err != nil || result.FunctionError != "", LoggedAsReason: loggedReason(result.LogTail),
	}
	if result.FunctionError != "" {
		note.FailureType = errorType(result.Payload)
	}
	return result, note, err
}

// proxy answers from a Lambda proxy integration.
func (c *call) proxy(i *integration) (answer, *fault) {
	if i.httpMethod != http.MethodPost {
		return answer{}, c.integrationFault(http.StatusInternalServerError, "integrationHttpMethod is "+i.httpMethod+": a function is called with POST")
	}
	source := fmt.Sprintf("%s/%s/%s%s", c.gateway.api.executionARN, c.stage.name, c.exchange.Method, c.match.resource.sourcePath())
	if ok, why := c.gateway.api.permitted(i.function, source); !ok {
		c.step("integration", "%s", why)
		return answer{}, c.integrationFault(http.StatusInternalServerError, why)
	}
	event, err := json.Marshal(c.event())
	if err != nil {
		return answer{}, c.integrationFault(http.StatusInternalServerError, "the function's event could not be encoded")
	}
	if len(event) > maxEvent {
		return answer{}, newFault(requestTooLarge, fmt.Sprintf("the function's event has %d bytes, at most %d pass", len(event), maxEvent))
	}
	result, note, err := c.invoke(i.function, event, i.timeout)
	c.exchange.Integration = note
	c.exchange.AnsweredBy = "integration " + i.function.name
	switch {
	case isTimeout(err):
		c.step("integration", "%s did not answer within %s", i.function.name, i.timeout)
		return answer{}, newFault(integrationTimeout, fmt.Sprintf("the function did not answer within %s", i.timeout))
	case err != nil:
		return answer{}, c.integrationFault(http.StatusInternalServerError, "the function could not be invoked")
	case result.FunctionError != "":
		c.step("integration", "%s failed with error type %s%s", i.function.name, note.FailureType, timing(note))
		return answer{}, c.integrationFault(http.StatusBadGateway, "the function failed with error type "+note.FailureType)
	}
	a, err := parseProxyResponse(result.Payload)
	if err != nil {
		c.step("integration", "%s answered what cannot be used: %v", i.function.name, err)
		return answer{}, c.integrationFault(http.StatusBadGateway, "the function's answer cannot be used: "+err.Error())
	}
	note.Status = a.status
	c.exchange.Reason = "answered by the function"
	if note.LoggedAsReason != "" {
		c.exchange.Reason += " (reason " + note.LoggedAsReason + ")"
	}
	c.step("integration", "%s answered %d%s", i.function.name, a.status, timing(note))
	if len(a.get("X-Amzn-Trace-Id")) == 0 {
		a.set("X-Amzn-Trace-Id", c.traceID())
	}
	return a, nil
}

// integrationFault is an integration that gave nothing to pass on. Its status is not
// the one of INTEGRATION_FAILURE, so it is customised through DEFAULT_5XX alone.
func (c *call) integrationFault(status int, reason string) *fault {
	f := newFault(default5XX, reason)
	f.status = status
	return f
}

// failure is the document of a failed invocation.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type failure struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

func errorMessage(payload []byte) string {
	var f failure
	if json.Unmarshal(payload, &f) != nil {
		return ""
	}
	return f.Message
}

// word is what may be repeated from a function's output: a name, not a sentence,
// so that nothing a caller sent is repeated with it.
var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)

func errorType(payload []byte) string {
	var f failure
	if json.Unmarshal(payload, &f) != nil || !word.MatchString(f.Type) {
		return "unknown"
	}
	return f.Type
}

// loggedReason is the "reason" of the last JSON log line that has one; "" when none
// has, or it is more than a word.
func loggedReason(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		line := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(line, "{") || !strings.Contains(line, `"reason"`) {
			continue // most lines have none, and decoding them all would take longer than the rest
		}
		entry, err := member.Of([]byte(line))
		if reason, _ := member.Text(entry["reason"]); err == nil && reason != "" {
			if word.MatchString(reason) {
				return reason
			}
			return ""
		}
	}
	return ""
}
