package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, "policies", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRun(t *testing.T) {
	const (
		decided = "package orders\n\ndecision := input.azp\n"
		enough  = "package orders_test\n\nimport data.orders\n\ntest_decision if orders.decision == \"web\" with input as {\"azp\": \"web\"}\n"
		helper  = "package shared\n\nlimit := 3\n"
		guard   = "package guard\n\nviolations contains \"too many\" if input.count > 3\n"
	)
	for _, row := range []struct {
		name   string
		files  map[string]string
		named  []string
		code   int
		output []string
	}{
		{"enough tests", map[string]string{"orders/orders.rego": decided, "orders/orders_test.rego": enough, "guard/guard.rego": guard}, nil, 0,
			[]string{"policies/orders: 1 tests notice 4 of 4 mutants (0 equivalent)\n"}},
		{"a missing test", map[string]string{
			"orders/orders.rego":      decided,
			"orders/orders_test.rego": "package orders_test\n\nimport data.orders\n\ntest_decision if orders.decision with input as {\"azp\": \"a\", \"scope\": \"b\"}\n",
		}, nil, 1, []string{
			"policies/orders/orders.rego:3: no test notices: `input.azp` becomes `input.scope`\n-decision := input.azp\n+decision := input.scope\n",
			"policies/orders: 1 tests notice 3 of 4 mutants",
		}},
		{"a shared helper without tests", map[string]string{"orders/orders.rego": decided, "orders/orders_test.rego": enough, "shared/shared.rego": helper}, nil, 2,
			[]string{"policies/shared: expected Rego tests, got none"}},
		{"a directory by name", map[string]string{"guard/guard.rego": guard}, []string{"guard"}, 2, []string{"policies/guard: expected Rego tests"}},
		{"no policy", map[string]string{"guard/guard.rego": guard}, nil, 2, []string{"expected a policy in"}},
		{"a syntax error", map[string]string{"orders/orders.rego": "package orders\n\ndecision := {"}, nil, 2, []string{"orders/orders.rego:3"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var output strings.Builder
			if code := run(t.Context(), &output, &output, tree(t, row.files), row.named); code != row.code {
				t.Errorf("got exit code %d, want %d", code, row.code)
			}
			for _, want := range row.output {
				if !strings.Contains(output.String(), want) {
					t.Errorf("got\n%s\nwant %s", &output, want)
				}
			}
		})
	}
}
