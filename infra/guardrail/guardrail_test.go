package guardrail_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"account-api/infra/guardrail"
	"account-api/local/graph"
)

const rules = `package infra

violations contains {"row": 1, "severity": "low", "resource": resource.name, "message": "rename it"} if {
	some resource in input.resources
	resource.name == "bad"
}

rows := [{"row": 1, "requirement": "Names are good", "ids": [], "severity": "low", "status": "pass", "how": "by hand"}]
`

func TestJudge(t *testing.T) {
	loaded, err := guardrail.Load(t.Context(), fstest.MapFS{
		"names.rego":      {Data: []byte(rules)},
		"names_test.rego": {Data: []byte("this is no Rego, and no test is loaded")},
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := loaded.Judge(t.Context(), &graph.Graph{Resources: []graph.Resource{{Name: "good"}, {Name: "bad"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Violations) != 1 || v.Violations[0].Resource != "bad" || len(v.Rows) != 1 {
		t.Errorf("expected one violation, of bad, and one row, got %+v", v)
	}
}

// Rules that are not found would otherwise find nothing wrong.
func TestRulesThatAnswerNothingAreRefused(t *testing.T) {
	for name, row := range map[string]struct{ source, says string }{
		"no rules at all":            {"package other\n", "the rules gave no answer"},
		"rules without requirements": {"package infra\n\nviolations := set()\n", "expected rows, got none"},
		"text that is no Rego":       {"package infra\n\nviolations :=", "rego_parse_error"},
	} {
		t.Run(name, func(t *testing.T) {
			loaded, err := guardrail.Load(t.Context(), fstest.MapFS{"rules.rego": {Data: []byte(row.source)}})
			if err == nil {
				_, err = loaded.Judge(t.Context(), &graph.Graph{})
			}
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("expected %q, got %v", row.says, err)
			}
		})
	}
}
