// Command bench measures speed and size of this project's functions and tools:
//
//	go run -C bench . [-only P1,P5] [-quick]
//
// Figures are ratios to yardsticks and peers that run in turns on the same machine. A missed
// bar is a row, not a failure of the command. Bench is a module of its own, so that the peers
// stay out of the product's go.mod.
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
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
)

// figures are all that bench measures. Those that need Linux say so.
var figures = []struct {
	name, title string
	alone       func(*bench) error           // measures code in this process
	stack       func(*bench, *product) error // measures this project's executables
	needs       string
}{
	{"P1", "Verify one token, with all checks", (*bench).verification, nil, ""},
	{"P2", "Verify one token, next to libraries", nil, nil, ""}, // measured with P1
	{"P3", "Authorizer's handler, event bytes in to response bytes out", (*bench).authorizerHandler, nil, ""},
	{"P4", "Refuse a token without asking the provider", (*bench).refusals, nil, ""},
	{"P5", "One policy decision", (*bench).decisions, nil, ""},
	{"P5b", "Whole endpoint handler, event bytes in to response bytes out", (*bench).endpointHandler, nil, ""},
	{"P6", "Authorizer's start, CPU from exec to the first poll for an event", nil, (*bench).authorizerStarts, ""},
	{"P7", "Endpoint's start, CPU from exec to the first poll for an event", nil, (*bench).endpointStart, ""},
	{"P7c", "Start with a cold file, time from exec to the first poll", nil, (*bench).coldStarts, "linux"},
	{"P8", "Exec to first answer with the CPU of 128 MB", nil, (*bench).throttled, "linux"},
	{"P9", "CPU per invocation through the Runtime API", nil, (*bench).invocations, ""},
	{"P10", "Resident memory", nil, (*bench).memory, "linux"},
	{"P11", "Deployment packages", nil, (*bench).sizes, ""},
	{"P12", "A request through the local gateway", nil, (*bench).gateway, ""},
	{"P13", "make run next to serverless-offline, whose functions return constants", (*bench).serverless, nil, ""},
	{"P15", "make run: the wait after saving a file, and what it takes under load", nil, (*bench).developer, ""},
	{"P16", "Policies of many rules", (*bench).policySizes, nil, ""},
}

func main() {
	var (
		quick = flag.Bool("quick", false, "fewer rounds: for a first look, not for figures to quote")
		only  = flag.String("only", "", "measure these `figures`, such as P1,P5; P2 comes with P1")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *quick, *only, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run.
type bench struct {
	ctx       context.Context
	quick     bool
	start     time.Time
	directory string // for what is built
	product   *product
	report    report.Report
}

func run(ctx context.Context, quick bool, only string, to io.Writer) (err error) {
	// Everything below is relative to the project, which holds this module.
	if err := os.Chdir(".."); err != nil {
		return err
	}
	if _, err := os.Stat("bench/main.go"); err != nil {
		return fmt.Errorf("expected to run in the directory bench of the project: run go run -C bench . in its root")
	}
	b := &bench{ctx: ctx, quick: quick, start: time.Now()}
	if b.directory, err = filepath.Abs("dist/bench"); err != nil {
		return err
	}
	b.report.Machine = fmt.Sprintf("%d processors, %s/%s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, strings.Replace(runtime.Version(), "go", "Go ", 1))
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(only, ",") {
		wanted[name] = true
	}
	for _, f := range figures {
		b.report.Tables = append(b.report.Tables, &report.Table{Figure: f.name, Title: f.title})
	}
	defer func() {
		if b.product != nil {
			b.product.close()
		}
	}()
	for _, f := range figures {
		if only != "" && !wanted[f.name] {
			continue
		}
		b.say("%s %s", f.name, f.title)
		if f.needs != "" && f.needs != runtime.GOOS {
			b.report.Add(f.name, report.Row{Name: f.title, Missing: "needs " + f.needs})
		} else if f.alone != nil {
			err = f.alone(b)
		} else if f.stack != nil {
			var p *product
			if p, err = b.ready(); err == nil {
				err = f.stack(b, p)
			}
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", f.name, err)
			break
		}
	}
	_, printed := to.Write(b.report.Markdown()) // also what was measured before an error
	return errors.Join(err, printed)
}

// say tells a waiting person what is being measured.
func (b *bench) say(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%4.0fs  %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, arguments...))
}

// rounds is the number of rounds for figures that take n in a full run.
func (b *bench) rounds(n int) int {
	if b.quick {
		return max(5, n/5)
	}
	return n
}

// candidate is one way to do the work of a figure, measured in turns with a yardstick.
type candidate struct {
	paired.Variant
	bar   float64 // the most of the yardstick that is acceptable; 0 is none
	least float64 // the least that is possible
}

// compare measures the candidates in turns with the yardstick, and adds a row for each.
func (b *bench) compare(figure string, rounds int, yardstick paired.Variant, candidates ...candidate) (paired.Samples, error) {
	variants := []paired.Variant{yardstick}
	for _, c := range candidates {
		variants = append(variants, c.Variant)
	}
	samples, err := paired.Run(b.rounds(rounds), variants...)
	if err != nil {
		return samples, err
	}
	for _, c := range candidates {
		b.report.Add(figure, report.Row{Name: c.Name, Unit: "× " + yardstick.Name,
			Estimate: samples.Ratio(c.Name, yardstick.Name), Bar: c.bar, Least: c.least})
	}
	return samples, nil
}

func (b *bench) goCommand(arguments ...string) (string, error) {
	cmd := exec.CommandContext(b.ctx, "go", arguments...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s\ngo %s: %w", output, strings.Join(arguments, " "), err)
	}
	return string(output), nil
}
