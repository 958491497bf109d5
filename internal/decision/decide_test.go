package decision_test

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"

	"account-api/internal/decision"
)

func TestDecide(t *testing.T) {
	const composed = `package gate

default allow := false

allow if {
	input.principal
	input.scope == "open"
}

reasons contains "a principal is required" if not input.principal

reasons contains "an open gate is required" if not input.scope == "open"

decision := {"allow": allow, "reasons": reasons}
`
	for _, row := range []struct {
		name, rego string
		input      decision.Input
		want       decision.Decision
	}{
		{"allowed, without a reason", composed, decision.Input{Principal: "p", Scope: "open"},
			decision.Decision{Allow: true, Reasons: []string{}}},
		{"denied for one reason", composed, decision.Input{Principal: "p", Scope: "shut"},
			decision.Decision{Reasons: []string{"an open gate is required"}}},
		{"denied by default", `package gate

decision := {"allow": true, "reasons": set()} if input.scope == "open"
`, decision.Input{}, decision.Decision{Reasons: []string{"by default"}}},
		{"denied for two reasons, in order", composed, decision.Input{},
			decision.Decision{Reasons: []string{"a principal is required", "an open gate is required"}}},
		{"denied, with reasons in an array", "package gate\n\ndecision := {\"allow\": false, \"reasons\": [\"b\", \"a\"]}", decision.Input{},
			decision.Decision{Reasons: []string{"a", "b"}}},
		{"denied, without a reason", "package gate\n\ndecision := {\"allow\": false, \"reasons\": set()}", decision.Input{},
			decision.Decision{Reasons: []string{}}},
		{"allowed, with a reason", "package gate\n\ndecision := {\"allow\": true, \"reasons\": {\"it is Sunday\"}}", decision.Input{},
			decision.Decision{Allow: true, Reasons: []string{"it is Sunday"}}},
		{"an empty field is absent", "package gate\n\ndecision := {\"allow\": false, \"reasons\": {concat(\",\", object.keys(input)), \"denied\"}}",
			decision.Input{Scope: "s"}, decision.Decision{Reasons: []string{"denied", "scope"}}},
		{"another input within the same decision", `package gate

closed := true if not input.scope

decision := {"allow": true, "reasons": set()} if {
	not closed
	closed with input as {}
	not closed
}
`, decision.Input{Scope: "s"}, decision.Decision{Allow: true, Reasons: []string{}}},
		{"a hundred rules, one behind the other", chain(100), decision.Input{Scope: "s"},
			decision.Decision{Allow: true, Reasons: []string{}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := prepare(t, row.rego).Decide(t.Context(), row.input)
			if err != nil || !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, row.want)
			}
		})
	}
}

