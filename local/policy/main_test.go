package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const decided = `
default decision := {"allow": false, "reasons": {"no"}}

decision := {"allow": true, "reasons": set()} if allow == true
`

func TestRunPrintsExamplesOfEveryPolicy(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"broken/broken.rego":        "package broken\n\nallow if {\n" + decided,
		"orders/orders.rego":        "package orders\n\nimport data.shared\n\nallow if {\n\t\"read:orders\" in split(input.scope, \" \")\n\tshared.web[input.azp]\n}\n" + decided,
		"orders/orders_test.rego":   "package orders_test\n\nthis is not parsed",
		"refunds/deep/refunds.rego": "package refunds\n\nallow if input.permissions == \"a <b>\"\n" + decided,
		"shared/shared.rego":        "package shared\n\nweb contains \"shop\"\n",
		"guard/guard.rego":          "package guard\n\nviolations contains \"decision\"\n",
		"undecided/undecided.rego":  "package undecided\n\ndecision := 1\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n",
		"referring/to_nothing.rego": "package referring\n\nallow if not data.refunds.blocked\n" + decided,
		"loose.rego":                "package loose\n" + decided,
	} {
		file := filepath.Join(root, "policies", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := run(t.Context(), &out, root); err != nil {
		t.Fatal(err)
	}
	got := strings.SplitAfter(strings.TrimPrefix(out.String(), "["), "},{\"handler")
	for i, want := range []string{
		`{"handler":"broken","entrypoint":"broken/decision","allowed":null,"denied":null,"scopes":[],"error":"`,
		`":"orders","entrypoint":"orders/decision","allowed":{"scope":"read:orders","azp":"shop"},"denied":{},"scopes":["read:orders"]},`,
		`":"referring","entrypoint":"referring/decision","allowed":null,"denied":null,"scopes":[],"error":"`,
		`":"refunds","entrypoint":"refunds/decision","allowed":{"permissions":"a <b>"},"denied":{},"scopes":[]},`,
		`":"undecided","entrypoint":"undecided/decision","allowed":null,"denied":null,"scopes":[],"error":"find callers: `,
	} {
		if len(got) <= i || !strings.HasPrefix(got[i], want) {
			t.Errorf("policy %d of %s\nshould begin with %s", i, out.String(), want)
		}
	}
	if len(got) != 5 || !strings.HasSuffix(out.String(), "}]\n") {
		t.Errorf("got %d policies in %s", len(got), out.String())
	}
	for _, want := range []string{"broken/broken.rego:", "data.refunds, got none"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no error says %s in %s", want, out.String())
		}
	}
}

func TestRunNeedsPolicies(t *testing.T) {
	if err := run(t.Context(), new(strings.Builder), t.TempDir()); err == nil || !strings.Contains(err.Error(), "policies") {
		t.Errorf("got %v", err)
	}
}
