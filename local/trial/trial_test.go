package trial

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"account-api/internal/decision"
)

const orders = `package orders

default decision := {"allow": false, "reasons": {"the scope read is required"}}

decision := {"allow": true, "reasons": set()} if input.scope == "read"
`

const ordersTest = `package orders_test

import data.orders

test_read_is_enough if {
	decision := orders.decision with input as {"scope": "read"}
	decision.allow
}
`

// project is a project with policies of two handlers, one of which uses a shared file.
func project(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"orders/orders.rego":      orders,
		"orders/orders_test.rego": ordersTest,
		"rows/rows.rego":          strings.NewReplacer("orders", "rows", `"read"`, "data.shared.scope").Replace(orders),
		"shared/shared.rego":      "package shared\n\nscope := \"read\"\n",
	} {
		file := filepath.Join(root, "policies", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

var (
	handlers = []string{"orders", "rows"}
	requests = []Request{
		{1, "orders/decision", decision.Input{Scope: "read"}},
		{2, "orders/decision", decision.Input{Scope: "write"}},
		{3, "rows/decision", decision.Input{Scope: "read"}},
		{4, "seats/decision", decision.Input{Scope: "read"}}, // of a handler that is gone
	}
)

func TestTry(t *testing.T) {
	const denied, allowed = "denied: the scope read is required", "allowed"
	trial := New(project(t))
	trial.Adopt(t.Context(), handlers, nil)
	for name, row := range map[string]struct {
		file, text string
		want       Report
	}{
		"the same text": {"policies/orders/orders.rego", orders, Report{Tests: 1, Asked: 2}},
		"another scope": {"policies/orders/orders.rego", strings.Replace(orders, `"read"`, `"write"`, 1), Report{
			Tests: 1, Failed: []string{"orders_test.test_read_is_enough: FAIL"}, Asked: 2,
			Changes: []Change{{1, allowed, denied}, {2, denied, allowed}},
		}},
		"another reason": {"policies/orders/orders.rego", strings.Replace(orders, "the scope read is required", "no", 1), Report{
			Tests: 1, Asked: 2, Changes: []Change{{2, denied, "denied: no"}},
		}},
		"what fails for some": {"policies/orders/orders.rego", strings.Replace(orders, `input.scope == "read"`, `to_number(input.scope)`, 1), Report{
			Tests: 1, Failed: []string{"orders_test.test_read_is_enough: FAIL"}, Asked: 2,
			Changes: []Change{{1, allowed, "an error"}, {2, denied, "an error"}},
		}},
		"no Rego":            {"policies/orders/orders.rego", "package orders\n\nallow if {\n", Report{Problems: []Problem{{"policies/orders/orders.rego", 4, "unexpected eof token"}}}},
		"a name that is not": {"policies/orders/orders.rego", orders + "\nother if data.shared.blocked\n", Report{Problems: []Problem{{"policies/orders/orders.rego", 7, "data.shared.blocked"}}}},
		"nothing":            {"policies/orders/orders.rego", "", Report{Problems: []Problem{{"policies/orders/orders.rego", 0, "empty"}}}},
		"a test that is no Rego": {"policies/orders/orders_test.rego", "package orders_test\n\ntest_x if {\n", Report{
			Failed: []string{"policies/orders/orders_test.rego:4: unexpected eof token"}, Asked: 2,
		}},
		"a shared file": {"policies/shared/shared.rego", "package shared\n\nscope := \"write\"\n", Report{
			Tests: 1, Asked: 3, Changes: []Change{{3, allowed, denied}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := trial.Try(t.Context(), row.file, row.text, handlers, requests)
			if got.Tests != row.want.Tests || got.Asked != row.want.Asked || len(got.Problems) != len(row.want.Problems) || len(got.Failed) != len(row.want.Failed) || len(got.Changes) != len(row.want.Changes) {
				t.Fatalf("expected %+v, got %+v", row.want, got)
			}
			for i, want := range row.want.Problems {
				if p := got.Problems[i]; p.File != want.File || p.Line != want.Line && want.Line != 0 || !strings.Contains(p.Text, want.Text) {
					t.Errorf("expected the problem %s, got %s", want, p)
				}
			}
			for i, want := range row.want.Failed {
				if !strings.HasPrefix(got.Failed[i], want) {
					t.Errorf("expected the failure %s, got %s", want, got.Failed[i])
				}
			}
			for i, want := range row.want.Changes {
				if c := got.Changes[i]; c.Number != want.Number || c.Before != want.Before || !strings.HasPrefix(c.After, want.After) {
					t.Errorf("expected the change %v, got %v", want, c)
				}
			}
		})
	}
}

func TestAdopt(t *testing.T) {
	root := project(t)
	trial := New(root)
	if changes, compared := trial.Adopt(t.Context(), handlers, requests); changes != nil || compared != 0 {
		t.Errorf("expected nothing to compare with, got %v, %d", changes, compared)
	}
	if got := trial.Verdict(t.Context(), requests[0]); got != "allowed" {
		t.Errorf("expected the policy that serves to allow, got %q", got)
	}
	if changes, compared := trial.Adopt(t.Context(), handlers, requests); changes != nil || compared != 3 {
		t.Errorf("expected the same decisions, got %v, %d", changes, compared)
	}
	if err := os.WriteFile(filepath.Join(root, "policies/orders/orders.rego"), []byte(strings.Replace(orders, `"read"`, `"write"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	changes, compared := trial.Adopt(t.Context(), handlers, requests)
	want := []Change{{1, "allowed", "denied: the scope read is required"}, {2, "denied: the scope read is required", "allowed"}}
	if !reflect.DeepEqual(changes, want) || compared != 3 {
		t.Errorf("expected %v, got %v, %d", want, changes, compared)
	}
	for at, want := range map[int]string{0: "denied: the scope read is required", 3: ""} {
		if got := trial.Verdict(t.Context(), requests[at]); got != want {
			t.Errorf("expected the new policy, %q, got %q", want, got)
		}
	}
}

func TestFormat(t *testing.T) {
	for text, want := range map[string]string{
		"package orders\nallow if {input.scope==\"read\"}\n": "package orders\n\nallow if input.scope == \"read\"\n",
		"package orders\n\nallow if {\n":                     "package orders\n\nallow if {\n",
	} {
		if got := Format(text); got != want {
			t.Errorf("expected %q, got %q", want, got)
		}
	}
}

func TestEditedFilesHideNothing(t *testing.T) {
	files := New(project(t)).files(map[string]string{"orders/orders.rego": "package x"})
	names, err := os.ReadDir(".")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	if _, err := files.Open("orders/none.rego"); err == nil {
		t.Error("expected no file that is not on disk")
	}
	if !slices.Contains(problemTexts(t), "one\n\ta hint") {
		t.Error("expected an indented line to belong to the line above")
	}
}

func problemTexts(t *testing.T) []string {
	t.Helper()
	var texts []string
	for _, p := range problems(errorText("policies/a/a.rego:1: rego_type_error: one\n\ta hint\nanother")) {
		texts = append(texts, p.Text)
	}
	return texts
}

type errorText string

func (e errorText) Error() string { return string(e) }