// The policies decide as OPA's package rego lets them, whatever the input.
func TestDecideAsPackageRego(t *testing.T) {
	for name, rules := range map[string]string{
		"a comparison":       `allow if input.scope == "open"`,
		"a negation":         `allow if not input.scope == "open"`,
		"a list":             `allow if "open" in split(input.scope, " ")`,
		"several conditions": `allow if { input.principal; some part in split(input.scope, " "); startswith(part, "o") }`,
		"every part":         `allow if every part in split(input.scope, " ") { part != "shut" }`,
		"a function":         "allow if opens(input.scope)\n\nopens(\"open\")\n\nopens(scope) := false if scope == \"shut\"",
		"an alternative":     "allow := false if input.scope == \"shut\" else := true if input.principal",
		"a comprehension":    `allow if count({part | some part in split(input.scope, " ")}) == 2`,
		"a replaced input":   `allow if regex.match("^o", input.scope) with input.scope as sprintf("o%s", [input.scope])`,
		"a failing function": `allow if to_number(input.scope) == 1`,
	} {
		t.Run(name, func(t *testing.T) {
			text := "package gate\n\ndefault allow := false\n\n" + rules + "\n\ndecision := {\"allow\": allow, \"reasons\": [input.principal]}\n" + denied
			ours := prepare(t, text)
			query, err := rego.New(rego.Query("data.gate.decision"), rego.Module("gate.rego", text), rego.StrictBuiltinErrors(true)).PrepareForEval(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, principal := range []string{"", "p"} {
				for _, scope := range []string{"", "open", "shut", "open shut", "1", "ajar"} {
					input := decision.Input{Principal: principal, Scope: scope}
					results, failed := query.Eval(t.Context(), rego.EvalInput(input))
					got, err := ours.Decide(t.Context(), input)
					if (err == nil) != (failed == nil) {
						t.Errorf("%+v: got %v, package rego %v", input, err, failed)
					}
					if err != nil || failed != nil {
						continue
					}
					want := results[0].Expressions[0].Value.(map[string]any)
					if len(results) != 1 || got.Allow != want["allow"] || fmt.Sprint(got.Reasons) != fmt.Sprint(want["reasons"]) {
						t.Errorf("%+v: got %+v, package rego %v", input, got, results)
					}
				}
			}
		})
	}
}

// chain is a policy of n rules, each of which uses the one before.
func chain(n int) string {
	var rego strings.Builder
	rego.WriteString("package gate\n\nrule0 if input.scope\n")
	for i := 1; i < n; i++ {
		fmt.Fprintf(&rego, "\nrule%d if rule%d\n", i, i-1)
	}
	fmt.Fprintf(&rego, "\ndecision := {\"allow\": true, \"reasons\": set()} if rule%d\n", n-1)
	return rego.String()
}

// What is not exactly a decision is an error, and allows nothing. The input is a
// secret here: no error may show it.
func TestDecideFails(t *testing.T) {
	const secret = "5ecr3t"
	for _, row := range []struct{ name, body, want string }{
		{"conflicting", "decision := {\"allow\": true, \"reasons\": set()}\n\ndecision := {\"allow\": false, \"reasons\": {\"no\"}} if input.scope",
			"eval_conflict_error at policies/gate/gate.rego:"},
		{"a failing built-in function", `decision := {"allow": true, "reasons": {sprintf("%d", [to_number(input.scope)])}}`, "gate/gate.rego:3"},
		{"a built-in function with the wrong type", `decision := {"allow": true, "reasons": {concat(",", [input.claims.list])}}`, "gate/gate.rego:3"},
		{"a boolean", `decision := true if input.scope`, "expected an object with allow and reasons, got boolean"},
		{"a string", `decision := input.scope`, "expected an object with allow and reasons, got string"},
		{"null", `decision := null`, "got null"},
		{"an array", `decision := [true, set()]`, "got array"},
		{"a set", `decision := {"allow"}`, "got set"},
		{"an empty object", `decision := {}`, "got 0 keys"},
		{"no allow", `decision := {"reasons": {"no"}}`, "has allow false"},
		{"no reasons", `decision := {"allow": true}`, "has reasons false"},
		{"one key too many", `decision := {"allow": true, "reasons": set(), "obligations": set()}`, "got 3 keys"},
		{"keys in another case", `decision := {"Allow": true, "Reasons": set()}`, "has allow false"},
		{"an allow that is a string", `decision := {"allow": "true", "reasons": set()}`, "expected allow to be a boolean, got string"},
		{"an allow that is a number", `decision := {"allow": 1, "reasons": set()}`, "expected allow to be a boolean, got number"},
		{"an allow that is null", `decision := {"allow": null, "reasons": set()}`, "expected allow to be a boolean, got null"},
		{"reasons that are a string", `decision := {"allow": true, "reasons": input.scope}`, "expected reasons to be a set or an array, got string"},
		{"an array with a number", `decision := {"allow": false, "reasons": ["a", 1]}`, "expected every reason to be a string, got number"},
		{"reasons that are an object", `decision := {"allow": true, "reasons": {"a": "b"}}`, "expected reasons to be a set or an array, got object"},
		{"a reason that is a number", `decision := {"allow": true, "reasons": {"a", 1}}`, "expected every reason to be a string, got number"},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := row.body
			if value, found := strings.CutPrefix(body, "decision := "); found && !strings.Contains(value, "\n") {
				// Computed, because a constant is refused before it is asked.
				value, condition, _ := strings.Cut(value, " if ")
				body = "decision := same(" + value + ") if " + cmp.Or(condition, "true") + "\n\nsame(x) := x"
			}
			policy := prepare(t, "package gate\n\n"+body+"\n")
			got, err := policy.Decide(t.Context(), decision.Input{Principal: secret, Scope: secret, Claims: decision.Claims(`{"list":["` + secret + `"]}`)})
			if err == nil || got.Allow || got.Reasons != nil {
				t.Fatalf("got %+v, %v; want the zero decision and an error", got, err)
			}
			if !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "gate/decision") {
				t.Errorf("error %q does not say %q of gate/decision", err, row.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Error("the error quotes the input")
			}
		})
	}
}

