package caller_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"account-api/internal/caller"
	"account-api/internal/decision"
)

func prepare(t *testing.T, rego string) *decision.Policy {
	t.Helper()
	return prepareFor(t, rego, decision.Stack{})
}

func prepareFor(t *testing.T, rego string, stack decision.Stack) *decision.Policy {
	t.Helper()
	policy, err := decision.PrepareFor(t.Context(), fstest.MapFS{
		"orders/orders.rego": {Data: []byte("package orders\n\n" + rego + `

default decision := {"allow": false, "reasons": {"a permit is required"}}

decision := {"allow": true, "reasons": set()} if allow == true
`)},
		"shared/shared.rego": {Data: []byte(`package shared

blocked contains "crawler"

granted(input_scope, wanted) if wanted in split(input_scope, " ")
`)},
	}, "orders/decision", stack)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}

// show is an input in brief: "-" for none.
func show(input *decision.Input) string {
	if input == nil {
		return "-"
	}
	return fmt.Sprintf("scope=%s permissions=%s azp=%s principal=%s", input.Scope, input.Permissions, input.AuthorizedParty, input.Principal)
}

func TestFind(t *testing.T) {
	type input = decision.Input
	for _, row := range []struct {
		name, rego      string
		allowed, denied *input
		scopes          string
	}{
		{"one scope", `allow if "read:orders" in split(input.scope, " ")`,
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"one scope, once it is text", "allow if {\n\tis_string(input.scope)\n\t\"read:orders\" in split(input.scope, \" \")\n}",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"one of two scopes", "allow if \"write:orders\" in split(input.scope, \" \")\n\nallow if \"read:orders\" in split(input.scope, \" \")",
			&input{Scope: "read:orders"}, &input{}, "read:orders write:orders"},
		{"one scope of a set", "allow if {\n\tsome scope in split(input.scope, \" \")\n\tscope in {\"read:orders\", \"admin\"}\n}",
			&input{Scope: "admin"}, &input{}, "admin read:orders"},
		{"two scopes", "allow if {\n\tscopes := split(input.scope, \" \")\n\t\"read:orders\" in scopes\n\t\"admin\" in scopes\n}",
			&input{Scope: "admin read:orders"}, &input{}, "admin read:orders"},
		{"all scopes of a set", "required := {\"a\", \"b\", \"c\"}\n\nallow if count(required - {s | some s in split(input.scope, \" \")}) == 0",
			&input{Scope: "a b c"}, &input{}, "a b c"},
		{"every scope of a set", "required := {\"a\", \"b\"}\n\nallow if {\n\tevery scope in required {\n\t\tscope in split(input.scope, \" \")\n\t}\n}",
			&input{Scope: "a b"}, &input{}, "a b"},
		{"a text of two scopes", `allow if input.scope == "write:orders read:orders"`,
			&input{Scope: "write:orders read:orders"}, &input{}, "read:orders write:orders"},
		{"a scope and a client", "allow if {\n\t\"read:orders\" in split(input.scope, \" \")\n\tinput.azp == \"web\"\n}",
			&input{Scope: "read:orders", AuthorizedParty: "web"}, &input{}, "read:orders"},
		{"permissions or a scope", "allow if \"orders\" in split(input.permissions, \" \")\n\nallow if \"read:orders\" in split(input.scope, \" \")",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"permissions only", `allow if "orders" in split(input.permissions, " ")`,
			&input{Permissions: "orders"}, &input{}, ""},
		{"any client but some", "allow if not input.azp in {\"crawler\", \"spider\"}",
			&input{AuthorizedParty: "other-azp"}, &input{}, ""},
		{"a known client but some", "allow if {\n\tinput.azp\n\tnot input.azp in {\"crawler\", \"spider\"}\n}",
			&input{AuthorizedParty: "other-azp"}, &input{}, ""},
		{"nobody with a client of a list", "blocked if input.azp in {\"crawler\", \"spider\"}\n\nallow if not blocked",
			&input{}, &input{AuthorizedParty: "crawler"}, ""},
		{"the input handed on", "web(caller) if caller.azp == \"web\"\n\nallow if web(input)",
			&input{AuthorizedParty: "web"}, &input{}, ""},
		{"any client but those of a shared list", "allow if not input.azp in data.shared.blocked",
			&input{AuthorizedParty: "other-azp"}, &input{}, ""},
		{"any client but the keys of a list", "blocked[\"crawler\"] := true\n\nallow if not blocked[input.azp]",
			&input{AuthorizedParty: "other-azp"}, &input{}, ""},
		{"a suffix of the principal", `allow if endswith(input.principal, "@clients")`,
			&input{Principal: "@clients"}, &input{Principal: "someone"}, ""},
		{"not this principal", `allow if input.principal != "someone"`,
			&input{Principal: "other-principal"}, &input{Principal: "someone"}, ""},
		{"a principal, whoever it is", `allow if input.principal`,
			&input{Principal: "someone"}, nil, ""},
		{"everybody", `allow := true`, &input{}, nil, ""},
		{"nobody", `allow := false`, nil, &input{}, ""},
		{"a function for a scope", "has(scope) if scope in split(input.scope, \" \")\n\nallow if has(\"read:orders\")",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"a shared function", "import data.shared\n\nallow if shared.granted(input.scope, \"read:orders\")",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"a function's value", "wanted(x) := \"read:orders\" if x\n\nallow if wanted(true) in split(input.scope, \" \")",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"an else branch", "allow if {\n\tfalse\n} else if {\n\t\"read:orders\" in split(input.scope, \" \")\n}",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"a field with a default", `allow if "read:orders" in split(object.get(input, "scope", "none"), " ")`,
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"the input as a value", "allow if {\n\tcaller := input\n\tcaller.azp == \"web\"\n}",
			&input{AuthorizedParty: "web"}, &input{}, ""},
		{"a reason that quotes a scope", "required := \"read:orders\"\n\nallow if required in split(input.scope, \" \")\n\nreasons contains sprintf(\"%s is required, or %s\", [required, \"a friend\"]) if not allow",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"a prefix of a scope", "allow if {\n\tsome scope in split(input.scope, \" \")\n\tstartswith(scope, \"read:\")\n}",
			&input{Scope: "read:"}, &input{}, "read:"},
		{"a scope that constants are joined to", `allow if concat(":", ["read", "orders"]) in split(input.scope, " ")`,
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
		{"a scope that no constant spells out", `allow if strings.reverse("redaer") in split(input.scope, " ")`,
			nil, &input{}, ""},
		{"any scope", `allow if input.scope`, &input{Scope: "other-scope"}, &input{}, ""},
		{"a rule that the decision does not use", "other if input.azp == \"web\"\n\nallow if \"read:orders\" in split(input.scope, \" \")",
			&input{Scope: "read:orders"}, &input{}, "read:orders"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := caller.Find(t.Context(), prepare(t, row.rego))
			if err != nil {
				t.Fatal(err)
			}
			if show(got.Allowed) != show(row.allowed) {
				t.Errorf("allowed: got %s, want %s", show(got.Allowed), show(row.allowed))
			}
			if show(got.Denied) != show(row.denied) {
				t.Errorf("denied: got %s, want %s", show(got.Denied), show(row.denied))
			}
			if got.Scopes == nil || !slices.Equal(got.Scopes, strings.Fields(row.scopes)) {
				t.Errorf("scopes: got %q, want %s", got.Scopes, row.scopes)
			}
		})
	}
}

