package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// claimed is a test as SECURITY.md names it: its package and its name.
var claimed = regexp.MustCompile("`([a-z0-9/-]+)` (Test[A-Za-z0-9]+)")

func TestTheThreatModelNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(project, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 6 || strings.HasPrefix(cells[1], "---") || strings.TrimSpace(cells[1]) == "who" {
			continue
		}
		rows++
		tests := claimed.FindAllStringSubmatch(cells[4], -1)
		if len(tests) == 0 {
			t.Errorf("expected a test in the row %s", line)
		}
		for _, test := range tests {
			files, err := filepath.Glob(filepath.Join(project, test[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, file := range files {
				source, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found = found || strings.Contains(string(source), "\nfunc "+test[2]+"(t *testing.T)")
			}
			if !found {
				t.Errorf("SECURITY.md: expected the test %s in %s, found none", test[2], test[1])
			}
		}
	}
	if rows < 10 {
		t.Errorf("expected the table of threats, got %d rows", rows)
	}
}

// Every module is updated.
func TestDependabotKnowsEveryModule(t *testing.T) {
	settings, err := os.ReadFile(filepath.Join(project, ".github/dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := filepath.Glob(filepath.Join(project, "*/go.mod"))
	if err != nil || len(modules) == 0 {
		t.Fatalf("expected modules, got %v", err)
	}
	for _, module := range modules {
		if directory := "/" + filepath.Base(filepath.Dir(module)); !regexp.MustCompile(regexp.QuoteMeta(directory) + `[,\]]`).Match(settings) {
			t.Errorf("expected the directory %s in .github/dependabot.yml", directory)
		}
	}
}
