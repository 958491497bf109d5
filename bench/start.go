package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"account-api/bench/function"
	"account-api/bench/paired"
	"account-api/bench/report"
)

// helloWorld is the smallest function: what the Go runtime and Lambda's library cost.
// On one processor, as the stack's functions are declared, it costs less.
const (
	helloWorld = "hello-world"
	helloOne   = "hello-world on one processor"
)

// nobody is a loopback address that refuses connections.
const nobody = "http://127.0.0.1:1/"

// starts measures P6 and P7.
func (b *bench) starts() error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	cpu := func(name string, e function.Executable) paired.Variant {
		return paired.Variant{Name: name, Block: func() (float64, error) { return b.startCPU(e) }}
	}
	keys := func(address string) string { return "JWKS_URI=" + address + keySet }
	type row struct {
		figure, name string
		executable   function.Executable
		bar          float64
	}
	rows := []row{
		{"P6", p.authorizer.name + ", provider down", p.authorizer.with(keys(nobody)).Executable, 1.10},
		{"P6", p.authorizer.name + ", keys over http", p.authorizer.with(keys(p.provider.server.URL)).Executable, 1.30},
		{"P6", helloOne, p.helloOne, 0},
		{"P7", p.endpoint.name, p.endpoint.Executable, 2.3},
	}
	overTLS := row{"P6", p.authorizer.name + ", keys over TLS from 30 ms away", function.Executable{}, 2.5}
	if bundle, err := p.provider.roots(b.directory); err == nil {
		overTLS.executable = p.authorizer.with(keys(p.provider.far.URL), "SSL_CERT_FILE="+bundle).Executable
		rows = append(rows, overTLS)
	} else {
		b.report.Add("P6", report.Row{Name: overTLS.name, Unit: "× " + helloWorld, Bar: overTLS.bar, Missing: err.Error()})
	}
	variants := []paired.Variant{cpu(helloWorld, p.hello)}
	for _, r := range rows {
		variants = append(variants, cpu(r.name, r.executable))
	}
	samples, err := paired.Run(b.rounds(150), variants...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		b.report.Add(r.figure, report.Row{Name: r.name, Unit: "× " + helloWorld, Estimate: samples.Ratio(r.name, helloWorld), Bar: r.bar})
	}
	b.report.Add("P7", report.Row{Name: helloWorld, Unit: "ms CPU here", Estimate: samples.Cost(helloWorld).Times(1e-6)})
	return nil
}

// startCPU returns nanoseconds of processor time from exec to the first poll.
func (b *bench) startCPU(e function.Executable) (float64, error) {
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	notReady := p.Ready()
	cpu, err := p.End()
	return float64(cpu.Nanoseconds()), errors.Join(notReady, err)
}

// coldStarts measures P7c.
func (b *bench) coldStarts() error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	rows := []struct {
		name       string
		executable function.Executable
		bar        float64
	}{
		{helloWorld, p.hello, 0},
		{p.authorizer.name, p.authorizer.Executable, 0},
		{p.endpoint.name, p.endpoint.Executable, 2.2},
	}
	var variants []paired.Variant
	for _, r := range rows {
		// A copy: the pages of a file that a process maps cannot be dropped.
		cold := function.Executable{Path: r.executable.Path + ".cold", Env: r.executable.Env}
		if err := unpack(r.executable.Path, cold.Path); err != nil {
			return err
		}
		variants = append(variants, paired.Variant{Name: r.name, Block: func() (float64, error) { return b.coldStart(cold) }})
	}
	samples, err := paired.Run(b.rounds(40), variants...)
	missing := ""
	switch {
	case errors.Is(err, function.ErrLinux), errors.Is(err, errWarm):
		missing = cmp.Or(errors.Unwrap(err), err).Error()
	case err != nil:
		return err
	}
	for _, r := range rows {
		info, err := os.Stat(r.executable.Path)
		if err != nil {
			return err
		}
		b.report.Add("P7c", report.Row{Name: r.name + ", executable", Unit: "MB (10⁶ bytes)", Estimate: report.Exactly(float64(info.Size()) / 1e6)})
		if r.name == helloWorld {
			b.report.Add("P7c", report.Row{Name: r.name, Unit: "ms here", Missing: missing, Estimate: samples.Cost(helloWorld).Times(1e-6)})
			continue
		}
		b.report.Add("P7c", report.Row{Name: r.name, Unit: "× " + helloWorld, Missing: missing, Estimate: samples.Ratio(r.name, helloWorld), Bar: r.bar})
	}
	return nil
}

var errWarm = errors.New("this file system keeps the pages of a file")

// coldStart returns nanoseconds from exec to the first poll of an executable that is on the
// disk only.
func (b *bench) coldStart(e function.Executable) (float64, error) {
	if err := function.DropCache(e.Path); err != nil {
		return 0, err
	}
	start := time.Now()
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	notReady := p.Ready()
	took := time.Since(start)
	_, err = p.End()
	if err == nil && notReady == nil && !p.ReadFromDisk() {
		err = errWarm
	}
	return float64(took.Nanoseconds()), errors.Join(notReady, err)
}

const (
	smallest = 128 // megabytes, the least that Lambda offers
	// positions is at how many places in a slice an exec is measured. Time goes in steps
	// of 20 ms, so at one place a function that needs hardly more than another may take a
	// step longer, or not.
	positions = 8
)

