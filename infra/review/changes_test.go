package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/local/graph"
	"account-api/local/record"
)

const stacks = `[{"name":"org/test"}]`

// declared is a preview that creates what the program declares for one of its stacks.
func declared(t *testing.T, edit func(*graph.Graph)) string {
	t.Helper()
	files, err := filepath.Glob("Pulumi.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("expected a stack file, got %v, %v", files, err)
	}
	program := infra.New(func(*pulumi.Context, string, string, decision.Stack) (string, error) { return "", nil })
	name := strings.TrimSuffix(strings.TrimPrefix(files[0], "Pulumi."), ".yaml")
	g, err := record.Run(record.Stack{Root: ".", Name: name}, program.Deploy, program.Settings)
	if err != nil {
		t.Fatal(err)
	}
	edit(g)
	var steps []map[string]any
	for _, r := range g.Resources {
		steps = append(steps, map[string]any{"op": "create", "urn": r.URN, "newState": map[string]any{
			"type": r.Type, "urn": r.URN, "custom": true, "inputs": r.Inputs, "dependencies": r.Dependencies, "propertyDependencies": r.PropertyDependencies,
		}})
	}
	encoded, err := json.Marshal(map[string]any{"steps": steps})
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func asDeclared(*graph.Graph) {}

// open takes the authorizer from a method.
func open(g *graph.Graph) {
	for _, r := range g.OfType("aws:apigateway/method:Method") {
		if r.Inputs["authorization"] == "CUSTOM" {
			r.Inputs["authorization"] = "NONE"
			return
		}
	}
}

func TestChangesOfAStack(t *testing.T) {
	t.Chdir("../..")
	good, bad := declared(t, asDeclared), declared(t, open)
	const wrong = `{"steps":[],"diagnostics":[{"message":"issuer: set <your tenant>","severity":"error"}]}`
	for _, row := range []struct {
		name, stacks, preview string
		exit                  int
		says                  []string
	}{
		{"a preview", stacks, good, 0, []string{"| test | infrastructure: ", " creations · guard rails: pass", "+ create Function "}},
		{"a violation", stacks, bad, 1, []string{"guard rails: **1 violation**", "set Authorization to CUSTOM"}},
		{"a preview that fails", stacks, "exit 255\n" + wrong, 1, []string{"| test | infrastructure: **the preview failed** · guard rails: **not checked** |", "issuer: set <your tenant>"}},
		{"a preview that fails after its steps", stacks, "exit 255\n" + good, 1, []string{"**the preview failed**", "exit status 255"}},
		{"a document that is no preview", stacks, `{}`, 1, []string{"**the preview failed**", "expected a preview with steps"}},
		{"no API in the preview", stacks, `{"steps":[]}`, 1, []string{"**3 violations**", "expected one of type apigateway/restApi:RestApi"}},
		{"no stack yet", `[{"name":"other"}]`, wrong, 0, []string{"| test | infrastructure: not previewed, as there is no such stack yet"}},
		{"a backend that does not answer", "exit 1\n", wrong, 1, []string{"guard rails: **"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			fake(t, "pulumi", map[string]string{"stack ls": row.stacks, "preview --stack test": row.preview})
			var out bytes.Buffer
			exit, err := run(t.Context(), &out, environment(nil), []string{"changes", "test"})
			if err != nil || exit != row.exit {
				t.Errorf("expected exit status %d, got %d, %v", row.exit, exit, err)
			}
			for _, says := range row.says {
				if !strings.Contains(out.String(), says) {
					t.Errorf("expected %q in:\n%s", says, out.String())
				}
			}
		})
	}
}

// versions are directories with one policy each.
func version(t *testing.T, rule string) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "policies/orders"), 0o700); err != nil {
		t.Fatal(err)
	}
	source := "package orders\n\ndefault allow := false\n\n" + rule + "\n\nreasons contains \"no\" if not allow\n\n" +
		"default decision := {\"allow\": false, \"reasons\": {\"no\"}}\n\n# METADATA\n# entrypoint: true\ndecision := {\"allow\": allow, \"reasons\": reasons}\n"
	if err := os.WriteFile(filepath.Join(root, "policies/orders/orders.rego"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestChangesOfPolicies(t *testing.T) {
	narrow := version(t, `allow if input.azp == "app"`)
	wide := version(t, `allow if input.azp in {"app", "web"}`)
	broken := version(t, `allow if {`)
	for _, row := range []struct {
		name, base, head string
		exit             int
		says             []string
	}{
		{"nothing", narrow, narrow, 0, []string{"| policies | nobody gains or loses access |"}},
		{"a caller more", narrow, wide, 3, []string{"| policies | orders: **1 caller gained** |", "Access-reviewed: "}},
		{"a caller less", wide, narrow, 0, []string{"| policies | orders: **1 caller revoked** |"}},
		{"a policy that does not compile", narrow, broken, 4, []string{"| policies | orders: **"}},
		{"no policies", narrow, t.TempDir(), 1, []string{"could not be judged"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			exit, err := run(t.Context(), &out, environment(nil), []string{"changes", "-base", row.base, "-head", row.head})
			if err != nil || exit != row.exit {
				t.Errorf("expected exit status %d, got %d, %v", row.exit, exit, err)
			}
			for _, says := range row.says {
				if !strings.Contains(out.String(), says) {
					t.Errorf("expected %q in:\n%s", says, out.String())
				}
			}
		})
	}
	t.Run("with the reason in the description", func(t *testing.T) {
		var out bytes.Buffer
		arguments := []string{"changes", "-base", narrow, "-head", wide}
		if _, err := run(t.Context(), &out, environment(nil), arguments); err != nil {
			t.Fatal(err)
		}
		_, line, found := strings.Cut(out.String(), "Access-reviewed: ")
		if !found {
			t.Fatalf("expected a line to copy in:\n%s", out.String())
		}
		out.Reset()
		body := environment(map[string]string{"BODY": "Access-reviewed: " + line[:12] + " the web page is new"})
		if exit, err := run(t.Context(), &out, body, arguments); err != nil || exit != 0 || !strings.Contains(out.String(), "orders: **1 caller gained** · reviewed") {
			t.Errorf("expected it to be reviewed, got %d, %v:\n%s", exit, err, out.String())
		}
	})
}

func TestGuard(t *testing.T) {
	t.Chdir("../..")
	good, bad := declared(t, asDeclared), declared(t, open)
	for name, row := range map[string]struct {
		preview string
		passes  bool
		says    string
	}{
		"a preview without a violation":        {good, true, "finds nothing wrong with stack test: pass"},
		"a preview with a violation":           {bad, false, "set Authorization to CUSTOM"},
		"a preview that fails without JSON":    {"exit 255\n", false, "the preview of stack test failed, so nothing was checked"},
		"a preview that fails after its steps": {"exit 255\n" + good, false, "the preview of stack test failed, so nothing was checked"},
		"a preview that fails with JSON":       {"exit 255\n" + `{"steps":[],"diagnostics":[{"message":"no stack named test","severity":"error"}]}`, false, "no stack named test"},
		"no output":                            {"", false, "so nothing was checked"},
		"a preview of nothing":                 {`{"steps":[]}`, false, "expected one of type apigateway/restApi:RestApi, found none"},
		"text before the JSON":                 {"{warning\n" + good, false, "so nothing was checked"},
		"an operation that nobody knows":       {`{"steps":[{"op":"teleport"}]}`, false, "teleport"},
	} {
		t.Run(name, func(t *testing.T) {
			fake(t, "pulumi", map[string]string{"preview --stack test --json --show-sames": row.preview})
			var out bytes.Buffer
			exit, err := run(t.Context(), &out, environment(nil), []string{"guard", "test"})
			says := out.String()
			if err != nil {
				says += err.Error()
			}
			if (exit == 0) != row.passes || !strings.Contains(says, row.says) {
				t.Errorf("expected success %v and %q, got exit status %d and:\n%s", row.passes, row.says, exit, says)
			}
			if !row.passes && strings.Contains(says, "finds nothing wrong") {
				t.Errorf("expected no word of success, got:\n%s", says)
			}
		})
	}
	t.Run("no Pulumi", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		for _, command := range []string{"guard", "drift", "changes"} {
			exit, err := run(t.Context(), &bytes.Buffer{}, environment(nil), []string{command, "test"})
			if exit != 1 || err == nil || !strings.Contains(err.Error(), "https://www.pulumi.com/docs/install/") {
				t.Errorf("%s: expected to hear what to install, got %d, %v", command, exit, err)
			}
		}
	})
}

func TestUsage(t *testing.T) {
	for _, arguments := range [][]string{nil, {"nothing"}, {"guard"}, {"guard", "a", "b"}, {"changes"}, {"comment", "a"}, {"changes", "-wrong"}} {
		if exit, err := run(t.Context(), &bytes.Buffer{}, environment(nil), arguments); exit == 0 || err == nil {
			t.Errorf("%q: expected an error, got exit status %d", arguments, exit)
		}
	}
}
