package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/record"
)

// write makes a project whose handlers all decide by one condition.
func write(t *testing.T, condition string, stacks map[string]string) (root string) {
	t.Helper()
	declared, err := os.ReadFile("../../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"Pulumi.yaml": string(declared), "Pulumi.README.md": "# Sample\n"}
	for name, settings := range stacks {
		files["Pulumi."+name+".yaml"] = "config:\n  aws:region: eu-west-1\n  issuer: https://id.example.net/\n  audience: https://sample.example.net\n" + settings
	}
	handlers, err := os.ReadDir("../../handlers")
	if err != nil {
		t.Fatal(err)
	}
	for _, handler := range handlers {
		files["policies/"+handler.Name()+"/rules.rego"] = "package " + handler.Name() + `

default decision := {"allow": false, "reasons": {"no"}}

decision := {"allow": true, "reasons": set()} if ` + condition + "\n"
	}
	root = t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// A stack that does not pass on a claim would serve a policy that never sees it.
func TestCaptureRefusesAStackWithoutAClaimOfAPolicy(t *testing.T) {
	root := write(t, `input.claims.tier == "gold"`, map[string]string{"with": "  claims: [tier]\n", "without": ""})
	if err := capture(io.Discard, record.Stack{Root: root, Name: "with"}); err != nil {
		t.Errorf("with the claim: %v", err)
	}
	err := capture(io.Discard, record.Stack{Root: root, Name: "without"})
	for _, want := range []string{"/rules.rego:5: ", "undefined ref: input.claims", "pulumi config set --path 'claims[0]' tier --stack without"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without it: got %v, want %s", err, want)
		}
	}
}

// Another stack may have what this one has not, so a policy may read it.
func TestCaptureWarnsOfAFieldThatNoRequestHas(t *testing.T) {
	root := write(t, `input.permissions == "see"`, map[string]string{"with": "", "without": "  provider: rfc9068\n"})
	const warning = "reads input.permissions, which no request to stack without has: tokens of rfc9068 have none"
	for stack, want := range map[string]bool{"with": false, "without": true} {
		var graph strings.Builder
		if err := capture(&graph, record.Stack{Root: root, Name: stack}); err != nil {
			t.Errorf("%s: %v", stack, err)
		}
		if got := strings.Contains(graph.String(), warning); got != want {
			t.Errorf("stack %s: got a warning %t, want %t", stack, got, want)
		}
	}
}
