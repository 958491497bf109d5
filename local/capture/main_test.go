package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/record"
)

// A stack that does not pass on a claim would serve a policy that never sees it.
func TestCaptureRefusesAStackWithoutAClaimOfAPolicy(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	declared, err := os.ReadFile("../../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("Pulumi.yaml", string(declared))
	write("Pulumi.README.md", "# Sample\n")
	const settings = "config:\n  aws:region: eu-west-1\n  issuer: https://id.example.net/\n  audience: https://sample.example.net\n"
	write("Pulumi.with.yaml", settings+"  claims: [tier]\n")
	write("Pulumi.without.yaml", settings)
	handlers, err := os.ReadDir("../../handlers")
	if err != nil {
		t.Fatal(err)
	}
	for _, handler := range handlers {
		write("policies/"+handler.Name()+"/rules.rego", "package "+handler.Name()+`

default decision := {"allow": false, "reasons": {"no"}}

decision := {"allow": true, "reasons": set()} if input.claims.tier == "gold"
`)
	}
	if err := capture(io.Discard, record.Stack{Root: root, Name: "with"}); err != nil {
		t.Errorf("with the claim: %v", err)
	}
	err = capture(io.Discard, record.Stack{Root: root, Name: "without"})
	for _, want := range []string{"/rules.rego:5: ", "undefined ref: input.claims", "pulumi config set --path 'claims[0]' tier --stack without"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without it: got %v, want %s", err, want)
		}
	}
}
