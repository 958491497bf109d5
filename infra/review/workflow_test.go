package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var (
	runs = regexp.MustCompile(`(?m)^\s*(?:- )?run: (.*)$`)
	uses = regexp.MustCompile(`(?m)^\s*(?:- )?uses: (\S+)`)

	// wires are what a step may run: a script, a make target, or a notice.
	wires  = regexp.MustCompile(`^((base/)?\.ci/\w+|make [a-z-]+|echo "::notice::)`)
	pinned = regexp.MustCompile(`^(\./\S+|[\w./-]+@[0-9a-f]{40})$`)
)

// What a workflow runs, a test runs too. Actions are pinned to a commit, which nobody can
// replace as a tag can be.
func TestWorkflowsOnlyWire(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("expected workflows, got %v", err)
	}
	for _, file := range append(files, "../../.github/actions/stack/action.yaml") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range runs.FindAllStringSubmatch(string(source), -1) {
			if filepath.Base(file) != "action.yaml" && !wires.MatchString(step[1]) {
				t.Errorf("%s: expected a step to run a script of .ci or a make target, got %q", filepath.Base(file), step[1])
			}
		}
		for _, step := range uses.FindAllStringSubmatch(string(source), -1) {
			if !pinned.MatchString(step[1]) {
				t.Errorf("%s: expected an action pinned to a commit, got %s", filepath.Base(file), step[1])
			}
		}
	}
}

// variable is one of the repository, which is empty until somebody sets it.
var variable = regexp.MustCompile(`vars\.\w+`)

// A job that needs a variable is skipped without it. The organization is Pulumi Cloud's alone.
func TestJobsNeedTheVariablesThatTheyUse(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var workflow struct {
			Jobs map[string]struct {
				If    string
				Steps yaml.Node
			}
		}
		if err := yaml.Unmarshal(source, &workflow); err != nil {
			t.Fatal(err)
		}
		for name, job := range workflow.Jobs {
			steps, err := yaml.Marshal(&job.Steps)
			if err != nil {
				t.Fatal(err)
			}
			for _, used := range variable.FindAllString(string(steps), -1) {
				found = true
				if used != "vars.PULUMI_ORGANIZATION" && !strings.Contains(job.If, used+" != ''") {
					t.Errorf("%s: expected the job %s to be skipped without %s, got if: %s", filepath.Base(file), name, used, job.If)
				}
			}
		}
	}
	if !found {
		t.Error("expected jobs that use variables, got none")
	}
}
