package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree is a directory with files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func policy(t *testing.T, allow string) string {
	return tree(t, map[string]string{
		"policies/orders/orders.rego":      "package orders\n\n" + allow + "\n\ndefault decision := {\"allow\": false, \"reasons\": {\"a permit is required\"}}\n\ndecision := {\"allow\": true, \"reasons\": set()} if allow\n",
		"policies/guard/guard.rego":        "package guard\n\nviolations := 1\n",
		"policies/orders/orders_test.rego": "package orders_test\n\ntest_nothing if {\n", // tests do not count
	})
}

const read = `allow if "read" in split(input.scope, " ")`

func TestRun(t *testing.T) {
	base := policy(t, read)
	wider := policy(t, "allow if {\n\tsome s in split(input.scope, \" \")\n\ts in {\"read\", \"admin\"}\n}")
	sampled := policy(t, "allow if {\n\t\"read\" in split(input.scope, \" \")\n\tcount(input.scope) > 0\n}")
	for _, row := range []struct {
		name      string
		head      string
		arguments []string
		exit      int
		verdict   string
		says      string
	}{
		{"the same", base, nil, 0, "same", "policies/orders: unchanged"},
		{"something gained", wider, nil, 3, "gained", "scope `admin`"},
		{"something gained that is meant", wider, []string{"-allow-gained", "support needs it"}, 0, "reviewed", "allowed, because: support needs it"},
		{"something revoked", policy(t, "allow if {\n\t\"read\" in split(input.scope, \" \")\n\tinput.azp == \"web\"\n}"), nil, 0, "revoked", "200"},
		{"an error", policy(t, "allow if {"), nil, 4, "error", "head does not compile: policies/orders/orders.rego:5"},
		{"an error, with a reason for what is gained", policy(t, "allow if {"), []string{"-allow-gained", "it is meant"}, 4, "error", "does not compile"},
		{"a sample", sampled, nil, 0, "same", "a sample, not a proof"},
		{"a sample where a proof is required", sampled, []string{"-require-complete"}, 3, "unknown", "not proven: `policies/orders/orders.rego:5: count(input.scope)"},
		{"no policies", t.TempDir(), nil, 1, "", "policies"},
		{"another format", base, []string{"-format", "xml"}, 1, "", `expected text, markdown or json, got "xml"`},
		{"an argument", base, []string{"more"}, 1, "", `expected flags only, got "more"`},
		{"a flag that is not there", base, []string{"-more"}, 1, "", "flag provided but not defined"},
		{"a log that is not there", base, []string{"-log", "nowhere"}, 1, "", "nowhere"},
		{"a log without decisions", base, []string{"-log", filepath.Join(base, "policies/orders/orders.rego")}, 1, "", "expected a line of the type openpolicyagent.org/decision_logs"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var output strings.Builder
			exit := run(t.Context(), &output, &output, append([]string{"-base", base, "-head", row.head}, row.arguments...))
			if exit != row.exit || !strings.Contains(output.String(), row.says) {
				t.Errorf("got exit status %d, want %d with %s:\n%s", exit, row.exit, row.says, &output)
			}
			if row.verdict == "" {
				return
			}
			if !strings.HasSuffix(output.String(), "\nverdict: "+row.verdict+"\n") {
				t.Errorf("got the last line of\n%s\nwant the verdict %s", &output, row.verdict)
			}
			output.Reset()
			var report struct{ Verdict string }
			run(t.Context(), &output, &output, append([]string{"-base", base, "-head", row.head, "-format", "json"}, row.arguments...))
			if err := json.Unmarshal([]byte(output.String()), &report); err != nil || report.Verdict != row.verdict {
				t.Errorf("JSON has the verdict %q, %v; want %q", report.Verdict, err, row.verdict)
			}
		})
	}
}

// A review holds for what was reviewed, not for what lets in more.
func TestReviewHoldsForItsFingerprintOnly(t *testing.T) {
	base := policy(t, read)
	wider := policy(t, read+"\n\nallow if input.azp == \"web\"")
	widest := policy(t, read+"\n\nallow if input.azp == \"web\"\n\nallow if input.azp == \"app\"")
	diff := func(head string, arguments ...string) (int, string) {
		var output strings.Builder
		exit := run(t.Context(), &output, &output, append([]string{"-base", base, "-head", head}, arguments...))
		return exit, output.String()
	}
	_, text := diff(wider, "-format", "json")
	var report struct{ Fingerprint string }
	if err := json.Unmarshal([]byte(text), &report); err != nil || len(report.Fingerprint) != 12 {
		t.Fatalf("got %q, %v", report.Fingerprint, err)
	}
	line := "Why:\r\n\r\nAccess-reviewed: " + report.Fingerprint + " the web client may <b>read</b>\r\n"
	if exit, text := diff(wider, "-review", line); exit != 0 || !strings.Contains(text, "allowed, because: the web client may <b>read</b>\nverdict: reviewed\n") {
		t.Errorf("with its review: got exit status %d:\n%s", exit, text)
	}
	if exit, text := diff(wider, "-review", line, "-format", "markdown"); exit != 0 || !strings.Contains(text, "`the web client may <b>read</b>`") {
		t.Errorf("in Markdown: got exit status %d:\n%s", exit, text)
	}
	for name, review := range map[string]string{
		"of another version": line, "without a reason": "Access-reviewed: " + report.Fingerprint, "of nothing": "Access-reviewed: 000000000000 it is fine", "in the middle of a line": "so Access-reviewed: " + report.Fingerprint + " x",
	} {
		head := wider
		if name == "of another version" {
			head = widest
		}
		if exit, text := diff(head, "-review", review); exit != 3 {
			t.Errorf("a review %s: got exit status %d:\n%s", name, exit, text)
		}
	}
}

