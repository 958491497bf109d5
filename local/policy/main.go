// Command policy prints example callers of every policy, for the local run:
//
//	policy -root .
//
// It reads the policies from disk, so a saved rule needs no other build. It prints a JSON
// array with one object for each directory of policies/ with a rule named decision:
//
//	{"handler":"orders","entrypoint":"orders/decision","allowed":{"scope":"read:orders"},"denied":{},"scopes":["read:orders"]}
//
// Allowed and denied have the members of a policy's input, and are null if none was found.
// A policy that does not compile has the member error instead; the others still come.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"account-api/internal/caller"
	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

func main() {
	root := flag.String("root", ".", "`directory` of the module")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// policy is what is printed about one.
type policy struct {
	Handler    string          `json:"handler"`
	Entrypoint string          `json:"entrypoint"`
	Allowed    *decision.Input `json:"allowed"`
	Denied     *decision.Input `json:"denied"`
	Scopes     []string        `json:"scopes"`
	Error      string          `json:"error,omitempty"`
}

func run(ctx context.Context, to io.Writer, root string) error {
	files := os.DirFS(filepath.Join(root, "policies"))
	directories, err := fs.ReadDir(files, ".")
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	policies := []policy{}
	for _, directory := range directories {
		if !directory.IsDir() {
			continue
		}
		decides, err := decides(files, directory.Name())
		if err != nil {
			return fmt.Errorf("read policies: %w", err)
		}
		if !decides {
			continue
		}
		p := policy{Handler: directory.Name(), Entrypoint: directory.Name() + "/decision", Scopes: []string{}}
		if examples, err := find(ctx, files, p); err != nil {
			p.Error = err.Error()
		} else {
			p.Allowed, p.Denied, p.Scopes = examples.Allowed, examples.Denied, examples.Scopes
		}
		policies = append(policies, p)
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(policies)
}

func find(ctx context.Context, files fs.FS, p policy) (caller.Examples, error) {
	prepared, err := decision.Prepare(ctx, ruleset.Of(files, p.Handler), p.Entrypoint)
	if err != nil {
		return caller.Examples{}, err
	}
	return caller.Find(ctx, prepared)
}

// decisionRule finds a rule named decision in a file that may not parse.
var decisionRule = regexp.MustCompile(`(?m)^(default\s+)?decision\b`)

// decides reports whether a directory has a policy with an entrypoint. That of guard rails
// and that of shared helpers have none.
func decides(files fs.FS, directory string) (bool, error) {
	found := false
	own := ruleset.Of(files, directory)
	err := fs.WalkDir(own, directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := fs.ReadFile(own, name)
		found = found || decisionRule.Match(source)
		return err
	})
	return found, err
}
