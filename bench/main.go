// Command bench measures what this project's functions cost, as ratios to yardsticks
// and peers that run in the same minutes on the same machine:
//
//	go run -C bench . [-quick] [-json file] [-profile directory] [-docs]
//	go run -C bench . -developer
//
// It prints a table, writes the same as JSON and a plot, and says on stderr how far it
// is. A missed bar is a row that says so and not a failure of the command: figures are
// for people to judge, on a machine that they know. It is a module of its own, so that
// the peers stay out of the product's go.mod.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
)

// outputs is where results go, relative to the project.
const outputs = "dist/bench"

// documentation is where the figures of a good run are kept.
const documentation = "docs/performance.md"

type settings struct {
	quick     bool
	json      string
	profiles  string
	developer bool
	docs      bool
}

func main() {
	var s settings
	flag.BoolVar(&s.quick, "quick", false, "fewer rounds: for a first look, not for figures to quote")
	flag.StringVar(&s.json, "json", filepath.Join(outputs, "results.json"), "`file` for the results, relative to the project")
	flag.StringVar(&s.profiles, "profile", "", "also write CPU profiles to this `directory`, relative to the project")
	flag.BoolVar(&s.developer, "developer", false, "measure the developer's waiting time instead, in a copy of the project")
	flag.BoolVar(&s.docs, "docs", false, "also replace the table in "+documentation)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	// Everything below is relative to the project, which holds this module.
	if err := os.Chdir(".."); err != nil {
		return err
	}
	if _, err := os.Stat("handlers/authorizer"); err != nil {
		return fmt.Errorf("expected to run in the directory bench of the project: run go run -C bench . in its root")
	}
	b := &bench{ctx: ctx, settings: s, start: time.Now()}
	b.report.Machine = report.Machine{
		OS: runtime.GOOS, Architecture: runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version(),
		Throttle: "stopping and continuing the process every 20 ms", Quick: s.quick,
	}
	steps := []func() error{
		b.build, b.verification, b.handling, b.decisions, b.startUp, b.throttled, b.invocations, b.memory, b.sizes, b.gateway, b.costs,
	}
	if s.developer {
		steps = []func() error{b.developer}
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return b.write()
}

// bench is one run.
type bench struct {
	ctx      context.Context
	settings settings
	start    time.Time
	built    executables
	cost     measured
	report   report.Report
}

func (b *bench) add(row report.Row) { b.report.Rows = append(b.report.Rows, row) }

func (b *bench) addAllocations(figure, name string, bar, stretch float64, work func() error) error {
	count, err := paired.Allocations(work)
	b.add(report.Row{Figure: figure, Name: name, Unit: "allocations", Estimate: report.Exactly(count), Bar: bar, Stretch: stretch})
	return err
}

// say tells a waiting person what is being measured.
func (b *bench) say(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%4.0fs  %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, arguments...))
}

// rounds is the number of rounds for figures that take n in a full run.
func (b *bench) rounds(n int) int {
	if b.settings.quick {
		return max(5, n/5)
	}
	return n
}

func (b *bench) write() error {
	slices.SortStableFunc(b.report.Rows, func(a, b report.Row) int { return cmp.Compare(order(a.Figure), order(b.Figure)) })
	if err := b.report.WriteTable(os.Stdout); err != nil || b.settings.developer {
		return err
	}
	if err := writeFile(b.settings.json, func(f *os.File) error { return b.report.WriteJSON(f) }); err != nil {
		return err
	}
	plot := filepath.Join(outputs, "results.svg")
	if err := writeFile(plot, func(f *os.File) error { return report.WritePlot(f, b.panels()...) }); err != nil {
		return err
	}
	b.say("wrote %s and %s", b.settings.json, plot)
	if !b.settings.docs {
		return nil
	}
	document, err := os.ReadFile(documentation)
	if err != nil {
		return err
	}
	if document, err = b.report.ReplaceTable(document); err != nil {
		return fmt.Errorf("%s: %w", documentation, err)
	}
	return os.WriteFile(documentation, document, 0o644)
}

// order is the number in a figure's name, such as P12.
func order(figure string) int {
	number, _ := strconv.Atoi(figure[1:]) // a name without one comes first
	return number
}

func writeFile(name string, write func(*os.File) error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