// Forty scopes have 10^12 combinations. The search gives up long before.
func TestFindIsBounded(t *testing.T) {
	var rego strings.Builder
	rego.WriteString("required := {")
	for i := range 40 {
		fmt.Fprintf(&rego, `"scope%d", `, i)
	}
	rego.WriteString("}\n\nallow if count(required - {s | some s in split(input.scope, \" \")}) == 0")
	got, err := caller.Find(t.Context(), prepare(t, rego.String()))
	if err != nil || got.Allowed != nil || got.Denied == nil || len(got.Scopes) != 40 {
		t.Errorf("got %s, %s, %d scopes, %v", show(got.Allowed), show(got.Denied), len(got.Scopes), err)
	}
}

func TestFindFails(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := caller.Find(ended, prepare(t, `allow := true`)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: got %v", err)
	}
	undecided, err := decision.Prepare(t.Context(), fstest.MapFS{"a/a.rego": {Data: []byte("package a\n\ndecision := count(\"a\")\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n")}}, "a/decision")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := caller.Find(t.Context(), undecided); err == nil || !strings.Contains(err.Error(), "a/decision") {
		t.Errorf("without any decision: got %v", err)
	}
}

// A policy that takes long over one caller ends with the caller's patience.
func TestFindEndsWithItsContext(t *testing.T) {
	policy := prepare(t, `allow if {
	parts := split("a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a", " ")
	count({1 | some a in parts; some b in parts; some c in parts; some d in parts; some e in parts; concat("", [a, b, c, d, e]) == input.scope}) == 1
}`)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := caller.Find(soon, policy); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
