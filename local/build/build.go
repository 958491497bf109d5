// Package build compiles this project's programs for the machine it runs on, and
// tells a waiting person how far it is.
//
// It is for the local run. What is deployed is built by package bundle, for another
// machine and byte for byte reproducibly; this one shares the developer's build cache
// and does nothing that is already done.
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
	AtMost   int    // packages there are, compiled earlier or not; 0 while unknown
	Package  string // the one that is being compiled
}

// Options says what to build.
type Options struct {
	Root     string         // the module
	Out      string         // directory for the executables, one per main package
	Packages []string       // main packages or patterns, such as "./handlers/..."
	Progress func(Progress) // called for every package that is compiled; may be nil
}

// interruptGrace is how long the go command may take to stop its compilers and clean
// up before it is killed.
const interruptGrace = 5 * time.Second

// Packages compiles the packages. An error begins with the compiler's own lines.
func Packages(ctx context.Context, o Options) error {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return fmt.Errorf("expected the go command on PATH: %w: install Go from https://go.dev/dl", err)
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return err
	}
	// -tags lambda.norpc is how the deployed handlers are built.
	arguments := []string{"build", "-v", "-buildvcs=false", "-tags=lambda.norpc", "-o", o.Out + string(os.PathSeparator)}
	cmd := exec.CommandContext(ctx, goCommand, append(arguments, o.Packages...)...)
	cmd.Dir = o.Root
	// For this machine and with go.mod's dependencies, whatever the developer's shell
	// is set to for other work.
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
	complaints := o.follow(ctx, goCommand, stderr)
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errors.New(strings.TrimSpace(complaints + "\ncannot build " + strings.Join(o.Packages, " ") + ": " + err.Error()))
	}
	return nil
}

// follow reads what `go build -v` prints: a line with nothing but an import path for
// each package that it compiles, and the compiler's errors, which it returns.
func (o Options) follow(ctx context.Context, goCommand string, output io.Reader) (complaints string) {
	var atMost atomic.Int64
	compiled := 0
	for lines := bufio.NewScanner(output); lines.Scan(); {
		line := lines.Text()
		if strings.ContainsAny(line, " \t") || line == "" {
			complaints += line + "\n"
			continue
		}
		if compiled == 0 {
			go func() { atMost.Store(int64(o.count(ctx, goCommand))) }()
		}
		compiled++
		if o.Progress != nil {
			o.Progress(Progress{Compiled: compiled, AtMost: int(atMost.Load()), Package: line})
		}
	}
	return complaints
}

// count returns the number of packages in the build, 0 if that cannot be told.
func (o Options) count(ctx context.Context, goCommand string) int {
	cmd := exec.CommandContext(ctx, goCommand, append([]string{"list", "-deps"}, o.Packages...)...)
	cmd.Dir = o.Root
	list, err := cmd.Output()
	if err != nil {
		return 0
	}
	return strings.Count(string(list), "\n")
}
