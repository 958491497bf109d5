package mutant_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/mutant"
	"account-api/internal/regotest"
)

func suite(t *testing.T, rules, tests string) regotest.Suite {
	t.Helper()
	s, err := regotest.Load(fstest.MapFS{
		"orders/orders.rego":      {Data: []byte("package orders\n\n" + rules)},
		"orders/orders_test.rego": {Data: []byte("package orders_test\n\nimport data.orders\n\n" + tests)},
		"shared/shared.rego":      {Data: []byte("package shared\n\nblocked contains \"crawler\"\n")},
	}, "orders")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each row is a policy whose tests pass and visit every line, but miss a mistake.
func TestRunFindsMissingTests(t *testing.T) {
	for _, row := range []struct{ name, rules, tests, change, diff string }{
		{
			"a scope of a set that no test has", `allow if {
	some scope in split(input.scope, " ")
	scope in {"read:orders", "admin:all"}
}
`, `test_allow if orders.allow with input as {"scope": "read:orders"}`,
			"`{\"read:orders\", \"admin:all\"}` becomes `{\"read:orders\"}`",
			"-\tscope in {\"read:orders\", \"admin:all\"}\n+\tscope in {\"read:orders\"}\n",
		},
		{
			"a condition that no test fails", "allow if {\n\tinput.scope == \"read\"\n\tinput.azp == \"web\"\n}\n",
			`test_allow if orders.allow with input as {"scope": "read", "azp": "web"}`,
			"drop `input.azp == \"web\"`", "-\tinput.azp == \"web\"\n",
		},
		{
			"the only condition", "allow if input.azp == \"web\"\n", `test_allow if orders.allow with input as {"azp": "web"}`,
			"drop `input.azp == \"web\"`", "-allow if input.azp == \"web\"\n+allow := true\n",
		},
		{
			"a default that no test asks for", "default allow := false\n\nallow if input.azp == \"web\"\n",
			"test_allow if orders.allow with input as {\"azp\": \"web\"}\n\ntest_deny if not orders.allow with input as {\"azp\": \"x\"}",
			"remove rule allow", "-default allow := false\n-\n",
		},
		{
			"a scope that is part of another", "allow if \"read\" in split(input.scope, \" \")\n",
			"test_allow if orders.allow with input as {\"scope\": \"write read\"}\n\ntest_deny if not orders.allow with input as {\"scope\": \"write\"}",
			"`\"read\" in split(input.scope, \" \")` becomes `contains(input.scope, \"read\")`", "+allow if contains(input.scope, \"read\")\n",
		},
		{
			"a scope in another case", "allow if \"read\" in split(input.scope, \" \")\n", `test_allow if orders.allow with input as {"scope": "read"}`,
			"`\"read\" in split(input.scope, \" \")` becomes `some mutant in split(input.scope, \" \"); lower(mutant) == lower(\"read\")`", "lower(mutant)",
		},
		{
			"a client that is part of another", "allow if input.azp == \"web\"\n",
			"test_allow if orders.allow with input as {\"azp\": \"web\"}\n\ntest_deny if not orders.allow with input as {\"azp\": \"x\"}",
			"`input.azp == \"web\"` becomes `startswith(input.azp, \"web\")`", "startswith",
		},
		{
			"a limit", "allow if count(split(input.scope, \" \")) < 3\n", `test_allow if orders.allow with input as {"scope": "a"}`,
			"`count(split(input.scope, \" \")) < 3` becomes `count(split(input.scope, \" \")) <= 3`", "<= 3",
		},
		{
			"a number", "allow if count(split(input.scope, \" \")) < 3\n",
			"test_allow if orders.allow with input as {\"scope\": \"a b\"}\n\ntest_deny if not orders.allow with input as {\"scope\": \"a b c d\"}",
			"`3` becomes `4`", "< 4",
		},
		{
			"a reason", "reasons contains \"no orders\" if not input.scope\n", `test_reasons if count(orders.reasons) == 1 with input as {}`,
			"`\"no orders\"` becomes `\"no ordersx\"`", "no ordersx",
		},
		{
			"another claim", "allow if input.azp\n", `test_allow if orders.allow with input as {"azp": "web", "scope": "read"}`,
			"`input.azp` becomes `input.scope`", "+allow if input.scope\n",
		},
		{
			"a negation", "allow if not data.shared.blocked[input.azp]\n", `test_allow if orders.allow with input as {"azp": "web"}`,
			"drop `not data.shared.blocked[input.azp]`", "blocked",
		},
		{
			"a value that is not true", "decided if input.azp == \"web\"\n\nallow := 1 if decided == true\n", `test_allow if orders.allow == 1 with input as {"azp": "web"}`,
			"`decided == true` becomes `decided`", "+allow := 1 if decided\n",
		},
		{
			"an else branch", "role := \"admin\" if {\n\tinput.azp == \"web\"\n} else := \"user\" if {\n\tinput.azp\n}\n", `test_role if orders.role == "user" with input as {"azp": "x"}`,
			"`\"admin\"` becomes `\"adminx\"`", "adminx",
		},
		{
			"a condition on every element", "allow if {\n\tevery s in split(input.scope, \" \") {\n\t\tstartswith(s, \"read\")\n\t}\n}\n", `test_allow if orders.allow with input as {"scope": "read"}`,
			"`startswith(s, \"read\")` becomes `contains(s, \"read\")`", "contains",
		},
		{
			"a comprehension's condition", "allow if count([s | some s in split(input.scope, \" \"); s != \"write\"]) == 1\n", `test_allow if orders.allow with input as {"scope": "read"}`,
			"drop `s != \"write\"`", "split",
		},
		{
			"what a function is called with", "has(s) if s in split(input.scope, \" \")\n\nallow if has(\"read\")\n", `test_allow if orders.allow with input as {"scope": "read readx"}`,
			"`\"read\"` becomes `\"readx\"`", "+allow if has(\"readx\")\n",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			report, err := mutant.Run(t.Context(), suite(t, row.rules, row.tests))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(report.Survivors, func(m mutant.Mutant) bool { return m.Change == row.change })
			if i < 0 {
				for _, m := range report.Survivors {
					t.Log(m.Change)
				}
				t.Fatalf("no survivor is: %s", row.change)
			}
			if m := report.Survivors[i]; !strings.Contains(m.Diff, row.diff) || m.Row < 3 || m.File != "orders/orders.rego" {
				t.Errorf("got %s:%d\n%s\nwant a diff with\n%s", m.File, m.Row, m.Diff, row.diff)
			}
		})
	}
}

