package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// script runs a script of .ci and returns its exit status and what it prints.
func script(t *testing.T, arguments ...string) (int, string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", arguments...)
	output, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(output)
}

// The program is built from the checkout that is named, and its exit status is kept.
func TestReviewScript(t *testing.T) {
	t.Chdir("../..")
	narrow, wide := version(t, `allow if input.azp == "app"`), version(t, `allow if input.azp in {"app", "web"}`)
	t.Setenv("GITHUB_OUTPUT", "")
	if exit, output := script(t, ".ci/review", ".", "changes", "-base", narrow, "-head", wide); exit != 3 || !strings.Contains(output, "1 caller gained") {
		t.Errorf("expected exit status 3 for a caller more, got %d:\n%s", exit, output)
	}
	if exit, output := script(t, ".ci/review", t.TempDir(), "changes", "-base", narrow, "-head", narrow); exit == 0 {
		t.Errorf("expected a checkout without the program to fail, got:\n%s", output)
	}
}

func TestDeployScript(t *testing.T) {
	for _, row := range []struct {
		name, up, stageURL, conform string
		passes                      bool
	}{
		{"a deployment that conforms", "", "https://id.example/test\n", "", true},
		{"a deployment that fails", "exit 255\n", "https://id.example/test\n", "", false},
		{"a stack with its domain alone", "", "exit 1\n", "", true},
		{"an API that differs", "", "https://id.example/test\n", "exit 2\n", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			pulumi := fake(t, "pulumi", map[string]string{
				"stack select --create test": "", "up --stack test --yes --non-interactive": row.up, "stack output stageUrl --stack test": row.stageURL, "stack output url --stack test": "https://api.example/test\n",
			})
			asked := "https://id.example/test"
			if strings.HasPrefix(row.stageURL, "exit") {
				asked = "https://api.example/test"
			}
			make := fake(t, "make", map[string]string{"conform STACK=test URL=" + asked: row.conform})
			exit, output := script(t, "../../.ci/deploy", "test")
			if (exit == 0) != row.passes {
				t.Errorf("expected success %v, got exit status %d:\n%s", row.passes, exit, output)
			}
			if conforms := make() != ""; conforms != (row.passes || row.conform != "") || !strings.HasPrefix(pulumi(), "stack select --create test\n") {
				t.Errorf("expected the stack to be made, and asked only if it came up, got:\n%s%s", pulumi(), make())
			}
		})
	}
}

func TestPackagesScript(t *testing.T) {
	summary := filepath.Join(t.TempDir(), "summary")
	t.Setenv("GITHUB_STEP_SUMMARY", summary)
	for _, row := range []struct {
		build  string
		passes bool
		says   string
	}{
		{"0123  dist/door.zip\n", true, "### Deployment packages\n```\n0123  dist/door.zip\n```\n"},
		{"exit 2\n", false, ""},
	} {
		if err := os.WriteFile(summary, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		fake(t, "make", map[string]string{"--no-print-directory build": row.build})
		exit, output := script(t, "../../.ci/packages")
		if text, _ := os.ReadFile(summary); (exit == 0) != row.passes || string(text) != row.says {
			t.Errorf("expected success %v and %q, got exit status %d, %q:\n%s", row.passes, row.says, exit, text, output)
		}
	}
}

// asCommand makes this test binary the command. No result of a test is cached that changes to a
// temporary directory itself.
const asCommand = "REVIEW_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestAgainstARevision(t *testing.T) {
	root := version(t, `allow if input.azp == "app"`)
	run := func(name string, arguments ...string) (int, string) {
		command := exec.CommandContext(t.Context(), name, arguments...)
		command.Dir, command.Env = root, append(os.Environ(), asCommand+"=1", "GITHUB_OUTPUT=", "BODY=")
		output, err := command.CombinedOutput()
		if err != nil && command.ProcessState == nil {
			t.Fatal(err)
		}
		return command.ProcessState.ExitCode(), string(output)
	}
	for _, command := range [][]string{{"init", "-q", "-b", "trunk"}, {"add", "policies"}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "first"}} {
		if exit, output := run("git", command...); exit != 0 {
			t.Fatalf("git %v: %s", command, output)
		}
	}
	wider := filepath.Join(root, "policies/orders/wider.rego")
	if err := os.WriteFile(wider, []byte("package orders\n\nallow if input.azp == \"web\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if exit, output := run(os.Args[0], "changes", "-base", "trunk"); exit != 3 || !strings.Contains(output, "1 caller gained") {
		t.Errorf("expected exit status 3, got %d:\n%s", exit, output)
	}
	if exit, output := run(os.Args[0], "changes", "-base", "nothing"); exit != 1 || !strings.Contains(output, "expected a directory or a revision") {
		t.Errorf("expected an unknown revision to fail, got %d:\n%s", exit, output)
	}
}
