// Command page writes docs/fidelity.md. It runs in the project:
//
//	go run ./local/fidelity/page
package main

import (
	"fmt"
	"os"

	"account-api/local/fidelity"
)

func main() {
	record, err := fidelity.Load()
	if err == nil {
		err = os.WriteFile("docs/fidelity.md", []byte(record.Page()), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
