package main

import (
	"errors"
	"sync/atomic"
	"time"

	"account-api/bench/function"
	"account-api/bench/paired"
	"account-api/bench/report"
)

// invocations measures P9: processor time for one invocation through the Runtime API.
// A block is a process of its own, since the kernel accounts a process most precisely
// when it ends; what its start costs was measured before and is subtracted.
func (b *bench) invocations() error {
	b.say("invocations through the Runtime API")
	p, err := newProvider()
	if err != nil {
		return err
	}
	defer p.close()
	calls := b.rounds(400)
	block := func(e function.Executable, event []byte, start float64) func() (float64, error) {
		return func() (float64, error) { return b.invocationCPU(e, event, calls, start) }
	}
	authorizer := with(b.built.authorizer, p.environment(p.server.URL))
	variants := []paired.Variant{
		{Name: helloWorld, Block: block(b.built.hello, p.authorizerEvent(), b.cost.startCPU[helloWorld])},
		{Name: "authorizer", Block: block(authorizer, p.authorizerEvent(), b.cost.startCPU["authorizer"])},
		{Name: helloOne, Block: block(b.built.helloOne, p.authorizerEvent(), b.cost.startCPU[helloOne])},
		{Name: "hello, proxy event", Block: block(b.built.hello, p.profileEvent(), b.cost.startCPU[helloWorld])},
		{Name: "profile", Block: block(b.built.profile, p.profileEvent(), b.cost.startCPU["profile"])},
	}
	if b.built.node.Path != "" {
		node := with(b.built.node, append(p.environment(p.server.URL), "PREFETCH=1"))
		start, err := b.startCPU(node)
		if err != nil {
			return err
		}
		variants = append(variants, paired.Variant{Name: "node", Block: block(node, p.authorizerEvent(), start)})
	}
	samples, err := paired.Run(b.rounds(25), variants...)
	if err != nil {
		return err
	}
	unit, least := "× "+helloWorld, samples.Ratio(helloOne, helloWorld)
	b.add(report.Row{Figure: "P9", Name: "authorizer, CPU per invocation", Unit: unit, Estimate: samples.Ratio("authorizer", helloWorld), Bar: 1.35, Floor: least.Median})
	b.add(report.Row{Figure: "P9", Name: "profile, CPU per invocation", Unit: unit, Estimate: samples.Ratio("profile", "hello, proxy event"), Bar: 1.20, Floor: least.Median})
	b.add(report.Row{Figure: "P9", Name: helloOne, Unit: unit, Estimate: least})
	if b.built.node.Path != "" {
		b.add(report.Row{Figure: "P9", Name: "authorizer in node without packages", Unit: unit, Estimate: samples.Ratio("node", helloWorld)})
	}
	b.add(report.Row{Figure: "P9", Name: helloWorld + ", for scale", Unit: "ms CPU here", Estimate: scaled(samples.Cost(helloWorld), 1e-6)})
	b.cost.invocationCPU = map[string]float64{"authorizer": samples.Cost("authorizer").Median, "profile": samples.Cost("profile").Median}
	b.cost.logBytes = map[string]float64{}
	for name, measured := range map[string]struct {
		executable function.Executable
		event      []byte
	}{"authorizer": {authorizer, p.authorizerEvent()}, "profile": {b.built.profile, p.profileEvent()}} {
		if b.cost.logBytes[name], err = b.logBytes(measured.executable, measured.event); err != nil {
			return err
		}
	}
	return nil
}

// invocationCPU returns nanoseconds of processor time for one of many invocations.
func (b *bench) invocationCPU(e function.Executable, event []byte, calls int, start float64) (float64, error) {
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	err = invokeTimes(p, event, calls, pause)
	cpu, endErr := p.End()
	return (float64(cpu.Nanoseconds()) - start) / float64(calls), errors.Join(err, endErr)
}

// pause is between two invocations whose processor time is measured. On Lambda there is
// always one, in which a process is frozen; here its threads go to sleep at least. Back
// to back they would be found awake, and waking them is much of what an invocation
// costs, hello-world's too.
const pause = time.Millisecond

func invokeTimes(p *function.Process, event []byte, times int, pause time.Duration) error {
	for range times {
		if _, err := p.Invoke(event); err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return nil
}

// logBytes returns how much a function logs for one invocation.
func (b *bench) logBytes(e function.Executable, event []byte) (float64, error) {
	const calls = 20
	var written counter
	e.Log = &written
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	err = p.Ready()
	atStart := written.Load()
	if err == nil {
		err = invokeTimes(p, event, calls, 0)
	}
	_, endErr := p.End() // all that was written has been copied then
	return float64(written.Load()-atStart) / calls, errors.Join(err, endErr)
}

// counter counts what is written to it.
type counter struct{ atomic.Int64 }

func (c *counter) Write(text []byte) (int, error) {
	c.Add(int64(len(text)))
	return len(text), nil
}

// settled is how many invocations it takes until the heap has been collected a few
// times and its size is what it stays.
const settled = 1000

// memory measures P10: resident memory before and after very many invocations.
func (b *bench) memory() error {
	p, err := newProvider()
	if err != nil {
		return err
	}
	defer p.close()
	many := 100_000
	if b.settings.quick {
		many = 10_000
	}
	for _, f := range []struct {
		name       string
		executable function.Executable
		event      []byte
		peak       float64
	}{
		{"authorizer", with(b.built.authorizer, p.environment(p.server.URL)), p.authorizerEvent(), 14},
		{"profile", b.built.profile, p.profileEvent(), 22},
	} {
		b.say("memory of the %s over %d invocations", f.name, many)
		growth := report.Row{Figure: "P10", Name: f.name + ", resident memory after many invocations, of that after 1000", Unit: "×", Bar: 1.10}
		peak := report.Row{Figure: "P10", Name: f.name + ", peak of resident memory", Unit: "MB", Bar: f.peak}
		before, after, err := b.residentMemory(f.executable, f.event, many)
		switch {
		case errors.Is(err, function.ErrNoMemory):
			growth.Missing, peak.Missing = err.Error(), err.Error()
		case err != nil:
			return err
		default:
			growth.Estimate = report.Exactly(float64(after.Now) / float64(before.Now))
			peak.Estimate = report.Exactly(float64(after.Peak) / (1 << 20))
		}
		b.add(growth)
		b.add(peak)
	}
	return nil
}

func (b *bench) residentMemory(e function.Executable, event []byte, many int) (before, after function.Memory, err error) {
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return before, after, err
	}
	defer func() {
		_, endErr := p.End()
		err = errors.Join(err, endErr)
	}()
	if err = invokeTimes(p, event, settled, 0); err != nil {
		return before, after, err
	}
	if before, err = p.Memory(); err != nil {
		return before, after, err
	}
	if err = invokeTimes(p, event, many, 0); err != nil {
		return before, after, err
	}
	after, err = p.Memory()
	return before, after, err
}
