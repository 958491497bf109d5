// Command review says what a change does to who may use the API and to what is deployed.
//
//	review changes [-base VERSION] [-head DIRECTORY] [STACK...]
//	review comment
//	review guard STACK
//	review drift STACK
//
// changes compares the policies of a base, which is a directory or a git revision, with
// those of head, and previews the stacks. It prints Markdown: a table of one row for the
// policies and one for each stack, and folded details. In GitHub Actions it writes the
// step's summary and the output "parts", from which comment makes the pull request's one
// comment. guard checks a preview against policies/infra. drift compares a stack with what
// runs.
//
// It needs the Pulumi CLI for stacks, and gh or aws for comment or drift. The exit status
// of changes is 3 if somebody gains access, 4 if somebody now gets an error, and 1 for
// everything else that should stop a merge.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status, err := run(ctx, os.Stdout, os.Getenv, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

var (
	errUsage    = errors.New("expected changes [-base VERSION] [-head DIRECTORY] [STACK...], comment, guard STACK or drift STACK")
	errNoPulumi = errors.New("pulumi is not installed: https://www.pulumi.com/docs/install/ says how. Without it, make test checks what the stack files declare")
)

func run(ctx context.Context, out io.Writer, getenv func(string) string, arguments []string) (status int, err error) {
	if len(arguments) == 0 {
		return 1, errUsage
	}
	command, arguments := arguments[0], arguments[1:]
	switch {
	case command == "changes":
		return runChanges(ctx, out, getenv, arguments)
	case command == "comment" && len(arguments) == 0:
		err = comment(ctx, out, getenv)
	case (command == "guard" || command == "drift") && len(arguments) == 1:
		if _, missing := exec.LookPath("pulumi"); missing != nil {
			return 1, errNoPulumi
		}
		var says string
		if command == "guard" {
			says, err = guard(ctx, arguments[0])
		} else {
			says, err = drift(ctx, arguments[0])
		}
		if err == nil {
			_, err = fmt.Fprintln(out, says)
		}
	default:
		err = errUsage
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

func runChanges(ctx context.Context, out io.Writer, getenv func(string) string, arguments []string) (status int, err error) {
	flags := flag.NewFlagSet("changes", flag.ContinueOnError)
	base := flags.String("base", "", "`version` before: a directory or a git revision that has policies/")
	head := flags.String("head", ".", "`directory` of the version after")
	if err := flags.Parse(arguments); err != nil {
		return 1, err
	}
	if *base == "" && flags.NArg() == 0 {
		return 1, errUsage
	}
	var parts []part
	if *base != "" {
		var p part
		p, status = reviewAccess(ctx, *base, *head, getenv("BODY"))
		parts = append(parts, p)
	}
	if flags.NArg() > 0 {
		if _, err := exec.LookPath("pulumi"); err != nil {
			return 1, errNoPulumi
		}
	}
	for _, stack := range flags.Args() {
		p := reviewStack(ctx, stack)
		if p.fails() && status == 0 {
			status = 1
		}
		parts = append(parts, p)
	}
	if err := deliver(out, getenv, parts); err != nil {
		return 1, err
	}
	return status, nil
}
