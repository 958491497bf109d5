// Package regotest runs the Rego tests of one policy directory in this process, as
// `opa test` does. For what a handler evaluates it is stricter: a failing built-in function
// fails the test, as it fails a request.
//
// It is for Go tests and tools over any policy. It reports coverage and does not check
// formatting.
package regotest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

// Suite is a policy with its tests.
type Suite struct {
	Modules   map[string]*ast.Module // by path: the directory's files, its tests, and the shared ones
	Directory string                 // whose tests these are
	data      map[string]any         // the documents that a handler carries
}

// Load parses the Rego files of a directory of policies and, without their tests, the
// shared ones. It reads the data documents of both.
func Load(policies fs.FS, directory string) (Suite, error) {
	s := Suite{Modules: map[string]*ast.Module{}, Directory: directory}
	read := func(files fs.FS, below string) error {
		return fs.WalkDir(files, below, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".rego" {
				return err
			}
			source, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			module, err := ast.ParseModuleWithOpts(name, string(source), ast.ParserOptions{ProcessAnnotation: true})
			if err == nil {
				s.Modules[name] = module
			}
			return err
		})
	}
	carried := ruleset.Of(policies, directory)
	err := read(carried, ".")
	var rules []ast.Ref // that a handler carries
	for _, module := range s.Modules {
		for _, rule := range module.Rules {
			rules = append(rules, rule.Ref().GroundPrefix())
		}
	}
	if err == nil {
		err = read(policies, directory)
	}
	if err == nil {
		err = s.redefines(rules)
	}
	if err == nil {
		s.data, err = decision.Documents(carried)
	}
	return s, err
}

// redefines is an error if a test file has a rule of the policy. The tests would be about
// rules that no handler carries.
func (s Suite) redefines(rules []ast.Ref) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(s.Modules)) {
		if !strings.HasSuffix(name, "_test.rego") {
			continue
		}
		for _, rule := range s.Modules[name].Rules {
			path := rule.Ref().GroundPrefix()
			if slices.ContainsFunc(rules, func(carried ast.Ref) bool { return path.HasPrefix(carried) || carried.HasPrefix(path) }) {
				faults = append(faults, fmt.Errorf("policies/%s:%d: expected no rule at %s in a test, because no handler carries it", name, rule.Location.Row, path))
			}
		}
	}
	return errors.Join(faults...)
}

// Rules are the names of the files that the directory's tests test.
func (s Suite) Rules() []string {
	var names []string
	for name := range s.Modules {
		if strings.HasPrefix(name, s.Directory+"/") && !strings.HasSuffix(name, "_test.rego") {
			names = append(names, name)
		}
	}
	return names
}

// With returns the suite with another module in place of one of its own.
func (s Suite) With(name string, module *ast.Module) Suite {
	s.Modules = maps.Clone(s.Modules)
	s.Modules[name] = module
	return s
}

// Decides reports whether one of the directory's rules is the entrypoint of a handler.
func (s Suite) Decides() bool {
	for _, name := range s.Rules() {
		for _, rule := range s.Modules[name].Rules {
			if rule.Ref().String() == "data."+s.Directory+".decision" {
				return true
			}
		}
	}
	return false
}

// Result is what the tests of a suite found.
type Result struct {
	Tests     int
	Failed    []string // one text for each test that did not pass
	Uncovered []string // lines of the directory that no test evaluates, as "policies/orders/orders.rego:7-9"
}

// Run compiles the modules in strict mode, with the built-in functions that a handler has, and
// runs every test.
func (s Suite) Run(ctx context.Context) (Result, error) {
	coverage := cover.New()
	runner := s.runner(ast.NewCompiler().WithStrict(true)).SetCoverageQueryTracer(coverage)
	results, err := runner.RunTests(ctx, nil)
	if err != nil {
		return Result{}, err
	}
	var found Result
	for result := range results {
		found.Tests++
		if !result.Pass() {
			text := strings.TrimSpace(result.String())
			if result.Error != nil {
				text += "\n" + result.Error.Error()
			}
			found.Failed = append(found.Failed, text)
		}
	}
	found.Uncovered = s.uncovered(coverage.Report(s.Modules))
	return found, ctx.Err()
}

// uncovered lists the lines of the suite's directory that a report names, in order.
func (s Suite) uncovered(report cover.Report) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(report.Files)) {
		if !strings.HasPrefix(name, s.Directory+"/") {
			continue
		}
		first, last := 0, 0
		flush := func() {
			switch {
			case last > first:
				lines = append(lines, fmt.Sprintf("policies/%s:%d-%d", name, first, last))
			case first > 0:
				lines = append(lines, fmt.Sprintf("policies/%s:%d", name, first))
			}
		}
		for _, r := range report.Files[name].NotCovered { // by position; a line may come twice
			if first == 0 || r.Start.Row > last+1 {
				flush()
				first = r.Start.Row
			}
			last = max(last, r.End.Row)
		}
		flush()
	}
	return lines
}

// Check compiles the policy of a handler as the handler will, and runs its Rego tests. The
// error is why the handler would refuse it. Tests that do not compile are a failure.
func Check(ctx context.Context, policies fs.FS, handler string, stack decision.Stack) (Result, error) {
	if _, err := decision.PrepareFor(ctx, ruleset.Of(policies, handler), handler+"/decision", stack); err != nil {
		return Result{}, err
	}
	suite, err := Load(policies, handler)
	var result Result
	if err == nil {
		result, err = suite.Run(ctx)
	}
	if err != nil {
		result.Failed = append(result.Failed, err.Error())
	}
	return result, nil
}

// Passes reports whether every test passes. It ends at the first that does not, and does
// not insist on strict mode. It is an error if the modules do not compile.
func (s Suite) Passes(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results, err := s.runner(ast.NewCompiler()).RunTests(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("compile: %w", err)
	}
	passes := true
	for result := range results {
		if passes && !result.Pass() {
			passes = false
			cancel()
		}
	}
	return passes, nil
}

// patience is how long one test may take. OPA's five seconds are too short for a test of
// guard rails with coverage on a busy machine.
const patience = time.Minute

func (s Suite) runner(compiler *ast.Compiler) *tester.Runner {
	return tester.NewRunner().
		SetCompiler(compiler.WithCapabilities(decision.Capabilities())).
		SetTimeout(patience).
		SetStore(inmem.NewFromObject(s.data)).
		RaiseBuiltinErrors(s.Decides() || s.Directory == ruleset.Shared).
		SetModules(s.Modules)
}
