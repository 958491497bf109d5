// Command generate writes anew what follows from package decision: the file
// capabilities.json, the page docs/policies.md, and the schema of the input in the
// annotations of the policies. It runs in the project:
//
//	go run ./internal/decision/generate
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// write writes the files of the project in root.
func write(root string) error {
	capabilities, err := decision.CapabilitiesJSON()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "internal/decision/capabilities.json"), capabilities, 0o644); err != nil {
		return err
	}
	text, err := policiesPage(os.DirFS(filepath.Join(root, "internal/decision/generate/testdata")))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "docs/policies.md"), text, 0o644); err != nil {
		return err
	}
	return writeSchemas(root)
}

// writeSchemas writes the schema of the input into the Rego files that have an annotation
// for it.
func writeSchemas(root string) error {
	claims, err := ruleset.Claims(os.DirFS(root))
	if err != nil {
		return err
	}
	return filepath.WalkDir(filepath.Join(root, "policies"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".rego" {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if annotated := decision.WithSchema(string(source), claims); annotated != string(source) {
			return os.WriteFile(name, []byte(annotated), 0o644)
		}
		return nil
	})
}
