package decision_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"

	"account-api/internal/decision"
)

// An upgrade of OPA may add built-in functions. Whoever writes the file anew sees them in
// the difference.
func TestCapabilitiesFileIsThatOfThePinnedOPA(t *testing.T) {
	want, err := decision.CapabilitiesJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("capabilities.json")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("capabilities.json is not what the pinned OPA offers (%v): run make docs and read the difference", err)
	}
}

// The opa command reads the file as the handler reads the value.
func TestCapabilitiesAllowNoHostAndNoSideEffect(t *testing.T) {
	read, err := ast.LoadCapabilitiesFile("capabilities.json")
	if err != nil {
		t.Fatal(err)
	}
	for place, c := range map[string]*ast.Capabilities{"the file": read, "the handler": decision.Capabilities()} {
		if c.AllowNet == nil || len(c.AllowNet) > 0 {
			t.Errorf("%s: allow_net is %#v, want an empty list: without it every host is allowed", place, c.AllowNet)
		}
		for _, b := range c.Builtins {
			if b.Nondeterministic || strings.HasPrefix(b.Name, "io.jwt.verify") {
				t.Errorf("%s has %s", place, b.Name)
			}
		}
		for _, name := range []string{"plus", "regex.match", "time.clock", "json.unmarshal", "object.get", "internal.template_string"} {
			if !slices.ContainsFunc(c.Builtins, func(b *ast.Builtin) bool { return b.Name == name }) {
				t.Errorf("%s lacks %s", place, name)
			}
		}
	}
}

// What Rego tests may use, a handler understands.
func TestPolicyMayComputeOnItsInput(t *testing.T) {
	for name, body := range map[string]string{
		"a regular expression": `allow if regex.match("^web-", input.azp)`,
		"arithmetic":           `allow if count(split(input.scope, " ")) + 1 > 2`,
		"a template string":    "allow := $\"for {input.azp}\"",
		"a print statement":    "allow if {\n\tprint(\"x\", input.azp)\n\tinput.azp\n}",
	} {
		_, err := decision.Prepare(t.Context(), source("package gate\n\n"+body+"\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n"), "gate/decision")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
