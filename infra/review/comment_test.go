package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// needs is what GitHub's expression toJSON(needs) gives.
func needs(t *testing.T, jobs map[string]job) string {
	t.Helper()
	encoded, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

func finished(t *testing.T, result string, parts ...part) (j job) {
	t.Helper()
	encoded, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	j.Result, j.Outputs.Parts = result, string(encoded)
	return j
}

func TestComment(t *testing.T) {
	access := part{Subject: "policies", Verdicts: []verdict{{"orders", "1 caller gained", true, true}}, Sections: []section{{Title: "who", Markdown: "| a table |\n"}}}
	dev := part{Subject: "dev", Verdicts: []verdict{{"infrastructure", "2 updates", false, false}, {"guard rails", "pass", false, false}}}
	all := needs(t, map[string]job{"access": finished(t, "failure", access), "preview": finished(t, "success", dev)})
	const (
		list  = "api --paginate repos/owner/name/issues/7/comments"
		first = "api --method POST repos/owner/name/issues/7/comments"
		again = "api --method PATCH repos/owner/name/issues/comments/99"
	)
	for _, row := range []struct {
		name, needs, may string
		answers          map[string]string
		says             []string // in the calls and the comment
		summary          bool     // the comment is in the summary instead
	}{
		{"a first comment", all, "true", map[string]string{list: "", first: "{}"},
			[]string{first, mark, "| policies | orders: **1 caller gained** |\n| dev | infrastructure: 2 updates · guard rails: pass |", "| a table |", "Commit abc, [run](https://github.example/owner/name/actions/runs/5)"}, false},
		{"a comment again", all, "true", map[string]string{list: "99\n", again: "{}"}, []string{again}, false},
		{"a fork", all, "false", nil, nil, true},
		{"a token that may not comment", all, "true", map[string]string{list: "exit 1\n"}, []string{list}, true},
		{"a preview that died replaces what the comment said", needs(t, map[string]job{"access": finished(t, "success", access), "preview": {Result: "failure"}}), "true",
			map[string]string{list: "99\n", again: "{}"}, []string{"| preview | **did not finish: its log says why** |"}, false},
		{"a preview that was skipped", needs(t, map[string]job{"access": finished(t, "success", access), "preview": {Result: "skipped"}}), "true",
			map[string]string{list: "99\n", again: "{}"}, []string{"| preview | skipped: a fork or Dependabot"}, false},
		{"parts that are none", needs(t, map[string]job{"access": {Result: "success"}, "preview": finished(t, "success")}), "true",
			map[string]string{list: "99\n", again: "{}"}, []string{"| access | **did not finish", "| preview | **did not finish"}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			calls := fake(t, "gh", row.answers)
			summary := filepath.Join(t.TempDir(), "summary")
			var out bytes.Buffer
			exit, err := run(t.Context(), &out, environment(map[string]string{
				"NEEDS": row.needs, "MAY_COMMENT": row.may, "PULL_REQUEST": "7", "COMMIT": "abc", "GITHUB_STEP_SUMMARY": summary,
				"GITHUB_REPOSITORY": "owner/name", "GITHUB_SERVER_URL": "https://github.example", "GITHUB_RUN_ID": "5",
			}), []string{"comment"})
			if err != nil || exit != 0 {
				t.Fatalf("expected no failure, got %d, %v", exit, err)
			}
			for _, says := range row.says {
				if !strings.Contains(calls(), says) {
					t.Errorf("expected %q in:\n%s", says, calls())
				}
			}
			written, _ := os.ReadFile(summary)
			if row.summary != strings.Contains(string(written), mark) {
				t.Errorf("expected the comment in the summary: %v, got %q", row.summary, written)
			}
			if row.may == "false" && calls() != "" {
				t.Errorf("expected no call of gh, got %s", calls())
			}
			if row.may == "true" && row.summary && !strings.Contains(out.String(), "::warning::") {
				t.Errorf("expected a warning, got %q", out.String())
			}
		})
	}
	if exit, err := run(t.Context(), &bytes.Buffer{}, environment(nil), []string{"comment"}); exit != 1 || err == nil {
		t.Errorf("without NEEDS: expected an error, got %d, %v", exit, err)
	}
}

// What one job writes, the comment's job reads.
func TestPartsTravelBetweenJobs(t *testing.T) {
	directory := t.TempDir()
	output, summary := filepath.Join(directory, "output"), filepath.Join(directory, "summary")
	sent := part{Subject: "dev", Verdicts: []verdict{{Says: "1 update"}}, Sections: []section{{Title: "what changes", Text: "set <your tenant>\nand \"more\""}}}
	var out bytes.Buffer
	if err := deliver(&out, environment(map[string]string{"GITHUB_OUTPUT": output, "GITHUB_STEP_SUMMARY": summary}), []part{sent}); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	value, found := strings.CutPrefix(string(written), "parts=")
	if !found || strings.Count(value, "\n") != 1 {
		t.Fatalf("expected one line, got %q", written)
	}
	got, err := gather(needs(t, map[string]job{"access": {Result: "skipped"}, "preview": {Result: "success", Outputs: struct {
		Parts string `json:"parts"`
	}{value}}}))
	if err != nil || len(got) != 2 || markdown(got[1:], commentLimit) != markdown([]part{sent}, commentLimit) {
		t.Errorf("expected the same part, got %v, %+v", err, got)
	}
	if text, _ := os.ReadFile(summary); string(text) != markdown([]part{sent}, summaryLimit) || out.Len() > 0 {
		t.Errorf("expected the part in the summary alone, got %q and %q", text, out.String())
	}
}
