package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"account-api/bench/function"
	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/internal/bundle"
)

// helloWorld is the smallest function: what the Go runtime and Lambda's library cost.
// On one processor, as the stack's functions are declared, it costs less.
const (
	helloWorld = "hello-world"
	helloOne   = "hello-world on one processor"
)

// nobody is a loopback address that refuses connections.
const nobody = "http://127.0.0.1:1/"

// authorizerStarts measures P6.
func (b *bench) authorizerStarts(p *product) error {
	keys := func(address string) string { return "JWKS_URI=" + address + keySet }
	candidates := []candidate{
		{Variant: b.startCPU(p.authorizer.name+", provider down", p.authorizer.with(keys(nobody))), bar: 1.10},
		{Variant: b.startCPU(p.authorizer.name+", keys over http", p.authorizer.with(keys(p.provider.server.URL))), bar: 1.30},
		{Variant: b.startCPU(helloOne, p.helloOne)},
	}
	overTLS, bar := p.authorizer.name+", keys over TLS from 30 ms away", 2.5
	bundle, noRoots := p.provider.roots(b.directory)
	if noRoots != nil {
		b.report.Add("P6", report.Row{Name: overTLS, Unit: "× " + helloWorld, Bar: bar, Missing: noRoots.Error()})
	} else {
		far := p.authorizer.with(keys(p.provider.far.URL), "SSL_CERT_FILE="+bundle)
		candidates = append(candidates, candidate{Variant: b.startCPU(overTLS, far), bar: bar})
	}
	samples, err := b.compare("P6", 150, b.startCPU(helloWorld, p.hello), candidates...)
	if err != nil {
		return err
	}
	if fetched, starts := p.provider.answeredFar.Load(), samples.Cost(helloWorld).Rounds; noRoots == nil && fetched != int64(starts) {
		return fmt.Errorf("expected each of %d starts to fetch the keys over TLS, got %d requests", starts, fetched)
	}
	return nil
}

// endpointStart measures P7.
func (b *bench) endpointStart(p *product) error {
	samples, err := b.compare("P7", 150, b.startCPU(helloWorld, p.hello),
		candidate{Variant: b.startCPU(p.endpoint.name, p.endpoint.Executable), bar: 2.3})
	b.report.Add("P7", report.Row{Name: helloWorld, Unit: "ms CPU here", Estimate: samples.Cost(helloWorld).Times(1e-6)})
	return err
}

// startCPU is nanoseconds of processor time from exec to the first poll.
func (b *bench) startCPU(name string, e function.Executable) paired.Variant {
	return paired.Variant{Name: name, Block: func() (float64, error) {
		p, err := function.Start(b.ctx, e)
		if err != nil {
			return 0, err
		}
		notReady := p.Ready()
		cpu, err := p.End()
		return float64(cpu.Nanoseconds()), errors.Join(notReady, err)
	}}
}

// coldStarts measures P7c.
func (b *bench) coldStarts(p *product) error {
	var variants []paired.Variant
	for _, f := range []deployed{{Executable: p.hello, name: helloWorld}, p.authorizer, p.endpoint} {
		content, err := os.ReadFile(f.Path)
		if err != nil {
			return err
		}
		b.report.Add("P7c", report.Row{Name: f.name + ", executable", Unit: "MB (10⁶ bytes)", Estimate: report.Exactly(float64(len(content)) / 1e6)})
		// A copy: the pages of a file that a process maps cannot be dropped.
		f.Path += ".cold"
		if err := os.WriteFile(f.Path, content, 0o755); err != nil {
			return err
		}
		variants = append(variants, paired.Variant{Name: f.name, Block: func() (float64, error) { return b.coldStart(f.Executable) }})
	}
	hello, authorizer, endpoint := variants[0], candidate{Variant: variants[1]}, candidate{Variant: variants[2], bar: 2.2}
	samples, err := b.compare("P7c", 40, hello, authorizer, endpoint)
	if errors.Is(err, errWarm) {
		b.report.Add("P7c", report.Row{Name: endpoint.Name, Unit: "× " + helloWorld, Bar: endpoint.bar, Missing: err.Error()})
		return nil
	}
	b.report.Add("P7c", report.Row{Name: helloWorld, Unit: "ms here", Estimate: samples.Cost(helloWorld).Times(1e-6)})
	return err
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
	if err = errors.Join(notReady, err); err == nil && !p.ReadFromDisk() {
		err = errWarm
	}
	return float64(took.Nanoseconds()), err
}

