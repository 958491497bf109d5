package decision_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/decision"
)

// shared is a package beside the one that decides.
const shared = `package shared

blocked contains "gate-crasher"

limits.low := 1

limits.high := 9

is_blocked(client) if client in blocked

default unblocked(_) := true
`

func prepareWithShared(t *testing.T, rego string) error {
	t.Helper()
	_, err := decision.Prepare(t.Context(), fstest.MapFS{
		"gate/gate.rego":      {Data: []byte("package gate\n\n" + rego + "\n" + denied)},
		"gate/deep/rule.rego": {Data: []byte("package gate.deep\n\nrule := 1\n")},
		"shared/shared.rego":  {Data: []byte(shared)},
	}, "gate/decision")
	return err
}

func TestPrepareRefusesReferencesToNoRule(t *testing.T) {
	for _, row := range []struct{ name, rego, want string }{
		{"a rule that is not there, negated", `allow if not data.shared.banned[input.azp]`, "expected a rule at data.shared.banned, got none"},
		{"a rule that is not there", `allow if data.shared.banned[input.azp]`, "data.shared.banned"},
		{"a rule of a package that is not there", `allow if not data.lists.blocked[input.azp]`, "data.lists, got none"},
		{"a rule of its own that is not there", `allow if not data.gate.banned`, "data.gate.banned"},
		{"a name in brackets", `allow if not data["shared"]["banned"]`, "data.shared.banned"},
		{"a number for a name", `allow if not data.shared[1]`, "expected the name of a rule at 1"},
		{"a key that no part of an object has", `allow if not data.shared.limits.medium`, "data.shared.limits.medium"},
		{"a function that is not there", `allow if not data.shared.is_banned(input.azp)`, "undefined function data.shared.is_banned"},
		{"an import that is not there", "import data.lists\n\nallow if not lists.blocked[input.azp]", "data.lists"},
		{"an import of a rule that is not there", "import data.shared.banned\n\nallow if not banned[input.azp]", "data.shared.banned"},
		{"an import under another name", "import data.shared as lists\n\nallow if not lists.banned[input.azp]", "data.shared.banned"},
		{"an import that is not used", "import data.lists", "import data.lists unused"},
		{"a name in a variable", `allow if not data.shared[input.azp]`, "expected the name of a rule at input.azp in data.shared[input.azp]"},
		{"a package's name in a variable", `allow if not data[input.azp].blocked`, "expected the name of a rule at input.azp"},
		{"every name", `allow if data.shared[_]`, "expected the name of a rule"},
		{"a package as a value", "allow if {\n\tlists := data.shared\n\tnot lists.banned\n}", "got all of package data.shared"},
		{"everything as a value", "f(x) := x\n\nallow if f(data)", "got all of package data"},
		{"a package above another as a value", `all := data.gate.deep`, "got all of package data.gate.deep"},
		{"inside the brackets of another", `allow if not data.shared.blocked[data.shared.names[input.azp]]`, "data.shared.names"},
		{"as an argument", `allow if startswith(input.azp, data.shared.prefix)`, "data.shared.prefix"},
		{"in a comprehension", `allow if count({1 | data.shared.banned[input.azp]}) == 0`, "data.shared.banned"},
		{"in what holds for every value", "allow if {\n\tevery part in split(input.scope, \" \") {\n\t\tnot data.shared.banned[part]\n\t}\n}", "data.shared.banned"},
		{"in an else branch", "allow := 1 if {\n\tfalse\n} else := 2 if {\n\tnot data.shared.banned\n}", "data.shared.banned"},
		{"as the value of a rule", `allow := [data.shared.banned]`, "data.shared.banned"},
		{"as the key of a rule", `allow contains data.shared.banned`, "data.shared.banned"},
		{"as a default of a function", "default f(_) := true\n\nf(x) := x if not data.shared.banned", "data.shared.banned"},
		{"in what with replaces", `allow if count(data.shared.blocked) == 1 with data.shared.banned as {}`, "data.shared.banned"},
		{"in what with puts there", `allow if count(data.shared.blocked) == 1 with data.shared.blocked as data.shared.banned`, "data.shared.banned"},
		{"in a rule that the decision does not use", `other if data.shared.banned`, "data.shared.banned"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := prepareWithShared(t, row.rego)
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "gate/gate.rego:") {
				t.Errorf("got error %v, want one of gate/gate.rego that says %s", err, row.want)
			}
		})
	}
}

func TestPrepareAcceptsReferencesToRules(t *testing.T) {
	for name, rego := range map[string]string{
		"a member of a set":           `allow if not data.shared.blocked[input.azp]`,
		"an import":                   "import data.shared\n\nallow if not shared.blocked[input.azp]",
		"an import of a rule":         "import data.shared.blocked\n\nallow if not blocked[input.azp]",
		"a function":                  `allow if not data.shared.is_blocked(input.azp)`,
		"a function with a default":   `allow if data.shared.unblocked(input.azp)`,
		"a function put in its place": "always(_) := true\n\nallow if data.shared.is_blocked(input.azp) with data.shared.is_blocked as always",
		"a part of an object":         `allow if input.time == data.shared.limits.low`,
		"the object of all parts":     `allow if count(data.shared.limits) == 2`,
		"a part under a variable":     `allow if data.shared.limits[input.azp]`,
		"every member":                "allow if {\n\tsome client in data.shared.blocked\n\tclient == input.azp\n}",
		"a rule of a package within":  `allow if data.gate.deep.rule`,
		"a rule of its own":           "mine := 1\n\nallow if data.gate.mine",
		"a rule in brackets":          `allow if not data["shared"]["blocked"][input.azp]`,
		"a rule with another value":   `allow if count(data.shared.blocked) == 1 with data.shared.blocked as {1}`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := prepareWithShared(t, rego); err != nil {
				t.Error(err)
			}
		})
	}
}

// A policy with many faults is mended in one go.
func TestPrepareNamesEveryFaultByFileAndLine(t *testing.T) {
	const faults = 20 // OPA itself stops at ten
	var rego strings.Builder
	rego.WriteString("package gate\n")
	for range faults {
		rego.WriteString("allow if data.shared.banned\n")
	}
	_, err := decision.Prepare(t.Context(), fstest.MapFS{
		"gate/gate.rego":     {Data: []byte(rego.String())},
		"shared/shared.rego": {Data: []byte("package shared\n\nallow if http.send({})\n\nmore if not data.lists.all\n")},
	}, "gate/allow")
	for _, want := range []string{"gate/gate.rego:2: ", "gate/gate.rego:21: ", "shared/shared.rego:3: ", "shared/shared.rego:5: "} {
		if err == nil || !strings.Contains("\n"+err.Error(), "\npolicies/"+want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}
}
