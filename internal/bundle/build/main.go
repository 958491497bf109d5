// Command build writes the deployment packages of handlers, the same bytes that `pulumi up`
// deploys:
//
//	go run ./internal/bundle/build [-out dist] handlers/orders handlers/refunds
//
// It runs in the module's root. For every handler it prints the file, its size in
// bytes and its SHA-256.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"syscall"
	"text/tabwriter"

	"account-api/internal/bundle"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 1 if a build failed, 2 if it was called wrongly.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: go run ./internal/bundle/build [-out directory] handler-directory…")
		flags.PrintDefaults()
	}
	out := flags.String("out", "dist", "`directory` to write the zips to, each named after its handler")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	defer table.Flush()
	// One after the other: one build uses every core.
	for _, dir := range flags.Args() {
		dir = path.Clean(filepath.ToSlash(dir))
		built, err := bundle.Build(ctx, bundle.Options{
			Package:  dir,
			Out:      filepath.Join(*out, path.Base(dir)+".zip"),
			Progress: stderr,
		})
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		fmt.Fprintf(table, "%s\t%d\t%s\n", built.Path, built.Size, built.SHA256)
	}
	return 0
}
