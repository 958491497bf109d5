// Command generate writes anew what follows from package decision: the file
// capabilities.json. It runs in the project:
//
//	go run ./internal/decision/generate
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"account-api/internal/decision"
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
	return os.WriteFile(filepath.Join(root, "internal/decision/capabilities.json"), capabilities, 0o644)
}
