package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"policies/orders/orders.rego": "package orders\n\ndefault decision := {\"allow\": false, \"reasons\": {\"a permit is required\"}}\n\ndecision := {\"allow\": true, \"reasons\": set()} if input.azp == \"web\"\n",
		"docs/access.md":              "old",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := write(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/access.md"))
	if err != nil || !strings.HasPrefix(string(page), "# Who may do what\n") || !strings.Contains(string(page), "| azp `web` | `200` |  |\n") || strings.HasSuffix(string(page), "\n\n") {
		t.Errorf("got %v and\n%s", err, page)
	}
	if err := write(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "policies") {
		t.Errorf("without policies: got %v", err)
	}
}
