package infra_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/graph"
)

// asPreview is a graph as `pulumi preview --json` shows it.
func asPreview(t *testing.T, g *graph.Graph) string {
	t.Helper()
	type state struct {
		Type         string         `json:"type"`
		URN          string         `json:"urn"`
		Inputs       map[string]any `json:"inputs"`
		Dependencies []string       `json:"dependencies"`
	}
	type step struct {
		Op       string `json:"op"`
		NewState state  `json:"newState"`
	}
	var steps []step
	for _, r := range g.Resources {
		steps = append(steps, step{"create", state{r.Type, r.URN, r.Inputs, r.Dependencies}})
	}
	return document(t, map[string]any{"steps": steps})
}

func TestGuardCommand(t *testing.T) {
	g := mustDeclare(t, "test")
	good := asPreview(t, g)
	find(t, g, method, "GET-items").Inputs["authorization"] = "NONE"
	open := asPreview(t, g)
	const failed = `{"diagnostics":[{"message":"no stack named dev","severity":"error"}]}`

	for name, row := range map[string]struct {
		pulumi string // what the CLI prints; "" = it prints nothing
		status string // its exit status; "" = there is no CLI
		passes bool
		says   string
	}{
		"a preview without a violation":        {good, "0", true, "finds nothing wrong with stack test"},
		"a preview with a violation":           {open, "0", false, "set Authorization to CUSTOM"},
		"a preview that fails without JSON":    {"", "255", false, "the preview of stack test failed, so nothing was checked"},
		"a preview that fails after its steps": {good, "255", false, "the preview of stack test failed, so nothing was checked"},
		"a preview that fails with JSON":       {failed, "255", false, "no stack named dev"},
		"no output":                            {"", "0", false, "the preview of stack test is empty"},
		"diagnostics instead of steps":         {failed, "0", false, "expected one of type apigateway/restApi:RestApi, found none"},
		"JSON that is no preview":              {`[1, "2"]`, "0", false, "expected one of type apigateway/restApi:RestApi, found none"},
		"a preview of nothing":                 {`{"steps":[]}`, "0", false, "expected one of type apigateway/restApi:RestApi, found none"},
		"text before the JSON":                 {"{warning\n" + good, "0", false, "OPA could not judge the preview"},
		"no Pulumi":                            {"", "", false, "pulumi is not installed"},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := runGuard(t, row.pulumi, row.status)
			if passed := err == nil; passed != row.passes || !strings.Contains(output, row.says) {
				t.Errorf("expected success %v and %q, got %v and:\n%s", row.passes, row.says, err, output)
			}
			if !row.passes && strings.Contains(output, "finds nothing wrong") {
				t.Errorf("expected no word of success, got:\n%s", output)
			}
		})
	}
}

// runGuard runs the command with a Pulumi CLI of the given output and exit status.
func runGuard(t *testing.T, output, status string) (string, error) {
	t.Helper()
	path := t.TempDir()
	for _, program := range []string{"bash", "cat", "dirname", "go", "mktemp", "rm"} {
		found, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(found, filepath.Join(path, program)); err != nil {
			t.Fatal(err)
		}
	}
	if status != "" {
		if err := os.WriteFile(filepath.Join(path, "output"), []byte(output), 0o600); err != nil {
			t.Fatal(err)
		}
		script := "#!/usr/bin/env bash\ncat '" + filepath.Join(path, "output") + "'\nexit " + status + "\n"
		if err := os.WriteFile(filepath.Join(path, "pulumi"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.CommandContext(t.Context(), "bash", "guard", "test")
	command.Env = append(os.Environ(), "PATH="+path)
	combined, err := command.CombinedOutput()
	return string(combined), err
}
