// Package build compiles Go programs for this machine and reports its progress.
//
// It is for the local run, and shares the developer's build cache. Nothing that it builds
// is deployed.
package build

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// Progress is how far a build is.
type Progress struct {
	Compiled int    // packages so far
	AtMost   int    // all packages of the build, compiled earlier or not; 0 while unknown
	Package  string // the one that is being compiled
}

// Options say where to build.
type Options struct {
	Root     string         // a directory of the module
	Out      string         // directory for the executables
	Progress func(Progress) // called for every package that is compiled; may be nil
}

// interruptGrace is how long the go command may take to stop its compilers before it is
// killed.
const interruptGrace = 5 * time.Second

// Packages compiles main packages, such as "./cmd/hello", to executables of the
// same names. An error begins with the compiler's own lines.
func Packages(ctx context.Context, o Options, packages ...string) error {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("expected the go command on PATH: %w: install Go from https://go.dev/dl", err)
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return err
	}
	// -tags lambda.norpc is how the deployed handlers are built.
	arguments := []string{"build", "-v", "-buildvcs=false", "-tags=lambda.norpc", "-o", o.Out + string(os.PathSeparator)}
	cmd := exec.CommandContext(ctx, goCommand, append(arguments, packages...)...)
	cmd.Dir = o.Root
	// For this machine and with go.mod's dependencies, whatever the shell is set to.
	cmd.Env = append(os.Environ(), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOWORK=off")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptGrace
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	complaints := o.follow(ctx, goCommand, packages, stderr)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errors.New(strings.TrimSpace(complaints + "\ncannot build " + strings.Join(packages, " ") + ": " + err.Error()))
	}
	return nil
}

// follow reads what `go build -v` prints. A line that is an import path is a package that
// it compiles. Every other line is an error of the compiler: follow returns those.
func (o Options) follow(ctx context.Context, goCommand string, packages []string, output io.Reader) (complaints string) {
	var atMost atomic.Int64
	compiled := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		line := lines.Text()
		if strings.ContainsAny(line, " \t") || line == "" {
			complaints += line + "\n"
			continue
		}
		if compiled == 0 {
			go func() { atMost.Store(int64(o.count(ctx, goCommand, packages))) }()
		}
		compiled++
		if o.Progress != nil {
			o.Progress(Progress{Compiled: compiled, AtMost: int(atMost.Load()), Package: line})
		}
	}
	return complaints
}

// count returns the number of packages in the build, or 0 if the go command fails.
func (o Options) count(ctx context.Context, goCommand string, packages []string) int {
	cmd := exec.CommandContext(ctx, goCommand, append([]string{"list", "-deps"}, packages...)...)
	cmd.Dir = o.Root
	list, err := cmd.Output()
	if err != nil {
		return 0
	}
	return strings.Count(string(list), "\n")
}