// The scope has 2000 parts; to look at every triple of them takes minutes.
func TestDecideEndsWithItsContext(t *testing.T) {
	policy := prepare(t, `package gate

decision := {"allow": true, "reasons": set()} if {
	parts := split(input.scope, " ")
	count({1 | some a in parts; some b in parts; some c in parts; a == b; b != c; c == "none"}) == 1
}
`)
	input := decision.Input{Scope: strings.Repeat("part ", 2000)}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()

	for name, ctx := range map[string]context.Context{"that has ended": ended, "that ends meanwhile": soon} {
		got, err := policy.Decide(ctx, input)
		if err == nil || got.Allow || !strings.Contains(err.Error(), "eval_cancel_error") {
			t.Errorf("with a context %s: got %+v, %v; want eval_cancel_error", name, got, err)
		}
	}
}

// One prepared policy serves all decisions. Neither what a decision found out nor how it
// ended may show in the next.
func TestDecisionsDoNotKnowOfEachOther(t *testing.T) {
	policy := prepare(t, `package gate

open := input.scope == "open"

broken := to_number(input.scope) if input.scope == "broken"

decision := {"allow": open, "reasons": {reason | some reason in {input.principal}}} if not broken

default decision := {"allow": false, "reasons": {"e"}}
`)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	steps := []struct {
		name  string
		ctx   context.Context
		input decision.Input
		want  decision.Decision
		fails bool
	}{
		{"allowed", t.Context(), decision.Input{Principal: "a", Scope: "open"}, decision.Decision{Allow: true, Reasons: []string{"a"}}, false},
		{"denied", t.Context(), decision.Input{Principal: "b", Scope: "shut"}, decision.Decision{Reasons: []string{"b"}}, false},
		{"without a principal", t.Context(), decision.Input{Scope: "open"}, decision.Decision{Allow: true, Reasons: []string{}}, false},
		{"failing", t.Context(), decision.Input{Principal: "c", Scope: "broken"}, decision.Decision{}, true},
		{"cancelled", ended, decision.Input{Principal: "d", Scope: "open"}, decision.Decision{}, true},
		{"without a scope", t.Context(), decision.Input{Principal: "e"}, decision.Decision{Reasons: []string{"e"}}, false},
	}
	for _, before := range steps {
		for _, step := range steps {
			policy.Decide(before.ctx, before.input)
			got, err := policy.Decide(step.ctx, step.input)
			if (err != nil) != step.fails || !reflect.DeepEqual(got, step.want) {
				t.Errorf("%s after %s: got %+v, %v; want %+v", step.name, before.name, got, err, step.want)
			}
		}
	}
}

func TestDecideIsSafeForConcurrentUse(t *testing.T) {
	policy := prepare(t, orders)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			input := decision.Input{Scope: []string{"read:orders", "write:orders"}[worker%2]}
			for range 200 {
				if got, err := policy.Decide(t.Context(), input); err != nil || got.Allow != (worker%2 == 0) {
					t.Errorf("scope %q: got %+v, %v", input.Scope, got, err)
					return
				}
			}
		})
	}
	group.Wait()
}

// Whatever the claims are, the policy allows if and only if one of the space-separated
// scopes is exactly the required one.
func FuzzDecide(f *testing.F) {
	for _, scope := range []string{
		"", " ", "read:orders", " read:orders  write:orders", "read:orders2", "READ:ORDERS", "read:*",
		"read:orders,write:orders", "read:orders\twrite:orders", "read:orders\u00a0", "read:orders\x00", "\xffread:orders",
	} {
		f.Add("reader@clients", scope)
		f.Add(scope, "")
	}
	policy := prepare(f, orders)
	f.Fuzz(func(t *testing.T, principal, scope string) {
		got, err := policy.Decide(t.Context(), decision.Input{Principal: principal, Scope: scope})
		if err != nil {
			t.Fatal(err)
		}
		if want := slices.Contains(strings.Split(scope, " "), "read:orders"); got.Allow != want {
			t.Errorf("scope %q: got allow %t, want %t", scope, got.Allow, want)
		}
		if !got.Allow && len(got.Reasons) == 0 {
			t.Errorf("scope %q: denied without a reason", scope)
		}
	})
}
