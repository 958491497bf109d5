package regotest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/regotest"
)

func load(t *testing.T, rules, tests string) regotest.Suite {
	t.Helper()
	suite, err := regotest.Load(fstest.MapFS{
		"orders/orders.rego":      {Data: []byte("package orders\n\nimport data.shared\n\n" + rules)},
		"orders/orders_test.rego": {Data: []byte("package orders_test\n\nimport data.orders\n\n" + tests)},
		"shared/shared.rego":      {Data: []byte("package shared\n\nweb := \"web\"\n")},
		"shared/data.json":        {Data: []byte(`{"clients":["web"]}`)},
		"shared/shared_test.rego": {Data: []byte("package shared_test\n\ntest_fails if false\n")},
		"other/other_test.rego":   {Data: []byte("package other_test\n\nnot Rego")},
	}, "orders")
	if err != nil {
		t.Fatal(err)
	}
	return suite
}

func TestRun(t *testing.T) {
	const decided = "decision if {\n\tinput.azp == shared.web\n}\n"
	for _, row := range []struct{ name, rules, tests, failed, err string }{
		{"tests that pass", decided, "test_decision if orders.decision with input as {\"azp\": \"web\"}\n", "", ""},
		{"a test of a data document", "decision if {\n\tinput.azp in shared.clients\n}\n", "test_decision if orders.decision with input as {\"azp\": \"web\"}\n", "", ""},
		{"a test that fails", decided, "test_decision if orders.decision with input as {}\n", "data.orders_test.test_decision: FAIL", ""},
		{"a failing built-in function", "decision if {\n\tshared.web\n\tconcat(\",\", [input])\n}\n", "test_decision if not orders.decision with input as {}\n", "operand 2 must be", ""},
		{"a rule that does not compile", "decision if {\n\tshared.web == x\n}\n", "test_decision if orders.decision\n", "", "orders/orders.rego:6"},
		{"a function that no handler has", "decision if {\n\tshared.web\n\ttime.now_ns() > 0\n}\n", "test_decision if orders.decision\n", "", "undefined function time.now_ns"},
		{"what strict mode refuses", "decision if {\n\tx := shared.web\n}\n", "test_decision if orders.decision\n", "", "assigned var x unused"},
	} {
		t.Run(row.name, func(t *testing.T) {
			suite := load(t, row.rules, row.tests)
			if !suite.Decides() || len(suite.Rules()) != 1 {
				t.Errorf("got the files %q, decides %t", suite.Rules(), suite.Decides())
			}
			result, err := suite.Run(t.Context())
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Errorf("got error %v, want %s", err, row.err)
				}
				return
			}
			if err != nil || result.Tests != 1 {
				t.Fatalf("got %d tests, %v", result.Tests, err)
			}
			if failed := strings.Join(result.Failed, "\n"); !strings.Contains(failed, row.failed) || (row.failed == "") != (failed == "") {
				t.Errorf("got failed tests %q, want %q", failed, row.failed)
			}
			if passes, err := suite.Passes(t.Context()); err != nil || passes != (row.failed == "") {
				t.Errorf("passes: got %t, %v", passes, err)
			}
			if len(result.Uncovered) > 0 && row.failed == "" {
				t.Errorf("not covered: %q", result.Uncovered)
			}
		})
	}
}

func TestRunNamesUncoveredLines(t *testing.T) {
	const rules = `decision if input.azp == shared.web

other := 1 if {
	input.method == "PUT"
	input.azp
}

other := 2 if input.azp == "a"
`
	for name, row := range map[string]struct {
		tests string
		want  []string
	}{
		"all":            {"test_a if orders.other == 1 with input as {\"method\": \"PUT\", \"azp\": \"b\"}\n\ntest_b if orders.decision with input as {\"azp\": \"web\"}\n\ntest_c if orders.other == 2 with input as {\"azp\": \"a\"}\n", nil},
		"all but a rule": {"test_b if orders.decision with input as {\"azp\": \"web\"}\n", []string{"policies/orders/orders.rego:7-9", "policies/orders/orders.rego:12"}},
	} {
		result, err := load(t, rules, row.tests).Run(t.Context())
		if err != nil || len(result.Failed) > 0 || !slices.Equal(result.Uncovered, row.want) {
			t.Errorf("%s: got failed %q, not covered %q, %v; want %q", name, result.Failed, result.Uncovered, err, row.want)
		}
	}
}

// The tests would pass with rules that no handler carries.
func TestLoadRefusesRulesOfThePolicyInTests(t *testing.T) {
	for name, row := range map[string]struct{ test, want string }{
		"more of a set":           {"package orders\n\nblocked contains \"crawler\"\n", "policies/orders/more_test.rego:3: expected no rule at data.orders.blocked in a test"},
		"a shared rule":           {"package shared\n\nweb := \"app\"\n", "policies/orders/more_test.rego:3: expected no rule at data.shared.web"},
		"a default":               {"package orders\n\ndefault decision := true\n", "data.orders.decision"},
		"a member of an object":   {"package orders\n\nlimits[\"b\"] := 2\n", "data.orders.limits"},
		"a test and its own help": {"package orders\n\nhelp := 1\n\ntest_help if help == 1\n", ""},
	} {
		_, err := regotest.Load(fstest.MapFS{
			"orders/orders.rego":    {Data: []byte("package orders\n\ndefault decision := false\n\nblocked contains \"a\"\n\nlimits[name] := 1 if some name in {\"a\"}\n")},
			"orders/more_test.rego": {Data: []byte(row.test)},
			"shared/shared.rego":    {Data: []byte("package shared\n\nweb := \"web\"\n")},
		}, "orders")
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: got %v, want %q", name, err, row.want)
		}
	}
}
