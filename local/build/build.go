// Package build compiles Go programs for this machine and reports its progress.
//
// It is for the local run, and shares the developer's build cache. Nothing that it builds
// is deployed. Functions are built as the deployed ones are, but for this machine.
package build

import (
	"context"
	"errors"
	"fmt"
	gobuild "go/build"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say where to build.
type Options struct {
	Root     string         // a directory of the module
	Out      string         // directory for the executables
	Progress func(Progress) // called for every package that is compiled, one at a time; may be nil
}

// Group is packages that are built in the same way.
type Group struct{ packages, flags []string }

const (
	withoutRPC = "-tags=lambda.norpc"
	// withoutSymbols leaves out what only a debugger reads, as the deployed functions do. Linking
	// takes a third less time. Stack traces keep names and lines.
	withoutSymbols = "-ldflags=-s"
)

// Tools are programs for the developer's machine.
func Tools(packages ...string) Group { return Group{packages, []string{withoutSymbols}} }

// Functions are built as the deployed ones: without the RPC mode of aws-lambda-go that the
// runtime provided.al2023 does not use.
func Functions(packages ...string) Group {
	return Group{packages, []string{withoutRPC, withoutSymbols}}
}

// Debugged are functions for a debugger: without optimizations and inlining, and with the
// names of the files here.
// https://github.com/go-delve/delve/blob/master/Documentation/usage/dlv_exec.md
func Debugged(packages ...string) Group {
	return Group{packages, []string{withoutRPC, "-trimpath=false", "-gcflags=all=-N -l"}}
}

// Packages are the packages of a group.
func (g Group) Packages() []string { return g.packages }

// interruptGrace is how long the go command may take to stop its compilers before it is
// killed.
const interruptGrace = 5 * time.Second

// Error is why packages of one group do not compile.
type Error struct {
	Packages []string // that were asked for; some of them may compile
	text     string   // the compiler's own lines, and the packages
}

func (e *Error) Error() string { return e.text }

// Failed reports whether a package has no executable after [Packages] returned err.
func Failed(err error, pkg string) bool {
	switch err := err.(type) {
	case nil:
		return false
	case *Error:
		return slices.Contains(err.Packages, pkg)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), func(err error) bool { return Failed(err, pkg) })
	default:
		return true
	}
}

// Packages compiles main packages, such as "./cmd/hello", to executables of the same names,
// one go command for each group. Its error joins an [Error] of each group that does not compile.
// No line is in two of them.
func Packages(ctx context.Context, o Options, groups ...Group) error {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return len(g.packages) == 0 })
	reports := o.share(len(groups))
	errs := make([]error, len(groups))
	var builds sync.WaitGroup
	for i, g := range groups {
		own := o
		own.Progress = reports[i]
		builds.Go(func() { errs[i] = own.each(ctx, g) })
	}
	builds.Wait()
	seen := map[string]bool{}
	for _, err := range errs {
		if failed, ok := errors.AsType[*Error](err); ok {
			failed.text = unseen(failed.text, seen)
		}
	}
	return errors.Join(errs...)
}

// header begins the compiler's lines about one package. An error that comes before has none,
// such as an import of a package that does not exist. The go command then compiles nothing.
const header = "# "

// each builds a group. If the go command does not get as far as compiling, each package is built
// alone: the mistake in one would hide those in the others.
func (o Options) each(ctx context.Context, g Group) error {
	err := o.build(ctx, g)
	failed, ok := errors.AsType[*Error](err)
	if !ok || len(g.packages) == 1 || strings.HasPrefix(failed.text, header) || strings.Contains(failed.text, "\n"+header) {
		return err
	}
	var lines []string
	for _, p := range g.packages {
		alone := g
		alone.packages = []string{p}
		if err := o.build(ctx, alone); err != nil {
			lines = append(lines, err.Error())
		}
	}
	return &Error{Packages: g.packages, text: unseen(strings.Join(lines, "\n"), map[string]bool{})}
}

// unseen leaves out the lines about a package that are in seen, and adds the others to seen.
func unseen(text string, seen map[string]bool) string {
	var kept []string
	about := ""
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, header) {
			about = line
		}
		if key := about + "\n" + line; !seen[key] {
			seen[key] = true
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func (o Options) build(ctx context.Context, g Group) error {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("expected the go command on PATH: %w: install Go from https://go.dev/dl", err)
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return err
	}
	// The go command passes over a package that is no command. What it was before would serve on.
	for _, p := range g.packages {
		if found, err := gobuild.ImportDir(filepath.Join(o.Root, p), 0); err == nil && !found.IsCommand() {
			return &Error{g.packages, fmt.Sprintf("expected a command in %s, got package %s: put package main there", p, found.Name)}
		}
	}
	cmd := o.command(ctx, goCommand, g, "build", "-v", "-buildvcs=false", "-o", o.Out+string(os.PathSeparator))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptGrace
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	complaints := o.follow(ctx, goCommand, g, stderr)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &Error{g.packages, strings.TrimSpace(strings.TrimSpace(complaints) + "\ncannot build " + strings.Join(g.packages, " ") + ": " + err.Error())}
	}
	return nil
}

// command is a go command about the packages of a group, for this machine and with go.mod's
// dependencies, whatever the shell is set to. It is without cgo, as functions are deployed: a
// tool with it would compile its share of the packages once more.
func (o Options) command(ctx context.Context, goCommand string, g Group, arguments ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, goCommand, slices.Concat(arguments, g.flags, g.packages)...)
	cmd.Dir = o.Root
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOWORK=off", "CGO_ENABLED=0")
	return cmd
}
