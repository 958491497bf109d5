package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"account-api/bench/function"
	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/local/build"
	"account-api/local/running"
)

// developer measures P15 in copies of the project: the time from a saved file to the line in
// which make run says what serves. Each save puts a comment at the top of the file, so that
// the compiler has another input and the answers stay as they are.
func (b *bench) developer(p *product) error {
	watched, alone := filepath.Join(b.directory, "watched"), filepath.Join(b.directory, "alone")
	for _, root := range []string{watched, alone} {
		if err := b.copyProject(root); err != nil {
			return err
		}
		defer os.RemoveAll(root)
	}
	stack, err := running.Start(b.ctx, watched)
	if err != nil {
		return err
	}
	if err = b.saves(p, stack, watched, alone); err == nil && runtime.GOOS == "linux" { // elsewhere no process tells its time
		err = b.storm(stack)
	}
	return errors.Join(err, stack.Stop())
}

func (b *bench) saves(p *product, stack *running.Stack, watched, alone string) error {
	save := func(directory, pattern, comment string) error {
		before := serves(stack)
		if err := edit(filepath.Join(watched, directory), pattern, comment); err != nil {
			return err
		}
		for deadline := time.Now().Add(time.Minute); serves(stack) == before; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				return fmt.Errorf("expected the local stack to reload %s, got\n%s", directory, stack.Output())
			}
		}
		return nil
	}
	compile := func() error {
		if err := edit(filepath.Join(alone, "infra"), "*.go", "//"); err != nil {
			return err
		}
		return build.Packages(b.ctx, build.Options{Root: alone, Out: filepath.Join(alone, "dist")}, build.Tools("./local/capture"))
	}
	if err := compile(); err != nil { // for the first time, with everything
		return err
	}
	const rule, infra, alike = "a rule saved", "a file of infra/ saved", "go build of what declares the stack"
	samples, err := paired.Run(b.rounds(10),
		paired.Wall(rule, 1, func() error { return save("policies/"+p.endpoint.name, "*.rego", "#") }),
		paired.Wall(infra, 1, func() error { return save("infra", "*.go", "//") }),
		paired.Wall(alike, 1, compile))
	if err != nil {
		return err
	}
	b.report.Add("P15",
		report.Row{Name: rule, Unit: "s here", Estimate: samples.Cost(rule).Times(1e-9), Bar: 1.2},
		report.Row{Name: infra, Unit: "× " + alike, Estimate: samples.Ratio(infra, alike), Bar: 2},
		report.Row{Name: alike, Unit: "s here", Estimate: samples.Cost(alike).Times(1e-9)})
	return nil
}

// storm measures what make run takes before and after very many requests, while every second
// one of the functions' processes is killed.
func (b *bench) storm(stack *running.Stack) error {
	const clients = 50
	requests := b.rounds(10_000)
	r, err := b.requestTo(stack)
	if err != nil {
		return err
	}
	if err := b.idle(stack, "idle make run"); err != nil {
		return err
	}
	if _, err := flood(r, clients, 10*clients, 0); err != nil { // starts as many processes as it takes
		return err
	}
	before, err := processTree(stack.PID())
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	killed := make(chan int, 1)
	go func() {
		kills := 0
		for tick := time.Tick(time.Second); ; {
			select {
			case <-tick:
				tree, _ := processTree(stack.PID()) // none killed is an error below
				for _, p := range slices.Backward(tree[min(1, len(tree)):]) {
					if p.command != "sh" { // which ends the functions if make run is killed
						if syscall.Kill(p.id, syscall.SIGKILL) == nil {
							kills++
						}
						break
					}
				}
			case <-ctx.Done():
				killed <- kills
				return
			}
		}
	}()
	all, err := flood(r, clients, requests, 0)
	stop()
	kills := <-killed
	if err != nil {
		return err
	}
	if kills == 0 {
		return errors.New("expected processes to be killed during the requests, got none: nothing was measured")
	}
	after, err := processTree(stack.PID())
	if err != nil {
		return err
	}
	b.report.Add("P15",
		report.Row{Name: fmt.Sprintf("server errors in %d requests, %d processes killed", requests, kills), Unit: "answers", Estimate: report.Exactly(float64(all.faults())), Bar: float64(kills), Zero: true},
		report.Row{Name: "make run's own memory before", Unit: "MB (2²⁰ bytes)", Estimate: report.Exactly(before[0].kib / 1024)},
		report.Row{Name: "make run's own memory after", Unit: "× before", Estimate: report.Exactly(after[0].kib / before[0].kib), Bar: 1.5})
	if err := b.idle(stack, "idle after these requests"); err != nil {
		return err
	}
	left, err := memory(stack.PID())
	b.report.Add("P15", report.Row{Name: "memory of all processes, idle", Unit: "MB (2²⁰ bytes)", Estimate: report.Exactly(left)})
	return err
}

// idle measures the processor time of a stack that nobody uses.
func (b *bench) idle(stack *running.Stack, name string) error {
	if err := b.wait(quiet); err != nil {
		return err
	}
	var idle []float64
	for range b.rounds(10) {
		before := function.Used(stack.PID())
		if err := b.wait(idleTime); err != nil {
			return err
		}
		idle = append(idle, 100*(function.Used(stack.PID())-before).Seconds()/idleTime.Seconds())
	}
	b.report.Add("P15", report.Row{Name: name, Unit: "% of a processor", Bar: 0.3, Estimate: paired.Of(idle)})
	return nil
}

// copyProject copies what a local stack needs.
func (b *bench) copyProject(root string) error {
	if err := errors.Join(os.RemoveAll(root), os.MkdirAll(root, 0o755)); err != nil {
		return err
	}
	files, err := filepath.Glob("[^.]*.*") // go.mod, the program and the stacks' settings
	if err != nil {
		return err
	}
	for _, name := range append(files, "handlers", "infra", "internal", "local", "policies") {
		if output, err := exec.CommandContext(b.ctx, "cp", "-R", name, root).CombinedOutput(); err != nil {
			return fmt.Errorf("copy the project: %s: %w", output, err)
		}
	}
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

// edit puts a comment at the top of the first file that matches: one that is in no other copy
// and was in no earlier run, as the build cache would know what comes of it.
func edit(directory, pattern, comment string) error {
	files, err := filepath.Glob(filepath.Join(directory, pattern))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("expected a file %s in %s, got none", pattern, directory)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		return err
	}
	return os.WriteFile(files[0], fmt.Appendf(nil, "%s %d\n%s", comment, time.Now().UnixNano(), content), 0o644)
}

// serves is how often the local stack has said what serves after a save.
func serves(stack *running.Stack) int {
	output := stack.Output()
	return strings.Count(output, "Reloaded ") + strings.Count(output, "No change in what serves")
}
