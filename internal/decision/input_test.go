package decision

import (
	"testing"
	"testing/fstest"

	"github.com/open-policy-agent/opa/v1/ast"
)

func TestFieldsRead(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       fields
	}{
		{"none", `decision := 1`, fields{}},
		{"none that there is", `decision := input.name`, fields{}},
		{"one", `decision := input.scope`, fields{scope: true}},
		{"one in brackets", `decision := input["scope"]`, fields{scope: true}},
		{"one under a constant name", "name := \"scope\"\n\ndecision := input[name]", everyField},
		{"one that is gone into", `decision := input.scope[0]`, fields{scope: true}},
		{"one inside another's brackets", `decision := input.scope[input.azp]`, fields{scope: true, authorizedParty: true}},
		{"one in a comprehension", `decision := {part | some part in split(input.permissions, " ")}`, fields{permissions: true}},
		{"one in a function", "f(x) := concat(x, [input.principal])\n\ndecision := f(\",\")", fields{principal: true}},
		{"one in an else branch", "decision := 1 if {\n\tfalse\n} else := input.azp", fields{authorizedParty: true}},
		{"one in what holds for every value", "decision := 1 if {\n\tevery part in split(input.scope, \" \") {\n\t\tpart == input.azp\n\t}\n}", fields{scope: true, authorizedParty: true}},
		{"one as a key and one as a value", `decision := {input.principal: [input.azp]}`, fields{principal: true, authorizedParty: true}},
		{"one as the key of a rule", `decision[input.azp] := 1`, fields{authorizedParty: true}},
		{"one in a call that is gone into", `decision := split(input.permissions, " ")[0]`, fields{permissions: true}},
		{"one that another document is asked for", "grants := {}\n\ndecision := grants[input.principal]", fields{principal: true}},
		{"one in a rule that the decision does not use", "other := input.azp\n\ndecision := 1", fields{authorizedParty: true}},
		{"one that is negated", `decision := 1 if not input.permissions`, fields{permissions: true}},
		{"one with another value", "other if input.scope\n\ndecision := 1 if other with input.scope as \"read:orders\"", fields{scope: true}},
		{"one through an import", "import input.scope as granted\n\ndecision := granted", fields{scope: true}},
		{"the input", `decision := input`, everyField},
		{"the input through an import", "import input as caller\n\ndecision := caller.scope", fields{scope: true}},
		{"the input through a variable", "decision := x.scope if x := input", everyField},
		{"the input's names", `decision := object.keys(input)`, everyField},
		{"every value", `decision := {value | some value in input}`, everyField},
		{"a name that is computed", `decision := input[lower("SCOPE")]`, everyField},
		{"another input", "other if input.scope\n\ndecision := 1 if other with input as {}", everyField},
	} {
		t.Run(row.name, func(t *testing.T) {
			policy, err := Prepare(t.Context(), fstest.MapFS{"gate.rego": {Data: []byte("package gate\n\n" + row.body + "\n")}}, "gate/decision")
			if err != nil {
				t.Fatal(err)
			}
			if policy.reads != row.want {
				t.Errorf("got %+v, want %+v", policy.reads, row.want)
			}
		})
	}
}

func TestInputHasWhatIsReadAndThere(t *testing.T) {
	everything := Input{Principal: "p", Scope: "s", Permissions: "q", AuthorizedParty: "a"}
	for _, row := range []struct {
		name  string
		read  fields
		input Input
		want  string
	}{
		{"everything", everyField, everything, `{"principal": "p", "scope": "s", "permissions": "q", "azp": "a"}`},
		{"nothing that is read", fields{}, everything, `{}`},
		{"nothing that is there", everyField, Input{}, `{}`},
		{"the principal", fields{principal: true}, everything, `{"principal": "p"}`},
		{"the scope", fields{scope: true}, everything, `{"scope": "s"}`},
		{"the permissions", fields{permissions: true}, everything, `{"permissions": "q"}`},
		{"the client", fields{authorizedParty: true}, everything, `{"azp": "a"}`},
		{"what is there of what is read", everyField, Input{Scope: "s"}, `{"scope": "s"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got, want := row.read.of(row.input), ast.MustParseTerm(row.want).Value; got.Compare(want) != 0 {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
