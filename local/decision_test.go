package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"account-api/local/gateway"
	"account-api/local/lambda"
)

const decisionLine = `{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","msg":"Decision Log","path":"seats/decision",` +
	`"revision":"0123456789abcdef0123","decision_id":"d-1","input":{"scope":"secret:scope"},"erased":["/input/principal"],` +
	`"result":{"allow":false,"reasons":["scope \"read:seats\" is required"]},"metrics":{"timer_rego_query_eval_ns":61200}}`

func TestReadDecision(t *testing.T) {
	for name, row := range map[string]struct {
		lines []string
		want  string // "" when there is none
	}{
		"a denial has its reasons":      {[]string{decisionLine}, `deny by seats/decision: scope "read:seats" is required (decision_id d-1, revision 0123456789ab, 61µs)`},
		"the last one counts":           {[]string{`{"decision_id":"d-0","result":{"allow":true}}`, decisionLine, "more"}, `deny by seats/decision: scope "read:seats" is required (decision_id d-1, revision 0123456789ab, 61µs)`},
		"an allowed request needs none": {[]string{`{"path":"p","decision_id":"d-2","result":{"allow":true,"reasons":[]}}`}, "allow by p (decision_id d-2, revision , 0s)"},
		"a failure has its cause":       {[]string{`{"decision_id":"d-3","error":"undefined"}`}, "none: undefined (decision_id d-3)"},
		"no log":                        {nil, ""},
		"a line that is no JSON":        {[]string{`"decision_id"`, `{"decision_id":`}, ""},
		"a line that decides nothing":   {[]string{`{"decision_id":"d-4"}`}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, found := readDecision(row.lines)
			got := ""
			if found {
				got = d.String()
			}
			if got != row.want {
				t.Errorf("expected %q, got %q", row.want, got)
			}
		})
	}
}

// green says that no tests fail.
func green(string) string { return "" }

func TestExplain(t *testing.T) {
	exchange := func(id string) gateway.Exchange {
		return gateway.Exchange{
			Status: 403, AnsweredBy: "integration seats", Reason: "answered by the function",
			Integration: &gateway.Invocation{RequestID: id},
			Steps:       []gateway.Step{{Hop: "policy"}, {Hop: "integration"}, {Hop: "browser"}},
		}
	}
	hops := func(e gateway.Exchange) string {
		var hops []string
		for _, s := range e.Steps {
			hops = append(hops, s.Hop)
		}
		return strings.Join(hops, " ")
	}
	d := newNotes("")
	d.take(lambda.Result{RequestID: "one", LogTail: []string{decisionLine}}, 128)
	e := d.explain(exchange("one"), green, "functions.log")
	if got, want := hops(e), "policy decision integration browser"; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	if got, want := e.String(), `  403 by policy: scope "read:seats" is required`; got != want {
		t.Errorf("expected the line to have the policy's reason, got %q", got)
	}
	if slices.ContainsFunc(e.Steps, func(s gateway.Step) bool { return strings.Contains(s.Detail, "secret:scope") }) {
		t.Error("expected no claim in an explanation")
	}
	if got, want := hops(d.explain(exchange("one"), green, "functions.log")), "policy integration browser"; got != want {
		t.Errorf("expected a decision to explain one exchange, got %s", got)
	}
	if got := hops(d.explain(gateway.Exchange{}, green, "functions.log")); got != "" {
		t.Errorf("expected nothing for an answer of the gateway, got %s", got)
	}
	t.Run("with the expressions that failed, and the tests", func(t *testing.T) {
		d.take(lambda.Result{RequestID: "two", LogTail: []string{strings.Replace(decisionLine, `"metrics"`, `"explanation":["a.rego:3: a == b (a is 1)","a.rego:4: c"],"metrics"`, 1)}}, 128)
		e := d.explain(exchange("two"), func(handler string) string { return "the tests of " + handler + " fail" }, "functions.log")
		if got, want := hops(e), "policy decision failed failed tests integration browser"; got != want {
			t.Errorf("expected %s, got %s", want, got)
		}
		if e.Steps[2].Detail != "a.rego:3: a == b (a is 1)" || e.Steps[4].Detail != "the tests of seats fail" {
			t.Errorf("got the steps %v", e.Steps)
		}
	})
	t.Run("what nobody asks for is forgotten", func(t *testing.T) {
		for i := range 3 * maxNotes {
			d.take(lambda.Result{RequestID: fmt.Sprint(i), LogTail: []string{decisionLine}}, 128)
		}
		if len(d.of) != maxNotes || len(d.order) != maxNotes {
			t.Errorf("expected %d, got %d and %d", maxNotes, len(d.of), len(d.order))
		}
	})
}

func FuzzReadDecision(f *testing.F) {
	f.Add(decisionLine)
	f.Add(`{"decision_id":"x","error":"y"}`)
	f.Add(`{"decision_id":1}`)
	f.Fuzz(func(t *testing.T, line string) {
		if d, found := readDecision([]string{line}); found && !strings.Contains(d.String(), "decision_id "+d.ID) {
			t.Errorf("expected the decision's ID, got %q", d)
		}
	})
}
