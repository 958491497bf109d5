package decision_test

import (
	"strings"
	"testing"

	"account-api/internal/decision"
)

func TestExplainShowsWhatFailedAndTheValues(t *testing.T) {
	const decided = "\n\ndecision := {\"allow\": true, \"reasons\": set()} if allow\n"
	for _, row := range []struct {
		name, rego string
		input      decision.Input
		want       []string
	}{
		{"a scope", `allow if "read:orders" in split(input.scope, " ")`, decision.Input{Scope: "write:orders"},
			[]string{`policies/gate/gate.rego:3: "read:orders" in split(input.scope, " ") (input.scope is "write:orders")`}},
		{"an undefined field", `allow if "read:orders" in split(input.scope, " ")`, decision.Input{},
			[]string{`gate.rego:3: input.scope (input.scope is undefined)`}},
		{"a rule that an index leaves out", `allow if input.method == "PUT"`, decision.Input{Method: "GET"},
			[]string{`gate.rego:3: input.method == "PUT" (input.method is "GET")`}},
		{"the second of two expressions", "allow if {\n\tinput.azp\n\tinput.parameters.account == input.principal\n}",
			decision.Input{AuthorizedParty: "web", Principal: "a", Parameters: map[string]string{"account": "b"}},
			[]string{`gate.rego:5: input.parameters.account == input.principal (input.parameters.account is "b", input.principal is "a")`}},
		{"a variable", "allow if {\n\tclient := input.azp\n\tnot client in {\"crawler\"}\n}", decision.Input{AuthorizedParty: "crawler"},
			[]string{`gate.rego:5: not client in {"crawler"} (client is "crawler")`}},
		{"two rules", "allow if input.scope == \"a\"\n\nallow if input.azp == \"b\"", decision.Input{Scope: "c"},
			[]string{`:3: input.scope == "a" (input.scope is "c")`, `:5: input.azp == "b" (input.azp is undefined)`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			lines, err := prepare(t, "package gate\n\n"+row.rego+decided).Explain(t.Context(), row.input)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(lines, "\n")
			for _, want := range row.want {
				if !strings.Contains(text, want) {
					t.Errorf("got\n%s\nwithout %s", text, want)
				}
			}
		})
	}
}

func TestExplanationsAreBounded(t *testing.T) {
	policy := prepare(t, "package gate\n\nallow if {\n\tsome part in split(input.scope, \" \")\n\tpart == \"x\"\n}\n\ndecision := {\"allow\": true, \"reasons\": set()} if allow\n")
	var scope strings.Builder
	for i := range 100 {
		scope.WriteString(strings.Repeat("s", i+1) + " ")
	}
	lines, err := policy.Explain(t.Context(), decision.Input{Scope: scope.String()})
	if err != nil || len(lines) > 12 {
		t.Errorf("got %d lines, %v", len(lines), err)
	}
	for _, line := range lines {
		if len(line) > 300 {
			t.Errorf("got a line of %d bytes", len(line))
		}
	}
}
