// Package mutant makes small mistakes in a policy, one at a time, and runs the policy's Rego
// tests on each. A mistake that no test notices shows a test that is missing.
//
// It is for the authors of policies: full coverage says that the tests visit every line,
// not that they would fail if the line were wrong. It knows Rego and no policy, and proves
// nothing: the mistakes are those that it knows how to make.
//
// A mutant that decides as the policy does cannot be noticed. It is named, with the reason,
// in an annotation of the file:
//
//	# METADATA
//	# custom:
//	#   equivalent:
//	#     - mutant: drop `is_string(input.scope)`
//	#       reason: split is undefined for anything but a string
package mutant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"

	"account-api/internal/regotest"
)

// Mutant is a policy's file with one mistake.
type Mutant struct {
	File   string // path in the suite
	Row    int
	Change string // what the mistake is, in words and source text
	Diff   string // from the file to the mutant, formatted

	module *ast.Module
}

// Report says what became of all mutants of a suite.
type Report struct {
	Mutants    int // that compile
	Tests      int
	Equivalent int // named as such
	Survivors  []Mutant
	Stale      []string // mutants that are named as equivalent, but not among the survivors
}

// Run makes the mutants of every file of the suite and tests each. It is an error if the
// tests fail without any.
func Run(ctx context.Context, suite regotest.Suite) (Report, error) {
	result, err := suite.Run(ctx)
	switch {
	case err != nil:
		return Report{}, err
	case result.Tests == 0:
		return Report{}, errors.New("expected Rego tests, got none")
	case len(result.Failed) > 0:
		return Report{}, fmt.Errorf("the tests fail without any mutant:\n%s", strings.Join(result.Failed, "\n"))
	}
	report := Report{Tests: result.Tests}
	files := suite.Rules()
	slices.Sort(files)
	for _, file := range files {
		mutants, err := Of(file, suite.Modules[file])
		if err != nil {
			return Report{}, err
		}
		survivors, compiled, err := survivors(ctx, suite, mutants)
		if err != nil {
			return Report{}, err
		}
		report.Mutants += compiled
		equivalent := equivalents(suite.Modules[file])
		for _, m := range survivors {
			if i := slices.Index(equivalent, m.Change); i >= 0 {
				equivalent = slices.Delete(equivalent, i, i+1)
				report.Equivalent++
			} else {
				report.Survivors = append(report.Survivors, m)
			}
		}
		for _, change := range equivalent {
			report.Stale = append(report.Stale, file+": "+change)
		}
	}
	return report, nil
}

// survivors are the mutants that pass every test. Compiled counts those that compile: the
// others are no mistakes that anybody could ship.
func survivors(ctx context.Context, suite regotest.Suite, mutants []Mutant) (survivors []Mutant, compiled int, err error) {
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		next    = make(chan Mutant)
	)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for m := range next {
				passes, broken := suite.With(m.File, m.module).Passes(ctx)
				mu.Lock()
				if broken == nil {
					compiled++
				}
				if passes && broken == nil {
					survivors = append(survivors, m)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range mutants {
		next <- m
	}
	close(next)
	workers.Wait()
	slices.SortFunc(survivors, func(a, b Mutant) int {
		return cmp.Or(a.Row-b.Row, strings.Compare(a.Change, b.Change))
	})
	return survivors, compiled, ctx.Err()
}

// Of returns the mutants of a file.
func Of(file string, module *ast.Module) ([]Mutant, error) {
	original, err := format.Ast(module.Copy())
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", file, err)
	}
	var mutants []Mutant
	for i := range changes(module.Copy()) {
		// Each change is made to a copy of its own, on which it has the same number.
		mutated := module.Copy()
		change := changes(mutated)[i]
		change.make()
		text, err := format.Ast(mutated.Copy())
		if err != nil || string(text) == string(original) {
			continue
		}
		mutants = append(mutants, Mutant{
			File:   file,
			Row:    change.row,
			Change: change.what,
			Diff:   diff(string(original), string(text)),
			module: mutated,
		})
	}
	return mutants, nil
}

// equivalents are the changes that the file's annotations name.
func equivalents(module *ast.Module) (changes []string) {
	for _, annotation := range module.Annotations {
		named, _ := annotation.Custom["equivalent"].([]any)
		for _, entry := range named {
			members, _ := entry.(map[string]any)
			change, _ := members["mutant"].(string)
			if reason, _ := members["reason"].(string); reason == "" {
				change += " (without a reason)" // matches no mutant
			}
			changes = append(changes, change)
		}
	}
	return changes
}

// diff shows the lines that differ between two texts that differ in one place.
func diff(before, after string) string {
	old, new := strings.Split(before, "\n"), strings.Split(after, "\n")
	for len(old) > 0 && len(new) > 0 && old[0] == new[0] {
		old, new = old[1:], new[1:]
	}
	for len(old) > 0 && len(new) > 0 && old[len(old)-1] == new[len(new)-1] {
		old, new = old[:len(old)-1], new[:len(new)-1]
	}
	var lines strings.Builder
	for _, line := range old {
		lines.WriteString("-" + line + "\n")
	}
	for _, line := range new {
		lines.WriteString("+" + line + "\n")
	}
	return lines.String()
}
