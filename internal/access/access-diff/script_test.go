package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const project = "../../.."

// absolute is a path of the project for a program that runs elsewhere.
func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(project, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// script runs a script, and returns its exit status and what it prints.
func script(t *testing.T, directory string, environment []string, command ...string) (int, string) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = directory
	cmd.Env = append(os.Environ(), environment...)
	output, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(output)
}

// fakeGitHub is a directory with a command gh that notes its arguments and the comment.
func fakeGitHub(t *testing.T, comment string) (directory string) {
	t.Helper()
	directory = t.TempDir()
	gh := `#!/bin/sh
[ "$GH_TOKEN" = secret ] || exit 4
echo "$@" >>"` + directory + `/calls"
case "$*" in
*--paginate*) echo "` + comment + `" ;;
*) for argument; do case $argument in body=@*) cp "${argument#body=@}" "` + directory + `/comment" ;; esac; done ;;
esac
`
	if err := os.WriteFile(filepath.Join(directory, "gh"), []byte(gh), 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestScriptOfThePullRequest(t *testing.T) {
	base := absolute(t, ".")
	// The head has one policy more than the base, and none of the base's.
	head := policy(t, read)
	broken := policy(t, "allow if {")
	for _, row := range []struct {
		name, head, comments string
		environment          []string
		exit                 int
		call                 string
	}{
		{"a first comment", head, "", []string{"MAY_COMMENT=true"}, 3, "api --method POST repos/owner/name/issues/7/comments"},
		{"a comment again", head, "99", []string{"MAY_COMMENT=true"}, 3, "api --method PATCH repos/owner/name/issues/comments/99"},
		{"a fork", head, "", []string{"MAY_COMMENT=false"}, 3, ""},
		{"a policy that does not compile", broken, "", []string{"MAY_COMMENT=true"}, 4, "POST"},
		{"a token that may not comment", head, "", []string{"MAY_COMMENT=true", "GH_TOKEN=another"}, 3, ""},
		{"no policies", t.TempDir(), "", []string{"MAY_COMMENT=true"}, 1, "POST"},
	} {
		t.Run(row.name, func(t *testing.T) {
			github := fakeGitHub(t, row.comments)
			summary := filepath.Join(t.TempDir(), "summary")
			exit, output := script(t, ".", append([]string{
				"PATH=" + github + string(os.PathListSeparator) + os.Getenv("PATH"), "GH_TOKEN=secret",
				"GITHUB_STEP_SUMMARY=" + summary, "GITHUB_REPOSITORY=owner/name", "PULL_REQUEST=7", "BODY=No reason.",
			}, row.environment...), absolute(t, ".ci/access"), base, row.head)
			if exit != row.exit {
				t.Errorf("got exit status %d, want %d:\n%s", exit, row.exit, output)
			}
			report, err := os.ReadFile(summary)
			if err != nil || len(report) == 0 {
				t.Errorf("got no summary: %v", err)
			}
			calls, _ := os.ReadFile(filepath.Join(github, "calls"))
			if row.call == "" {
				if len(calls) > 0 {
					t.Errorf("expected no call of gh, got\n%s", calls)
				}
				return
			}
			comment, _ := os.ReadFile(filepath.Join(github, "comment"))
			if !strings.Contains(string(calls), row.call) || !strings.HasSuffix(string(comment), string(report)) || !strings.HasPrefix(string(comment), "<!-- ") {
				t.Errorf("got the calls\n%s\nwith the comment\n%s\nand the summary\n%s", calls, comment, report)
			}
		})
	}
}

// The reason in a pull request's description lets through what it was written for.
func TestScriptReadsTheReviewInTheDescription(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary")
	run := func(body string) (int, string) {
		if err := os.WriteFile(summary, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		exit, _ := script(t, ".", []string{"GITHUB_STEP_SUMMARY=" + summary, "BODY=" + body}, absolute(t, ".ci/access"), absolute(t, "."), headOf(t))
		report, err := os.ReadFile(summary)
		if err != nil {
			t.Fatal(err)
		}
		return exit, string(report)
	}
	exit, report := run("")
	_, line, found := strings.Cut(report, "Access-reviewed: ")
	if exit != 3 || !found {
		t.Fatalf("got exit status %d:\n%s", exit, report)
	}
	if exit, report := run("Access-reviewed: " + line[:12] + " orders are new"); exit != 0 || !strings.Contains(report, "## Access: reviewed") || !strings.Contains(report, "`orders are new`") {
		t.Errorf("with the reason: got exit status %d:\n%s", exit, report)
	}
}

func headOf(t *testing.T) string { return policy(t, read) }

// make access-diff compares the working tree with a revision of git.
func TestAgainstARevision(t *testing.T) {
	root := policy(t, read)
	git := func(arguments ...string) {
		if exit, output := script(t, root, nil, append([]string{"git", "-c", "user.name=a", "-c", "user.email=a@example.com"}, arguments...)...); exit != 0 {
			t.Fatal(output)
		}
	}
	if exit, output := script(t, ".", nil, "go", "build", "-o", filepath.Join(root, "dist/access-diff"), "."); exit != 0 {
		t.Fatal(output)
	}
	git("init", "-q", "-b", "trunk")
	git("add", "policies")
	git("commit", "-qm", "first")
	against := absolute(t, "internal/access/against")
	if exit, output := script(t, root, nil, against, "trunk"); exit != 0 || !strings.HasSuffix(output, "verdict: same\n") {
		t.Errorf("without a change: got exit status %d:\n%s", exit, output)
	}
	wider := filepath.Join(root, "policies/orders/wider.rego")
	if err := os.WriteFile(wider, []byte("package orders\n\nallow if input.azp == \"web\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, output := script(t, root, nil, against, "trunk"); exit != 3 || !strings.Contains(output, "azp `web`") {
		t.Errorf("with a change: got exit status %d:\n%s", exit, output)
	}
	if exit, output := script(t, root, nil, against, "trunk", "-allow-gained", "it is meant"); exit != 0 {
		t.Errorf("with a reason: got exit status %d:\n%s", exit, output)
	}
	for _, revision := range []string{"nothing", ""} {
		if exit, output := script(t, root, nil, against, revision); exit != 1 || output == "" {
			t.Errorf("with the revision %q: got exit status %d:\n%s", revision, exit, output)
		}
	}
}