// throttled measures P8: all of the start and the first answer at 128 MB.
func (b *bench) throttled() error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	const figure, unit, bar = "P8", "× " + helloWorld, 1.40
	if runtime.GOOS != "linux" {
		b.report.Add(figure, report.Row{Name: p.authorizer.name, Unit: unit, Bar: bar, Missing: function.ErrLinux.Error()})
		return nil
	}
	first := func(name string, e function.Executable) paired.Variant {
		return paired.Variant{Name: name, Block: func() (float64, error) {
			var sum float64
			for position := range positions {
				spent := (float64(position) + 0.5) / positions * float64(function.Slice(smallest))
				took, err := b.firstAnswer(e, p.authorizer.event, time.Duration(spent))
				if err != nil {
					return 0, err
				}
				sum += took
			}
			return sum / positions, nil
		}}
	}
	samples, err := b.compare(figure, 40, first(helloWorld, p.hello),
		candidate{Variant: first(p.authorizer.name, p.authorizer.Executable), bar: bar},
		candidate{Variant: first(helloOne, p.helloOne)})
	if err != nil {
		return err
	}
	b.report.Add(figure, report.Row{Name: helloWorld, Unit: "ms here", Estimate: samples.Cost(helloWorld).Times(1e-6)})
	return nil
}

// firstAnswer returns nanoseconds from exec to the first answer, with so much of the first
// slice spent at exec.
func (b *bench) firstAnswer(e function.Executable, event []byte, spent time.Duration) (float64, error) {
	start := time.Now()
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	stop := p.Throttle(smallest, spent+p.Used())
	_, err = p.Invoke(event)
	took := time.Since(start)
	stop()
	_, endErr := p.End()
	return float64(took.Nanoseconds()), errors.Join(err, endErr)
}

// invocations measures P9. A block is a process of its own: the kernel accounts a process
// most precisely when it ends. A start's cost, measured in the same block, is subtracted.
func (b *bench) invocations() error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	calls := b.rounds(400)
	cpu := func(name string, e function.Executable, event []byte) paired.Variant {
		return paired.Variant{Name: name, Block: func() (float64, error) {
			start, err := b.startCPU(e)
			if err != nil {
				return 0, err
			}
			process, err := function.Start(b.ctx, e)
			if err != nil {
				return 0, err
			}
			err = invoke(process, event, calls, pause)
			all, endErr := process.End()
			return (float64(all.Nanoseconds()) - start) / float64(calls), errors.Join(err, endErr)
		}}
	}
	const proxy = helloOne + ", endpoint's event"
	samples, err := paired.Run(b.rounds(25),
		cpu(helloOne, p.helloOne, p.authorizer.event), cpu(p.authorizer.name, p.authorizer.Executable, p.authorizer.event),
		cpu(proxy, p.helloOne, p.endpoint.event), cpu(p.endpoint.name, p.endpoint.Executable, p.endpoint.event),
		cpu(helloWorld, p.hello, p.authorizer.event))
	if err != nil {
		return err
	}
	unit := "× " + helloOne
	b.report.Add("P9",
		report.Row{Name: p.authorizer.name, Unit: unit, Estimate: samples.Ratio(p.authorizer.name, helloOne), Bar: 1.45, Least: 1},
		report.Row{Name: p.endpoint.name, Unit: unit, Estimate: samples.Ratio(p.endpoint.name, proxy), Bar: 1.35, Least: 1},
		report.Row{Name: helloWorld + " on all processors", Unit: unit, Estimate: samples.Ratio(helloWorld, helloOne)},
		report.Row{Name: helloOne, Unit: "ms CPU here", Estimate: samples.Cost(helloOne).Times(1e-6)})
	return nil
}

// pause is between two invocations whose processor time is measured. On Lambda a process is
// frozen then. Here at least its threads go to sleep: back to back, nothing would have to
// wake them, and hello-world would cost half.
const pause = time.Millisecond

func invoke(p *function.Process, event []byte, times int, pause time.Duration) error {
	for range times {
		if _, err := p.Invoke(event); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// settled is how many invocations it takes until the heap has been collected a few times
// and keeps its size.
const settled = 1000

// memory measures P10: resident memory before and after very many invocations.
func (b *bench) memory() error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	many := b.rounds(100_000)
	for _, f := range []struct {
		deployed
		peak float64
	}{{p.authorizer, 14}, {p.endpoint, 22}} {
		growth := report.Row{Name: fmt.Sprintf("%s after %d invocations", f.name, many), Unit: fmt.Sprintf("× after %d", settled), Bar: 1.10}
		peak := report.Row{Name: f.name + ", peak", Unit: "MB (2²⁰ bytes)", Bar: f.peak}
		before, after, err := b.residentMemory(f.deployed, many)
		switch {
		case errors.Is(err, function.ErrLinux):
			growth.Missing, peak.Missing = err.Error(), err.Error()
		case err != nil:
			return err
		default:
			growth.Estimate = report.Exactly(float64(after.Now) / float64(before.Now))
			peak.Estimate = report.Exactly(float64(after.Peak) / (1 << 20))
		}
		b.report.Add("P10", growth, peak)
	}
	return nil
}

func (b *bench) residentMemory(f deployed, many int) (before, after function.Memory, err error) {
	p, err := function.Start(b.ctx, f.Executable)
	if err != nil {
		return before, after, err
	}
	defer func() {
		_, endErr := p.End()
		err = errors.Join(err, endErr)
	}()
	if err = invoke(p, f.event, settled, 0); err != nil {
		return before, after, err
	}
	if before, err = p.Memory(); err != nil {
		return before, after, err
	}
	if err = invoke(p, f.event, many, 0); err != nil {
		return before, after, err
	}
	after, err = p.Memory()
	return before, after, err
}
