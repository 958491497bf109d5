package policies_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/tester"

	"account-api/policies"
)

// Each API policy: the directory that holds it and its tests, and what a handler embeds.
var embedded = map[string]fs.FS{
	"profile": policies.Profile,
}

// onDisk lists the Rego files of a policy's directory.
func onDisk(t *testing.T, directory string) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS("."), directory+"/*.rego")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.rego") }

func read(t *testing.T, name string) string {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

func TestEmbeddedIsWhatIsOnDiskWithoutTests(t *testing.T) {
	for directory, files := range embedded {
		want := slices.DeleteFunc(onDisk(t, directory), isTest)
		if len(want) == 0 {
			t.Errorf("%s: no policy on disk", directory)
		}
		var got []string
		err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			got = append(got, name)
			source, err := fs.ReadFile(files, name)
			if string(source) != read(t, name) {
				t.Errorf("%s: embedded text differs from the file", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: embedded %q, want %q", directory, got, want)
		}
	}
}

// run runs the Rego tests among the sources as `opa test` does, with two checks more:
// annotations are enforced as by `opa check --strict`, and a failing built-in function
// fails the test, as it fails a request. It returns the tests that did not pass.
func run(t *testing.T, sources map[string]string, coverage *cover.Cover) (failed []string, total int, modules map[string]*ast.Module) {
	t.Helper()
	modules = map[string]*ast.Module{}
	for name, source := range sources {
		module, err := ast.ParseModuleWithOpts(name, source, ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		modules[name] = module
	}
	compiler := ast.NewCompiler().WithStrict(true).WithUseTypeCheckAnnotations(true)
	runner := tester.NewRunner().SetCompiler(compiler).RaiseBuiltinErrors(true)
	if coverage != nil {
		runner.SetCoverageQueryTracer(coverage)
	}
	results, err := runner.SetModules(modules).RunTests(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for result := range results {
		total++
		if !result.Pass() {
			failed = append(failed, result.String())
		}
	}
	return failed, total, modules
}

func sources(t *testing.T, directory string) map[string]string {
	t.Helper()
	sources := map[string]string{}
	for _, name := range onDisk(t, directory) {
		sources[name] = read(t, name)
	}
	return sources
}

func TestRego(t *testing.T) {
	for directory := range embedded {
		t.Run(directory, func(t *testing.T) {
			coverage := cover.New()
			failed, total, modules := run(t, sources(t, directory), coverage)
			if total == 0 {
				t.Fatal("no Rego tests")
			}
			for _, result := range failed {
				t.Error(result)
			}
			for name, file := range coverage.Report(modules).Files {
				if len(file.NotCovered) > 0 {
					t.Errorf("%s: tests cover %.1f %%, want 100; not covered: %v", name, file.Coverage, file.NotCovered)
				}
			}
		})
	}
}

func TestRegoIsFormatted(t *testing.T) {
	for directory := range embedded {
		for name, source := range sources(t, directory) {
			formatted, err := format.Source(name, []byte(source))
			if err != nil {
				t.Fatal(err)
			}
			if string(formatted) != source {
				t.Errorf("%s is not formatted: run opa fmt --write %s", name, name)
			}
		}
	}
}

// Full coverage says that the tests visit every line, not that they would notice
// another one. So each of these plausible mistakes has to fail at least one of them.
func TestRegoTestsNoticeMistakes(t *testing.T) {
	const (
		policy  = "profile/profile.rego"
		isText  = `is_string(input.scope)`
		among   = `"get:profile" in split(input.scope, " ")`
		denial  = "`scope \"get:profile\" is required`"
		denied  = `default decision := {"allow": false,`
		allowed = `decision := {"allow": true, "reasons": set()} if allow == true`
	)
	for _, mistake := range []struct{ name, from, to string }{
		{"allowed by default", `default allow := false`, `default allow := true`},
		{"undefined by default", `default allow := false`, ``},
		{"allowed without a condition", among, `true`},
		{"a scope that is no text is not sorted out", isText, `true`},
		{"some scope begins with the name", among, "some scope in split(input.scope, \" \")\n\tstartswith(scope, \"get:profile\")"},
		{"some scope ends with the name", among, "some scope in split(input.scope, \" \")\n\tendswith(scope, \"get:profile\")"},
		{"the name begins with some scope", among, "some scope in split(input.scope, \" \")\n\tstartswith(\"get:profile\", scope)"},
		{"the name ends with some scope", among, "some scope in split(input.scope, \" \")\n\tendswith(\"get:profile\", scope)"},
		{"the claim contains the name", among, `contains(input.scope, "get:profile")`},
		{"the claim is the name", among, `input.scope == "get:profile"`},
		{"the claim begins with the name", among, `startswith(input.scope, "get:profile")`},
		{"the claim ends with the name", among, `endswith(input.scope, "get:profile")`},
		{"only the first scope counts", among, `split(input.scope, " ")[0] == "get:profile"`},
		{"only the second scope counts", among, `split(input.scope, " ")[1] == "get:profile"`},
		{"case is ignored", among, `"get:profile" in split(lower(input.scope), " ")`},
		{"a wildcard matches", among, "some scope in split(input.scope, \" \")\n\tglob.match(scope, [\":\"], \"get:profile\")"},
		{"a name without its verb will do", among, "some scope in split(input.scope, \" \")\n\tsplit(scope, \":\")[1] == \"profile\""},
		{"an empty scope will do", among, "some scope in split(input.scope, \" \")\n\tscope in {\"\", \"get:profile\"}"},
		{"surrounding white space is removed", among, "some scope in split(input.scope, \" \")\n\ttrim_space(scope) == \"get:profile\""},
		{"any white space separates", among, "some scope in regex.split(`\\s+`, input.scope)\n\tscope == \"get:profile\""},
		{"a comma separates too", among, "some scope in regex.split(`[ ,]`, input.scope)\n\tscope == \"get:profile\""},
		{"a plus separates too", among, "some scope in regex.split(`[ +]`, input.scope)\n\tscope == \"get:profile\""},
		{"only a comma separates", `split(input.scope, " ")`, `split(input.scope, ",")`},
		{"two spaces separate", `split(input.scope, " ")`, `split(input.scope, "  ")`},
		{"another scope is required", among, `"update:profile" in split(input.scope, " ")`},
		{"it is the principal that counts", among, `"get:profile" in split(input.principal, " ")`},
		{"a principal is required as well", isText, "is_string(input.scope)\n\tinput.principal"},
		{"one principal is exempt", `default allow := false`, "default allow := false\n\nallow if input.principal == \"auth0|admin\""},
		{"no decision by default", `default decision :=`, `decision :=`},
		{"whoever is allowed is denied", allowed, `decision := {"allow": false, "reasons": set()} if allow == true`},
		{"whoever is not allowed is", allowed, `decision := {"allow": true, "reasons": set()} if allow == false`},
		{"whatever is not false allows", allowed, `decision := {"allow": true, "reasons": set()} if allow`},
		{"everybody is allowed", allowed, `decision := {"allow": true, "reasons": set()}`},
		{"a denial allows", denied, `default decision := {"allow": true,`},
		{"a denial has another reason", denial, `"denied"`},
		{"a denial has no reason", `{` + denial + `}`, `{reason | some reason in {"none"}; reason != "none"}`},
		{"an allowed request has a reason", `"reasons": set()}`, `"reasons": {"allowed"}}`},
		{"the result has a key too many", `"reasons": set()}`, `"reasons": set(), "scope": "get:profile"}`},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			mutated := sources(t, "profile")
			if count := strings.Count(mutated[policy], mistake.from); count != 1 {
				t.Fatalf("%q occurs %d times in %s, want once", mistake.from, count, policy)
			}
			mutated[policy] = strings.Replace(mutated[policy], mistake.from, mistake.to, 1)
			if failed, _, _ := run(t, mutated, nil); len(failed) == 0 {
				t.Error("every Rego test passes, want at least one to fail")
			}
		})
	}
}

// The schema in the package's METADATA is not only documentation: a reference to a
// claim that the handler does not pass on is an error, not an undefined value.
func TestRegoSchemaCatchesMisspeltClaims(t *testing.T) {
	source := strings.ReplaceAll(read(t, "profile/profile.rego"), "input.scope", "input.scop")
	module, err := ast.ParseModuleWithOpts("profile/profile.rego", source, ast.ParserOptions{ProcessAnnotation: true})
	if err != nil {
		t.Fatal(err)
	}
	compiler := ast.NewCompiler().WithUseTypeCheckAnnotations(true)
	compiler.Compile(map[string]*ast.Module{"profile/profile.rego": module})
	if !compiler.Failed() || !strings.Contains(compiler.Errors.Error(), "undefined ref: input.scop") {
		t.Errorf("got errors %v, want an undefined reference", compiler.Errors)
	}
}
