package reload

import (
	"path/filepath"
	"strings"
	"testing"

	"account-api/local/build"
)

func TestAReleaseHasTheGroupsThatCompile(t *testing.T) {
	root := project(t)
	b := newBuilds(t, root)
	write(t, root, "cmd/one/main.go", "package main\n\nfunc main() { undefinedThing() }\n")
	r, err := b.Build(t.Context(), build.Functions("./cmd/one"), build.Tools("./cmd/two"))
	if err == nil || !strings.Contains(err.Error(), "undefined: undefinedThing") {
		t.Errorf("expected the compiler's error, got %v", err)
	}
	if r["./cmd/one"] != "" || r["./cmd/two"] == "" || printed(t, r["./cmd/two"]) != "v1" {
		t.Errorf("expected the second program alone, got %v", r)
	}
}

func TestQuietBuildsReportNoProgress(t *testing.T) {
	root := project(t)
	reports := 0
	b, err := NewBuilds(build.Options{Root: root, Out: filepath.Join(root, "dist", "local"), Progress: func(build.Progress) { reports++ }})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	built(t, b)
	if reports == 0 {
		t.Error("expected the first build to report its progress")
	}
	reports = 0
	b.Quiet()
	program(t, root, "one", "v2")
	if r := built(t, b); reports > 0 || printed(t, r["./cmd/one"]) != "v2" {
		t.Errorf("expected a build without reports, got %d and %v", reports, r)
	}
}
