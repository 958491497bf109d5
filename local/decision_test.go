package main

import (
	"slices"
	"strings"
	"testing"

	"account-api/local/gateway"
	"account-api/local/trace"
)

const decisionLine = `{"path":"seats/decision","revision":"0123456789abcdef0123","decision_id":"d-1","input":{"scope":"secret:scope"},` +
	`"result":{"allow":false,"reasons":["scope \"read:seats\" is required"]},"metrics":{"timer_rego_query_eval_ns":61200}}`

func TestExplain(t *testing.T) {
	answered := gateway.Exchange{Steps: []gateway.Step{{Hop: "policy"}, {Hop: "integration"}, {Hop: "browser"}}}
	logged := func(lines ...string) trace.Trace {
		return trace.Trace{Invocations: []trace.Invocation{{Log: lines}}}
	}
	green := func(string) string { return "" }
	red := func(handler string) string { return "the tests of " + handler + " fail" }
	for name, row := range map[string]struct {
		trace   trace.Trace
		failing func(string) string
		want    string
	}{
		"a decision comes before the answer": {logged(decisionLine), green, "policy decision integration browser"},
		"no decision, nothing to explain":    {logged("a line"), red, "policy integration browser"},
		"no function, nothing to explain":    {trace.Trace{}, red, "policy integration browser"},
		"with the expressions that failed, and the tests": {
			logged(strings.Replace(decisionLine, `"metrics"`, `"explanation":["a.rego:3: a == b (a is 1)","a.rego:4: c"],"metrics"`, 1)), red,
			"policy decision failed: a.rego:3: a == b (a is 1) failed: a.rego:4: c tests: the tests of seats fail integration browser",
		},
	} {
		var hops []string
		for _, s := range explain(answered, row.trace, row.failing, "functions.log").Steps {
			if hops = append(hops, s.Hop); s.Hop == "failed" || s.Hop == "tests" {
				hops[len(hops)-1] += ": " + s.Detail
			}
			if strings.Contains(s.Detail, "secret:scope") {
				t.Errorf("%s: expected no claim in an explanation", name)
			}
		}
		if got := strings.Join(hops, " "); got != row.want {
			t.Errorf("%s: expected %s, got %s", name, row.want, got)
		}
	}
	if !slices.Equal(answered.Steps, []gateway.Step{{Hop: "policy"}, {Hop: "integration"}, {Hop: "browser"}}) {
		t.Error("expected the gateway's own steps to stay as they are")
	}
}

func TestADenialStandsOnTheLineOfItsRequest(t *testing.T) {
	denied := gateway.Exchange{Status: 403, AnsweredBy: "integration seats", Reason: "answered by the function"}
	logged := trace.Trace{Invocations: []trace.Invocation{{Log: []string{decisionLine}}}}
	e := explain(denied, logged, func(string) string { return "" }, "functions.log")
	if got, want := strings.TrimSpace(e.String()), `403 by policy: scope "read:seats" is required`; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
}

func TestUnlimitedMemoryIsADifference(t *testing.T) {
	for system, want := range map[string]int{"linux": 0, "darwin": 1} {
		if e := unlimited(gateway.Exchange{Integration: &gateway.Invocation{}}, system); len(e.Steps) != want {
			t.Errorf("%s: expected %d steps, got %v", system, want, e.Steps)
		}
		if e := unlimited(gateway.Exchange{}, system); len(e.Steps) != 0 {
			t.Errorf("%s: expected none for an answer of the gateway, got %v", system, e.Steps)
		}
	}
}
