// Command access-diff prints who gains or loses access between two versions of policies:
//
//	access-diff -base DIR -head DIR [-format text|markdown|json] [-log FILE]
//	            [-allow-gained REASON] [-review TEXT] [-require-complete]
//
// Each directory holds policies/. The exit status is 0 if nothing is gained, 3 if something
// is, 4 if something is now an error, and 1 for usage or a broken checkout. The last line of
// text, and verdict in JSON, say the same in a word.
//
// It knows policies by their directories and rules named decision, and no API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"account-api/internal/access"
	"account-api/internal/decision"
)

func main() { os.Exit(run(context.Background(), os.Stdout, os.Stderr, os.Args[1:])) }

func run(ctx context.Context, stdout, stderr io.Writer, arguments []string) int {
	verdict, err := diff(ctx, stdout, stderr, arguments)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return verdict.Exit()
}

func diff(ctx context.Context, stdout, stderr io.Writer, arguments []string) (access.Verdict, error) {
	flags := flag.NewFlagSet("access-diff", flag.ContinueOnError)
	flags.SetOutput(stderr)
	base := flags.String("base", "", "`directory` of the version before, which holds policies/")
	head := flags.String("head", ".", "`directory` of the version after")
	format := flags.String("format", "text", "text, markdown or json")
	log := flags.String("log", "", "`file` with decisions of a handler's log, one JSON object a line")
	var terms access.Terms
	flags.StringVar(&terms.AllowGained, "allow-gained", "", "`reason` why what is gained is meant")
	flags.StringVar(&terms.Review, "review", "", "`text` that may have a line Access-reviewed: FINGERPRINT REASON")
	flags.BoolVar(&terms.RequireComplete, "require-complete", false, "exit with 3 if the callers are a sample")
	if err := flags.Parse(arguments); err != nil {
		return "", err
	}
	writers := map[string]func(access.Report, io.Writer, access.Terms) error{
		"text": access.Report.WriteText, "markdown": access.Report.WriteMarkdown, "json": access.Report.WriteJSON,
	}
	write, known := writers[*format]
	switch {
	case flags.NArg() > 0:
		return "", fmt.Errorf("expected flags only, got %q", flags.Arg(0))
	case *base == "":
		return "", errors.New("expected -base DIR, the version to compare with")
	case !known:
		return "", fmt.Errorf("-format: expected text, markdown or json, got %q", *format)
	}
	var records []decision.Record
	if *log != "" {
		file, err := os.Open(*log)
		if err != nil {
			return "", err
		}
		defer file.Close()
		if records, err = decision.ReadLog(file); err != nil {
			return "", fmt.Errorf("%s: %w", *log, err)
		}
	}
	before, err := policies(*base)
	if err != nil {
		return "", err
	}
	after, err := policies(*head)
	if err != nil {
		return "", err
	}
	report, err := access.Compare(ctx, before, after, records)
	if err != nil {
		return "", err
	}
	verdict, _ := report.Verdict(terms)
	return verdict, write(report, stdout, terms)
}

// policies is the directory policies/ of a version. A symbolic link may not lead out of the
// version: the report would quote what it leads to, and may stand in a public comment.
func policies(directory string) (fs.FS, error) {
	root, err := os.OpenRoot(directory)
	if err != nil {
		return nil, err
	}
	return fs.Sub(root.FS(), "policies")
}