const (
	whole = `default allow := false

allow if input.azp in {"web"}
`
	wholeTests = `test_allow if orders.allow == true with input as {"azp": "web"}

misses := {"", "we", "eb", "webx", "xweb", "WEB", "w*b", " web", "web ", "mutant"}

test_deny if {
	every azp in misses {
		orders.allow == false with input as {"azp": azp, "scope": "web", "principal": "web", "permissions": "web"}
	}
}

test_nobody if orders.allow == false with input as {}
`
)

func TestRunIsContentWithEnoughTests(t *testing.T) {
	report, err := mutant.Run(t.Context(), suite(t, whole, wholeTests))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range report.Survivors {
		t.Errorf("survives: %s\n%s", m.Change, m.Diff)
	}
	if report.Mutants < 20 || report.Tests != 3 || report.Equivalent != 0 || len(report.Stale) != 0 {
		t.Errorf("got %d mutants, %d tests, %d equivalent, %q stale", report.Mutants, report.Tests, report.Equivalent, report.Stale)
	}
}

func TestRunAcceptsEquivalentMutantsThatAreNamed(t *testing.T) {
	const rules = `# METADATA
# custom:
#   equivalent:
#     - mutant: %s
#       reason: %s
default allow := false

allow if {
	input.azp
	input.azp in {"web"}
}
`
	for _, row := range []struct {
		name, change, reason string
		equivalent           int
		survivors            bool
		stale                string
	}{
		{"one that survives", "drop `input.azp`", "membership implies it", 1, false, ""},
		{"one that does not", "drop `input.azp in {\"web\"}`", "who knows", 0, true, "orders/orders.rego: drop `input.azp in"},
		{"one without a reason", "drop `input.azp`", `""`, 0, true, "(without a reason)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(strings.Replace(rules, "%s", "'"+row.change+"'", 1), "%s", row.reason, 1)
			report, err := mutant.Run(t.Context(), suite(t, text, wholeTests))
			if err != nil {
				t.Fatal(err)
			}
			if report.Equivalent != row.equivalent || slices.ContainsFunc(report.Survivors, func(m mutant.Mutant) bool { return m.Change == "drop `input.azp`" }) != row.survivors {
				t.Errorf("got %d equivalent, survivors %v", report.Equivalent, report.Survivors)
			}
			if stale := strings.Join(report.Stale, "\n"); !strings.Contains(stale, row.stale) || (row.stale == "") != (stale == "") {
				t.Errorf("got stale %q, want %q", stale, row.stale)
			}
		})
	}
}

func TestRunNeedsTestsThatPass(t *testing.T) {
	for name, row := range map[string]struct{ rules, tests, want string }{
		"no test":                    {whole, "azp := orders.allow", "expected Rego tests"},
		"a test that fails":          {whole, "test_allow if orders.allow with input as {}", "fail without any mutant"},
		"a policy that is not valid": {"allow if x\n", wholeTests, "unsafe"},
	} {
		if _, err := mutant.Run(t.Context(), suite(t, row.rules, row.tests)); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}