func TestRecordedDecisions(t *testing.T) {
	base := policy(t, read)
	head := policy(t, "allow if {\n\t\"read\" in split(input.scope, \" \")\n\tnot blocked\n}\n\nblocked if input.azp == \"crawler\"\n\nallow if \"admin\" in split(input.scope, \" \")")
	line := func(id, input, erased, allow string) string {
		return `{"type":"openpolicyagent.org/decision_logs","decision_id":"` + id + `","path":"orders/decision","input":` + input + `,"erased":[` + erased + `],"result":{"allow":` + allow + `,"reasons":[]}}` + "\n"
	}
	log := filepath.Join(t.TempDir(), "decisions.jsonl")
	text := "START RequestId: 1\n" +
		line("one", `{"scope":"read"}`, `"/input/principal"`, "true") +
		line("two", `{"scope":"admin"}`, "", "false") +
		line("three", `{"scope":"read"}`, `"/input/azp"`, "true") +
		line("four", `{"scope":"nothing"}`, "", "true") +
		strings.Replace(line("five", `{}`, "", "false"), "orders/", "refunds/", 1)
	if err := os.WriteFile(log, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	run(t.Context(), &output, &output, []string{"-base", base, "-head", head, "-log", log})
	for _, want := range []string{
		"recorded: 4 decisions, 2 unchanged, 1 gained (such as two), 1 cannot be judged (the log erases /input/azp)",
		"recorded: to 1 the base answers otherwise than the log says",
	} {
		if !strings.Contains(output.String(), want) {
			t.Errorf("expected %q in\n%s", want, &output)
		}
	}
}

// What the author of a change writes is quoted in a comment. It is shown, and does nothing.
func TestMarkdownOfAStrangeReason(t *testing.T) {
	head := tree(t, map[string]string{"policies/orders/orders.rego": "package orders\n\ndefault decision := {\"allow\": true, \"reasons\": {\"a | b ` <img> @everyone\\n## heading\"}}\n"})
	var output strings.Builder
	if exit := run(t.Context(), &output, &output, []string{"-base", policy(t, read), "-head", head, "-format", "markdown"}); exit != 3 {
		t.Errorf("got exit status %d", exit)
	}
	if !strings.Contains(output.String(), "| `200 a ¦ b ' <img> @everyone ## heading` |") {
		t.Errorf("got\n%s", &output)
	}
	output.Reset()
	head = policy(t, "allow if \"x\" in input.query[\"@team | <b>\"]\n\nallow if \x1b[31m")
	if exit := run(t.Context(), &output, &output, []string{"-base", policy(t, read), "-head", head}); exit != 4 || strings.Contains(output.String(), "\x1b") {
		t.Errorf("got exit status %d and\n%q", exit, &output)
	}
	output.Reset()
	head = policy(t, "allow if \"x\" in input.query[\"@team | <b>\"]")
	if exit := run(t.Context(), &output, &output, []string{"-base", policy(t, read), "-head", head, "-format", "markdown"}); exit != 3 || strings.Contains(output.String(), "@team") || strings.Contains(output.String(), "<b>") {
		t.Errorf("got exit status %d and\n%s", exit, &output)
	}
}

// A link out of the version would put a file of the machine into a public comment.
func TestLinksOutOfTheVersionAreNotRead(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("TOKEN=5ecr3t"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"more.rego", "data.json"} {
		head := policy(t, read)
		if err := os.Symlink(secret, filepath.Join(head, "policies/orders", name)); err != nil {
			t.Fatal(err)
		}
		var output strings.Builder
		if exit := run(t.Context(), &output, &output, []string{"-base", policy(t, read), "-head", head}); exit == 0 || strings.Contains(output.String(), "5ecr3t") {
			t.Errorf("%s: got exit status %d:\n%s", name, exit, &output)
		}
	}
}
