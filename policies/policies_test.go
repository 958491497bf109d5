package policies_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/format"

	"account-api/internal/decision"
	"account-api/internal/regotest"
	"account-api/internal/ruleset"
	"account-api/policies"
)

// onDisk is the directory of this test: every policy, with its tests.
var onDisk = os.DirFS(".")

// everyDirectory runs a test for each directory here, whatever its name.
func everyDirectory(t *testing.T, test func(t *testing.T, directory string)) {
	t.Helper()
	entries, err := fs.ReadDir(onDisk, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			t.Run(entry.Name(), func(t *testing.T) { test(t, entry.Name()) })
		}
	}
}

// sources reads the Rego files below a directory.
func sources(t *testing.T, files fs.FS, directory string) map[string]string {
	t.Helper()
	sources := map[string]string{}
	err := fs.WalkDir(files, directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".rego" {
			return err
		}
		source, err := fs.ReadFile(files, name)
		sources[name] = string(source)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func load(t *testing.T, directory string) regotest.Suite {
	t.Helper()
	suite, err := regotest.Load(onDisk, directory)
	if err != nil {
		t.Fatal(err)
	}
	return suite
}

func TestRego(t *testing.T) {
	everyDirectory(t, func(t *testing.T, directory string) {
		suite := load(t, directory)
		result, err := suite.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tests := path.Join("policies", directory, directory+"_test.rego")
		if result.Tests == 0 && len(suite.Rules()) > 0 {
			t.Errorf("policies/%s: expected Rego tests, got none: add %s", directory, tests)
		}
		for _, failed := range result.Failed {
			t.Error(failed)
		}
		for _, lines := range result.Uncovered {
			// The tests of a handler do not count for shared rules, which other handlers carry too.
			t.Errorf("%s: no test in policies/%s evaluates it: add one to %s", lines, directory, tests)
		}
	})
}

func TestRegoIsFormatted(t *testing.T) {
	everyDirectory(t, func(t *testing.T, directory string) {
		for name, source := range sources(t, onDisk, directory) {
			formatted, err := format.Source(name, []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			if string(formatted) != source {
				t.Errorf("policies/%[1]s is not formatted: run opa fmt --write policies/%[1]s", name)
			}
		}
	})
}

func TestAHandlerCarriesWhatIsOnDiskWithoutTests(t *testing.T) {
	everyDirectory(t, func(t *testing.T, directory string) {
		got := sources(t, policies.For(directory), directory)
		for name, source := range sources(t, onDisk, directory) {
			carried, found := got[name]
			if isTest := strings.HasSuffix(name, "_test.rego"); found == isTest || found && carried != source {
				t.Errorf("policies/%s: carried %t, with the same text %t", name, found, carried == source)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("carries %v, which is not on disk", got)
		}
	})
}

// What passes `opa test` may still be what the handler refuses, such as a misspelt claim.
func TestAHandlerCanUseItsPolicy(t *testing.T) {
	found := false
	everyDirectory(t, func(t *testing.T, directory string) {
		// A handler of this name asks for the entrypoint, though no rule may have its name.
		if _, err := os.Stat("../handlers/" + directory); err != nil && !load(t, directory).Decides() {
			return
		}
		found = true
		if _, err := decision.PrepareFor(t.Context(), policies.For(directory), directory+"/decision", decision.Stack{Claims: claims(t)}); err != nil {
			t.Error(err)
		}
	})
	if !found {
		t.Error("no directory has a rule named decision")
	}
}

// claims are the names of the claims that the stacks pass on.
func claims(t *testing.T) []string {
	t.Helper()
	names, err := ruleset.Claims(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A package for Lambda has the policy of the handler's own name only: see package bundle.
func TestAHandlerAsksForThePolicyOfItsName(t *testing.T) {
	sources, err := filepath.Glob("../handlers/*/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("got handlers %q, %v", sources, err)
	}
	asks := regexp.MustCompile(`policies\.For\((.*?)\)`)
	found := false
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := strconv.Quote(filepath.Base(filepath.Dir(name)))
		for _, call := range asks.FindAllSubmatch(source, -1) {
			found = true
			if got := string(call[1]); got != want {
				t.Errorf("%s asks for policies.For(%s), want policies.For(%s)", name, got, want)
			}
			handler := filepath.Base(filepath.Dir(name))
			if _, err := os.Stat(handler); err != nil {
				t.Errorf("%s asks for a policy that is not there: add policies/%s/%[2]s.rego: %v", name, handler, err)
			}
		}
	}
	if !found {
		t.Error("no handler asks for a policy")
	}
}

// The opa command takes the schema of the input from an annotation, and finds misspelt claims
// in an editor.
func TestSchemasAreThatOfTheInput(t *testing.T) {
	everyDirectory(t, func(t *testing.T, directory string) {
		for name, source := range sources(t, policies.For(directory), directory) {
			if want := decision.WithSchema(source, claims(t)); want != source {
				t.Errorf("policies/%s: the annotation schemas is not the schema of the input: run make docs", name)
			}
		}
	})
}
