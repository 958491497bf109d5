package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"account-api/bench/function"
	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/local/running"
)

// developer measures P15 in a copy of the project: the time from a saved file to the line in
// which make run says what serves. Each save puts a comment at the top of the file, so that
// the compiler has another input and the answers stay as they are.
func (b *bench) developer(p *product) error {
	root, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	files, err := filepath.Glob("[^.]*.*") // go.mod, the program and the stacks' settings
	if err != nil {
		return err
	}
	for _, name := range append(files, "handlers", "infra", "internal", "local", "policies") {
		if output, err := exec.CommandContext(b.ctx, "cp", "-R", name, root).CombinedOutput(); err != nil {
			return fmt.Errorf("copy the project: %s: %w", output, err)
		}
	}
	policy, infra := filepath.Join(root, "policies", p.endpoint.name), filepath.Join(root, "infra")

	const rounds = 7
	var build, idle, rule, declaration []float64
	for range b.rounds(rounds) {
		err := timed(&build, func() error {
			if err := edit(infra, "*.go", "//"); err != nil {
				return err
			}
			_, err := b.goCommand("build", "-C", root, "-buildvcs=false", "-tags=lambda.norpc", "-o", filepath.Join(b.directory, "capture"), "./local/capture")
			return err
		})
		if err != nil {
			return err
		}
	}
	stack, err := running.Start(b.ctx, root)
	if err != nil {
		return err
	}
	save := func(directory, pattern, comment string) error {
		before := serves(stack)
		if err := edit(directory, pattern, comment); err != nil {
			return err
		}
		for deadline := time.Now().Add(time.Minute); serves(stack) == before; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("expected the local stack to reload %s, got\n%s", directory, stack.Output())
			}
		}
		return nil
	}
	for range b.rounds(rounds) {
		if err = timed(&rule, func() error { return save(policy, "*.rego", "#") }); err != nil {
			break
		}
		if err = timed(&declaration, func() error { return save(infra, "*.go", "//") }); err != nil {
			break
		}
	}
	if err == nil {
		err = b.wait(quiet)
	}
	for range b.rounds(rounds) {
		if err != nil {
			break
		}
		before := function.Used(stack.PID())
		err = b.wait(idleTime)
		idle = append(idle, 100*(function.Used(stack.PID())-before).Seconds()/idleTime.Seconds())
	}
	if err := errors.Join(err, stack.Stop()); err != nil {
		return err
	}
	capture := paired.Of(build)
	idling := report.Row{Name: "idle make run", Unit: "% of a processor", Estimate: paired.Of(idle), Bar: 0.3}
	if runtime.GOOS != "linux" {
		idling.Missing = function.ErrLinux.Error()
	}
	b.report.Add("P15",
		report.Row{Name: "a rule saved", Unit: "s here", Estimate: paired.Of(rule), Bar: 1.2},
		report.Row{Name: "a file of infra/ saved", Unit: "× go build of what declares the stack", Estimate: paired.Of(declaration).Times(1 / capture.Median), Bar: 2},
		report.Row{Name: "go build of what declares the stack", Unit: "s here", Estimate: capture},
		idling)
	return nil
}

const (
	quiet    = time.Minute // before a stack counts as idle
	idleTime = 5 * time.Second
)

func (b *bench) wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// edit puts a comment at the top of the first file that matches.
func edit(directory, pattern, comment string) error {
	files, err := filepath.Glob(filepath.Join(directory, pattern))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("expected a file %s in %s, got none", pattern, directory)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	return os.WriteFile(files[0], append([]byte(comment+"\n"), content...), 0o644)
}

// serves is how often the local stack has said what serves after a save.
func serves(stack *running.Stack) int {
	output := stack.Output()
	return strings.Count(output, "Reloaded ") + strings.Count(output, "No change in what serves")
}

// timed appends how long work takes, in seconds.
func timed(to *[]float64, work func() error) error {
	start := time.Now()
	err := work()
	*to = append(*to, time.Since(start).Seconds())
	return err
}
