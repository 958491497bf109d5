// Command mutants makes small mistakes in policies, and prints as a diff each that no Rego
// test notices:
//
//	go run ./internal/mutant/mutants [-root .] [directory of policies/ …]
//
// Without directories it takes those that a handler carries. The exit code is 1 if a mutant
// survives, and 2 if there is none to judge.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"account-api/internal/mutant"
	"account-api/internal/regotest"
	"account-api/internal/ruleset"
)

func main() {
	root := flag.String("root", ".", "`directory` of the module")
	flag.Parse()
	os.Exit(run(context.Background(), os.Stdout, os.Stderr, *root, flag.Args()))
}

func run(ctx context.Context, stdout, stderr io.Writer, root string, directories []string) int {
	policies := os.DirFS(filepath.Join(root, "policies"))
	suites, err := load(policies, directories)
	if err == nil && len(suites) == 0 {
		err = fmt.Errorf("expected a policy in %s with a rule named decision, got none", filepath.Join(root, "policies"))
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	code := 0
	for _, s := range suites {
		report, err := mutant.Run(ctx, s)
		if err != nil {
			fmt.Fprintf(stderr, "policies/%s: %v\n", s.Directory, err)
			return 2
		}
		for _, m := range report.Survivors {
			fmt.Fprintf(stdout, "policies/%s:%d: no test notices: %s\n%s\n", m.File, m.Row, m.Change, m.Diff)
		}
		for _, stale := range report.Stale {
			fmt.Fprintf(stdout, "policies/%s: named as equivalent, but no mutant that survives: remove it from the annotation\n", stale)
		}
		if len(report.Survivors)+len(report.Stale) > 0 {
			code = 1
		}
		fmt.Fprintf(stdout, "policies/%s: %d tests notice %d of %d mutants (%d equivalent)\n", s.Directory, report.Tests,
			report.Mutants-report.Equivalent-len(report.Survivors), report.Mutants, report.Equivalent)
	}
	return code
}

func load(policies fs.FS, directories []string) ([]regotest.Suite, error) {
	named := len(directories) > 0
	if !named {
		entries, err := fs.ReadDir(policies, ".")
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() {
				directories = append(directories, entry.Name())
			}
		}
	}
	var suites []regotest.Suite
	for _, directory := range directories {
		s, err := regotest.Load(policies, directory)
		if err != nil {
			return nil, err
		}
		if named || s.Decides() || directory == ruleset.Shared {
			suites = append(suites, s)
		}
	}
	return suites, nil
}
