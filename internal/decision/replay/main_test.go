package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const orders = `package orders

default decision := {"allow": false, "reasons": {"the scope read is required"}}

decision := {"allow": true, "reasons": set()} if {
	input.scope == "read"
	CONDITION
}
`

const log = `START RequestId: 1
{"level":"INFO","type":"openpolicyagent.org/decision_logs","path":"orders/decision","decision_id":"one","input":{"scope":"read","azp":"web","time":1718635961123000001},"erased":["/input/principal"],"result":{"allow":true,"reasons":[]}}
{"level":"INFO","type":"openpolicyagent.org/decision_logs","path":"orders/decision","decision_id":"two","input":{"scope":"write"},"erased":[],"result":{"allow":false,"reasons":["the scope read is required"]}}
{"level":"ERROR","path":"orders/decision","decision_id":"three","error":"none"}
{"level":"INFO","type":"openpolicyagent.org/decision_logs","path":"orders/decision","decision_id":"four","input":{"scope":"read"},"erased":["/input/principal"],"result":{"allow":true,"reasons":[]}}`

// prefixed has the same lines as make run and aws logs tail write them.
func prefixed(log string) string {
	lines := strings.SplitAfter(log, "\n")
	for i, prefix := range []string{"2026-06-17T14:52:41+02:00 shop-dev-orders ", "2026-06-17T12:52:41.123000+00:00 2026/06/17/[1]0f0ae4b9 "} {
		lines[i+1] = prefix + lines[i+1]
	}
	return strings.Join(lines, "")
}

func TestRun(t *testing.T) {
	for _, row := range []struct {
		name, condition string
		log             string
		code            int
		want            []string
	}{
		{"the policy that decided", "true", log, 0, []string{"3 decided the same, 0 otherwise, 0 cannot be judged\n"}},
		{"lines that begin with a time and a name", "true", prefixed(log), 0, []string{"3 decided the same, 0 otherwise, 0 cannot be judged\n"}},
		{"a stricter one", `input.azp == "web"`, log, 1, []string{
			"four was allowed, is denied (the scope read is required)\n", "2 decided the same, 1 otherwise, 0 cannot be judged\n"}},
		{"one by the time, digit for digit", `input.time == 1718635961123000001`, log, 1, []string{"2 decided the same, 1 otherwise"}},
		{"one that reads what is erased", `input.principal == "fred"`, log, 0, []string{
			"one cannot be judged: orders/decision may read principal, which the log has erased\n",
			"1 decided the same, 0 otherwise, 2 cannot be judged\n  2: orders/decision may read principal, which"}},
		{"one that fails", `to_number(input.scope)`, log, 1, []string{"one was allowed, is an error: decide orders/decision: eval_builtin_error"}},
		{"one that does not compile", `input.scopes`, log, 2, []string{"policies/orders/orders.rego:7: "}},
		{"a log without decisions", "true", "nothing\n", 2, []string{"expected a line of the type"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			root := t.TempDir()
			file := filepath.Join(root, "decisions.jsonl")
			if err := os.MkdirAll(filepath.Join(root, "policies/orders"), 0o755); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string]string{file: row.log, filepath.Join(root, "policies/orders/orders.rego"): strings.Replace(orders, "CONDITION", row.condition, 1)} {
				if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			if code := run(t.Context(), &out, &out, root, []string{file}); code != row.code {
				t.Errorf("got exit code %d, want %d", code, row.code)
			}
			for _, want := range row.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got\n%s\nwithout %s", out.String(), want)
				}
			}
		})
	}
	var out strings.Builder
	missing := filepath.Join(t.TempDir(), "decisions.jsonl")
	if code := run(t.Context(), &out, &out, ".", []string{missing}); code != 2 ||
		!strings.Contains(out.String(), "no such file") || !strings.Contains(out.String(), "the functions.log of a make run") {
		t.Errorf("a file that is not there: got %d, %s", code, out.String())
	}
	out.Reset()
	if code := run(t.Context(), &out, &out, ".", nil); code != 2 || !strings.Contains(out.String(), "make replay LOG=") {
		t.Errorf("without a file: got %d, %s", code, out.String())
	}
}
