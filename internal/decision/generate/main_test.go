package main

import (
	"bytes"
	"os"
	"testing"

	"account-api/internal/decision"
	"account-api/internal/regotest"
	"account-api/internal/ruleset"
)

var testdata = os.DirFS("testdata")

// What the page shows works: it is compiled as a handler would, and its tests pass.
func TestExamplesOfThePage(t *testing.T) {
	shown := map[string]bool{}
	for _, e := range examples {
		shown[e.Directory] = true
		if _, err := decision.PrepareFor(t.Context(), ruleset.Of(testdata, e.Directory), e.Directory+"/decision", decision.Stack{Claims: exampleClaims}); err != nil {
			t.Error(err)
		}
		suite, err := regotest.Load(testdata, e.Directory)
		if err != nil {
			t.Fatal(err)
		}
		result, err := suite.Run(t.Context())
		if err != nil || result.Tests == 0 || len(result.Failed) > 0 || len(result.Uncovered) > 0 {
			t.Errorf("%s: got %d tests, failed %q, not covered %q, %v", e.Directory, result.Tests, result.Failed, result.Uncovered, err)
		}
	}
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !shown[entry.Name()] {
			t.Errorf("testdata/%s is not on the page", entry.Name())
		}
	}
}

func TestPageIsUpToDate(t *testing.T) {
	want, err := policiesPage(testdata)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../../../docs/policies.md"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/policies.md is not what make docs writes: %v", err)
	}
}
