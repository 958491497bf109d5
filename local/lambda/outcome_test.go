//go:build unix

package lambda

import (
	"strings"
	"testing"
	"time"
)

// TestOutcomes walks through how an invocation can end, what its caller gets, and
// what becomes of the process.
func TestOutcomes(t *testing.T) {
	const id = "$ID" // stands for the request's id
	tests := []struct {
		name       string
		executable string
		variables  map[string]string
		timeout    time.Duration
		initLimit  time.Duration
		event      string

		payload string // the whole payload, or
		kind    string // the error document
		message string
		reused  bool  // by the next invocation
		stats   Stats // after the invocation, without Alive
	}{
		{name: "a response comes back byte by byte", executable: function,
			event: `{"do":"echo","text":"é<&>"}`, payload: `{"do":"echo","text":"é<&>"}`,
			reused: true, stats: Stats{Starts: 1}},
		{name: "a response need not be JSON", executable: function,
			event: `{"do":"binary"}`, payload: "\xff\x00\xfe",
			reused: true, stats: Stats{Starts: 1}},
		{name: "an error has exactly its message, and the process lives on", executable: function,
			event: `{"do":"error","text":"Unauthorized"}`, kind: "errorString", message: "Unauthorized",
			reused: true, stats: Stats{Starts: 1}},
		{name: "an error in mid-stream comes in the trailers", executable: function,
			event: `{"do":"stream","text":"half a resp"}`, kind: "errorString", message: "the source ran dry",
			reused: true, stats: Stats{Starts: 1}},
		{name: "an error without a document gets one", executable: manual,
			variables: map[string]string{"MODE": "error without a document"},
			kind:      "Custom.Failure", message: "the runtime reported an error without a document",
			reused: true, stats: Stats{Starts: 1}},
		{name: "a panic is reported by the runtime, which then exits", executable: function,
			event: `{"do":"panic","text":"no way out"}`, kind: "string", message: "no way out",
			stats: Stats{Starts: 1, Crashes: 1}},
		{name: "an exit is reported by the platform", executable: function,
			event: `{"do":"exit","count":9}`, kind: "Runtime.ExitError",
			message: "RequestId: $ID Error: Runtime exited with error: exit status 9",
			stats:   Stats{Starts: 1, Crashes: 1}},
		{name: "an exit with status 0 has no reason", executable: manual,
			variables: map[string]string{"MODE": "exits with 0"},
			kind:      "Runtime.ExitError", message: "RequestId: $ID Error: Runtime exited without providing a reason",
			stats: Stats{Starts: 1, Crashes: 1}},
		{name: "an exit after the answer does not take it back", executable: manual,
			variables: map[string]string{"MODE": "answers and exits"}, payload: `"answered"`,
			stats: Stats{Starts: 1, Crashes: 1}},
		{name: "a handler that hangs is killed at the timeout", executable: function, timeout: 200 * time.Millisecond,
			event: `{"do":"hang"}`, kind: "Sandbox.Timedout", message: "RequestId: $ID Error: Task timed out after 0.20 seconds",
			stats: Stats{Starts: 1, Timeouts: 1}},
		{name: "an answer counts only once the runtime asks for more", executable: manual, timeout: 200 * time.Millisecond,
			variables: map[string]string{"MODE": "answers and hangs"},
			kind:      "Sandbox.Timedout", message: "RequestId: $ID Error: Task timed out after 0.20 seconds",
			stats: Stats{Starts: 1, Timeouts: 1}},
		{name: "the longest response passes", executable: function,
			event: `{"do":"big","count":6291556}`, payload: `"` + strings.Repeat("x", maxResponseBytes-2) + `"`,
			reused: true, stats: Stats{Starts: 1}},
		{name: "a longer response is refused, upon which aws-lambda-go exits", executable: function,
			event: `{"do":"big","count":6291557}`, kind: "Function.ResponseSizeTooLarge",
			message: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
			stats:   Stats{Starts: 1, Crashes: 1}},
		{name: "a longer response is refused with 413, and a patient runtime is reused", executable: manual,
			variables: map[string]string{"MODE": "answers too much"},
			kind:      "Function.ResponseSizeTooLarge",
			message:   "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
			reused:    true, stats: Stats{Starts: 1}},
		{name: "an init error is the runtime's own document", executable: manual,
			variables: map[string]string{"MODE": "init error"},
			kind:      "Runtime.Config", message: "no key set",
			stats: Stats{Starts: 1, Crashes: 1}},
		{name: "an init error ends the process even if it would stay", executable: manual,
			variables: map[string]string{"MODE": "init error, then stays"},
			kind:      "Runtime.Config", message: "the runtime reported an error without a document",
			stats: Stats{Starts: 1, Crashes: 1}},
		{name: "an exit during init is reported by the platform", executable: function,
			variables: map[string]string{"INIT": "exit"},
			kind:      "Runtime.ExitError", message: "RequestId: $ID Error: Runtime exited with error: exit status 7",
			stats: Stats{Starts: 1, Crashes: 1}},
		{name: "an init that hangs is killed at its limit", executable: function, initLimit: 200 * time.Millisecond,
			variables: map[string]string{"INIT": "hang"},
			kind:      "Sandbox.Timedout", message: "RequestId: $ID Error: Init timed out after 0.20 seconds",
			stats: Stats{Starts: 1, Timeouts: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log := newNotebook()
			p := newPool(t, declared(test.executable, func(fn *Function) {
				fn.Environment = test.variables
				if test.timeout > 0 {
					fn.Timeout = test.timeout
				}
			}), Options{Log: log.note})
			if test.initLimit > 0 {
				p.initLimit = test.initLimit
			}
			r := invoke(t, p, test.event)
			if test.kind == "" {
				if r.FunctionError != "" || string(r.Payload) != test.payload {
					t.Errorf("got %q, %.200q, expected the response %.200q", r.FunctionError, r.Payload, test.payload)
				}
			} else {
				kind, message := document(t, r)
				if kind != test.kind || message != strings.ReplaceAll(test.message, id, r.RequestID) {
					t.Errorf("got %s %q, expected %s %q", kind, message, test.kind, test.message)
				}
			}
			if !r.ColdStart || r.InitDuration <= 0 {
				t.Errorf("cold start %t, init %v, expected a cold start that takes time", r.ColdStart, r.InitDuration)
			}
			if !test.reused {
				eventually(t, "the process is gone", func() bool { return p.Stats().Alive == 0 })
			}
			stats := p.Stats()
			stats.Alive = 0
			if stats != test.stats {
				t.Errorf("got %+v, expected %+v", stats, test.stats)
			}
			again := invoke(t, p, test.event)
			if again.ColdStart == test.reused {
				t.Errorf("the next invocation: cold start %t, expected %t", again.ColdStart, !test.reused)
			}
			if again.RequestID == r.RequestID {
				t.Error("two invocations have one request id")
			}
			log.await(t, "REPORT RequestId: "+again.RequestID, 1)
		})
	}
}

func TestAnExecutableThatCannotStartIsTheFunctionsFailure(t *testing.T) {
	p := newPool(t, declared("missing", nil), Options{})
	for range 2 {
		kind, message := document(t, invoke(t, p, `{}`))
		if kind != "Runtime.InvalidEntrypoint" || !strings.Contains(message, "missing") {
			t.Errorf("got %s %q, expected Runtime.InvalidEntrypoint and the executable's name", kind, message)
		}
	}
	if stats := p.Stats(); stats != (Stats{Starts: 2}) {
		t.Errorf("got %+v, expected one attempt per invocation", stats)
	}
	p.Replace(p.fn.Executable[:len(p.fn.Executable)-len("missing")] + function)
	if r := invoke(t, p, `{"do":"who"}`); who(t, r).Version != function {
		t.Errorf("got %s after the executable was built", r.Payload)
	}
}