const (
	smallest = 128 // megabytes, the least that Lambda offers
	// positions is at how many places in a slice an exec is measured. Time goes in steps
	// of 20 ms, so at one place a function that needs hardly more than another may take a
	// step longer, or not.
	positions = 8
)

// throttled measures P8: all of the start and the first answer at 128 MB.
func (b *bench) throttled(p *product) error {
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
	samples, err := b.compare("P8", 40, first(helloWorld, p.hello),
		candidate{Variant: first(p.authorizer.name, p.authorizer.Executable), bar: 1.40},
		candidate{Variant: first(helloOne, p.helloOne)})
	b.report.Add("P8", report.Row{Name: helloWorld, Unit: "ms here", Estimate: samples.Cost(helloWorld).Times(1e-6)})
	return err
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

// invocations measures P9. The yardstick gets the same event.
func (b *bench) invocations(p *product) error {
	rounds := 25
	samples, err := b.compare("P9", rounds, b.invocationCPU(helloOne, p.helloOne, p.authorizer.event),
		candidate{Variant: b.invocationCPU(p.authorizer.name, p.authorizer.Executable, p.authorizer.event), bar: 1.45, least: 1},
		candidate{Variant: b.invocationCPU(helloWorld+" on all processors", p.hello, p.authorizer.event)})
	if err != nil {
		return err
	}
	b.report.Add("P9", report.Row{Name: helloOne, Unit: "ms CPU here", Estimate: samples.Cost(helloOne).Times(1e-6)})
	_, err = b.compare("P9", rounds, b.invocationCPU(helloOne, p.helloOne, p.endpoint.event),
		candidate{Variant: b.invocationCPU(p.endpoint.name, p.endpoint.Executable, p.endpoint.event), bar: 1.35, least: 1})
	return err
}

// invocationCPU is nanoseconds of processor time of one invocation among many. A block is a
// process of its own: the kernel accounts a process most precisely when it ends. A start's
// cost, measured in the same block, is subtracted.
func (b *bench) invocationCPU(name string, e function.Executable, event []byte) paired.Variant {
	calls := b.rounds(400)
	return paired.Variant{Name: name, Block: func() (float64, error) {
		start, err := b.startCPU(name, e).Block()
		if err != nil {
			return 0, err
		}
		p, err := function.Start(b.ctx, e)
		if err != nil {
			return 0, err
		}
		err = invoke(p, event, calls, pause)
		all, endErr := p.End()
		return (float64(all.Nanoseconds()) - start) / float64(calls), errors.Join(err, endErr)
	}}
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

// sizes measures P11: the deployment packages as they are deployed.
func (b *bench) sizes(p *product) error {
	for _, f := range []struct {
		deployed
		bar float64
	}{{p.authorizer, 3.0}, {p.endpoint, 6.0}} {
		built, err := bundle.Build(b.ctx, bundle.Options{Root: ".", Package: f.handler, Out: filepath.Join(b.directory, f.name+".zip")})
		if err != nil {
			return err
		}
		b.report.Add("P11", report.Row{Name: f.name + ".zip", Unit: "MB (10⁶ bytes)", Estimate: report.Exactly(float64(built.Size) / 1e6), Bar: f.bar})
	}
	return nil
}

// settled is how many invocations it takes until the heap has been collected a few times
// and keeps its size.
const settled = 1000

// memory measures P10: resident memory before and after very many invocations.
func (b *bench) memory(p *product) error {
	many := b.rounds(100_000)
	for _, f := range []struct {
		deployed
		peak float64
	}{{p.authorizer, 14}, {p.endpoint, 22}} {
		before, after, err := b.residentMemory(f.deployed, many)
		if err != nil {
			return err
		}
		b.report.Add("P10",
			report.Row{Name: fmt.Sprintf("%s after %d invocations", f.name, many), Unit: fmt.Sprintf("× after %d", settled), Bar: 1.10,
				Estimate: report.Exactly(float64(after.Now) / float64(before.Now))},
			report.Row{Name: f.name + ", peak", Unit: "MB (2²⁰ bytes)", Bar: f.peak, Estimate: report.Exactly(float64(after.Peak) / (1 << 20))})
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
