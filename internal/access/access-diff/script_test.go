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
		if exit, output := script(t, root, nil, against, revision); exit != 1 || strings.Count(output, "\n") != 1 || !strings.Contains(output, "make access-diff BASE=") {
			t.Errorf("with the revision %q: got exit status %d:\n%s", revision, exit, output)
		}
	}
}
