// Command access-table writes docs/access.md, which says who may do what. It runs in the
// project:
//
//	go run ./internal/access/access-table [-root .]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"account-api/internal/access"
)

func main() {
	root := flag.String("root", ".", "`directory` of the project")
	flag.Parse()
	if err := write(context.Background(), *root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const introduction = `# Who may do what

Written by ` + "`make access-table`" + `, from the policies. It is for reading: the rules in ` + "`policies/`" + ` decide. A caller is somebody with
a valid token, and is shown with the least that gets the answer. "other" stands for any value that no rule names.

`

// write writes the page of the project in root.
func write(ctx context.Context, root string) error {
	table, err := access.Table(ctx, os.DirFS(filepath.Join(root, "policies")))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "access.md"), []byte(introduction+table[:len(table)-1]), 0o644)
}
