package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	// commentLimit is less than the 65,536 characters that GitHub accepts.
	commentLimit = 65_000
	// summaryLimit is less than the 1 MiB of a step's summary:
	// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
	summaryLimit = 1_000_000
	// outputLimit keeps what the comment's job gets from the others below 128 KiB, which is
	// the most that Linux lets an environment variable have.
	outputLimit = 30_000

	// mark is the first line of the comment, by which it is found again.
	mark = "<!-- what this pull request changes -->"
)

// deliver writes parts to where the job's environment says: in GitHub Actions to the
// step's summary and to the output "parts", otherwise to out.
func deliver(out io.Writer, getenv func(string) string, parts []part) error {
	if getenv("GITHUB_OUTPUT") == "" {
		_, err := io.WriteString(out, markdown(parts, commentLimit))
		return err
	}
	encoded, err := json.Marshal(shortened(parts, outputLimit))
	if err != nil {
		return err
	}
	return errors.Join(
		appendTo(getenv("GITHUB_OUTPUT"), "parts="+string(encoded)+"\n"),
		appendTo(getenv("GITHUB_STEP_SUMMARY"), markdown(parts, summaryLimit)),
	)
}

func appendTo(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// job is another job, as the expression toJSON(needs) shows it.
type job struct {
	Result  string `json:"result"`
	Outputs struct {
		Parts string `json:"parts"`
	} `json:"outputs"`
}

// gather reads the parts of the other jobs. A job without parts gets a row that says so.
func gather(needs string) ([]part, error) {
	var jobs map[string]job
	if err := json.Unmarshal([]byte(needs), &jobs); err != nil {
		return nil, fmt.Errorf("NEEDS: expected toJSON(needs), got something else: %w", err)
	}
	var all []part
	for _, name := range []string{"access", "preview"} {
		j := jobs[name]
		var parts []part
		switch {
		case j.Outputs.Parts != "" && json.Unmarshal([]byte(j.Outputs.Parts), &parts) == nil && len(parts) > 0:
			all = append(all, parts...)
		case j.Result == "skipped":
			all = append(all, part{Subject: name, Verdicts: []verdict{{Says: "skipped: a fork or Dependabot has no identity to preview with, or the repository's variables are not set (docs/pull-requests.md)"}}})
		default:
			all = append(all, part{Subject: name, Verdicts: []verdict{{Says: "did not finish: its log says why", Grave: true}}})
		}
	}
	return all, nil
}

// comment puts the parts of the other jobs into the pull request's one comment. If the
// job's token may not comment, they are in its summary.
func comment(ctx context.Context, out io.Writer, getenv func(string) string) error {
	parts, err := gather(getenv("NEEDS"))
	if err != nil {
		return err
	}
	body := fmt.Sprintf("%s\n## What this pull request changes\n\n", mark)
	end := fmt.Sprintf("\nCommit %s, [run](%s/%s/actions/runs/%s).\n", getenv("COMMIT"), getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_RUN_ID"))
	body += markdown(parts, commentLimit-len(body)-len(end)) + end
	if getenv("MAY_COMMENT") == "true" {
		if err = post(ctx, getenv, body); err == nil {
			return nil
		}
		// The checks count, not the comment.
		fmt.Fprintf(out, "::warning::%s\n", strings.ReplaceAll(err.Error(), "\n", "%0A"))
	}
	return appendTo(getenv("GITHUB_STEP_SUMMARY"), body)
}

// post edits the comment, or makes it if there is none.
func post(ctx context.Context, getenv func(string) string, body string) error {
	directory, err := os.MkdirTemp("", "comment")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	file := filepath.Join(directory, "body")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		return err
	}
	repository := "repos/" + getenv("GITHUB_REPOSITORY")
	comments := repository + "/issues/" + getenv("PULL_REQUEST") + "/comments"
	// Anybody may write the mark; only this user's comments are ours.
	found, stderr, err := output(ctx, "gh", "api", "--paginate", comments, "--jq",
		fmt.Sprintf(`.[] | select(.user.login == "github-actions[bot]" and (.body | startswith(%q))) | .id`, mark))
	if err != nil {
		return fmt.Errorf("%w: %s", err, stderr)
	}
	arguments := []string{"api", "--method", "POST", comments}
	if id, _, _ := strings.Cut(strings.TrimSpace(string(found)), "\n"); id != "" {
		arguments = []string{"api", "--method", "PATCH", repository + "/issues/comments/" + id}
	}
	if _, stderr, err = output(ctx, "gh", append(arguments, "--field", "body=@"+file)...); err != nil {
		return fmt.Errorf("%w: %s", err, stderr)
	}
	return nil
}
