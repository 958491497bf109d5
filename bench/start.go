package main

import (
	"errors"
	"time"

	"account-api/bench/function"
	"account-api/bench/paired"
	"account-api/bench/report"
)

// The yardstick is what the Go runtime and the runtime library cost as they come.
// helloOne is the same on one processor, as our functions are: no function can be
// cheaper, and what they cost more than that is their own.
const (
	helloWorld = "hello-world"
	helloOne   = "hello-world on one processor"
)

// with returns the executable with more in its environment.
func with(e function.Executable, environment []string) function.Executable {
	e.Env = append(e.Env[:len(e.Env):len(e.Env)], environment...)
	return e
}

// candidate is an executable in one situation.
type candidate struct {
	name       string
	executable function.Executable
	row        report.Row // without its estimate
}

// startUp measures P6 and P7: processor time from exec to the first poll for an event.
func (b *bench) startUp() error {
	b.say("start-up")
	p, err := newProvider()
	if err != nil {
		return err
	}
	defer p.close()
	candidates := []candidate{
		{helloOne, b.built.helloOne, report.Row{Figure: "P6", Name: helloOne}},
		{"no provider", with(b.built.authorizer, p.environment(nobody)),
			report.Row{Figure: "P6", Name: "authorizer start, provider down", Bar: 1.10}},
		{"prefetch", with(b.built.authorizer, p.environment(p.server.URL)),
			report.Row{Figure: "P6", Name: "authorizer start, keys prefetched", Bar: 1.4}},
		{"profile", b.built.profile,
			report.Row{Figure: "P7", Name: "profile start", Bar: 2.3, Stretch: 2.0}},
	}
	roots, err := p.withRoots()
	if err != nil {
		return err
	}
	if roots != nil {
		candidates = append(candidates,
			candidate{"roots", with(b.built.authorizer, append(p.environment(p.tls.URL), roots.once...)),
				report.Row{Figure: "P6", Name: "authorizer start, TLS"}},
			candidate{"roots twice", with(b.built.authorizer, append(p.environment(p.tls.URL), roots.asGoDoes...)),
				report.Row{Figure: "P6", Name: "authorizer start, TLS, roots as Go finds them"}})
	}
	if b.built.node.Path != "" {
		candidates = append(candidates, candidate{"node", with(b.built.node, append(p.environment(p.server.URL), "PREFETCH=1")),
			report.Row{Figure: "P6", Name: "authorizer in node without packages"}})
	}
	variants := []paired.Variant{{Name: helloWorld, Block: func() (float64, error) { return b.startCPU(b.built.hello) }}}
	for _, c := range candidates {
		variants = append(variants, paired.Variant{Name: c.name, Block: func() (float64, error) { return b.startCPU(c.executable) }})
	}
	samples, err := paired.Run(b.rounds(150), variants...)
	if err != nil {
		return err
	}
	for _, c := range candidates {
		c.row.Unit, c.row.Estimate = "× "+helloWorld, samples.Ratio(c.name, helloWorld)
		if c.row.Bar > 0 {
			c.row.Floor = samples.Ratio(helloOne, helloWorld).Median
		}
		b.add(c.row)
	}
	hello := samples.Cost(helloWorld)
	b.cost.startCPU = map[string]float64{helloWorld: hello.Median, helloOne: samples.Cost(helloOne).Median, "authorizer": samples.Cost("prefetch").Median, "profile": samples.Cost("profile").Median}
	b.add(report.Row{Figure: "P7", Name: helloWorld + ", for scale", Unit: "ms CPU here", Estimate: scaled(hello, 1e-6)})
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
	if notReady != nil {
		return 0, notReady
	}
	return float64(cpu.Nanoseconds()), err
}

// positions is at how many places in a slice an exec is measured. Time on the clock at 128
// MB comes in steps of 20 ms, so that for one position a function that needs hardly more
// than another takes twice as long, or no longer. Where in its slice a function starts is
// up to what ran in its sandbox before, so each place is as likely.
const positions = 8

// throttled measures P8: wall-clock time to the first answer with the processor share
// of 128 MB, once for the whole start and once with the init phase at full speed, which
// is how Lambda does it.
func (b *bench) throttled() error {
	b.say("first answer with the CPU of 128 MB")
	p, err := newProvider()
	if err != nil {
		return err
	}
	defer p.close()
	functions := []struct {
		name       string
		executable function.Executable
		event      []byte
		bar        float64 // from exec
	}{
		{helloOne, b.built.helloOne, p.authorizerEvent(), 0},
		{"authorizer", with(b.built.authorizer, p.environment(p.server.URL)), p.authorizerEvent(), 1.5},
		{"profile", b.built.profile, p.profileEvent(), 0},
		{helloWorld, b.built.hello, p.authorizerEvent(), 0},
	}
	const afterInit = " after init"
	var variants []paired.Variant
	for _, f := range functions {
		variants = append(variants,
			paired.Variant{Name: f.name, Block: func() (float64, error) {
				var sum float64
				for position := range positions {
					spent := (float64(position) + 0.5) / positions
					cost, err := b.firstAnswer(f.executable, f.event, time.Duration(spent*float64(function.Slice(smallest))))
					if err != nil {
						return 0, err
					}
					sum += cost
				}
				return sum / positions, nil
			}},
			paired.Variant{Name: f.name + afterInit, Block: func() (float64, error) { return b.firstAnswerAfterInit(f.executable, f.event) }})
	}
	samples, err := paired.Run(b.rounds(40), variants...)
	if err != nil {
		return err
	}
	for _, f := range functions[:3] {
		b.add(report.Row{Figure: "P8", Name: f.name + ", exec to first answer, all at 128 MB", Unit: "× " + helloWorld,
			Estimate: samples.Ratio(f.name, helloWorld), Bar: f.bar})
	}
	for _, f := range functions[:3] {
		b.add(report.Row{Figure: "P8", Name: f.name + ", first answer after an init at full speed", Unit: "× " + helloWorld,
			Estimate: samples.Ratio(f.name+afterInit, helloWorld+afterInit)})
	}
	b.add(report.Row{Figure: "P8", Name: helloWorld + ", exec to first answer, for scale", Unit: "ms here",
		Estimate: scaled(samples.Cost(helloWorld), 1e-6)})
	b.add(report.Row{Figure: "P8", Name: helloWorld + ", after an init at full speed, for scale", Unit: "ms here",
		Estimate: scaled(samples.Cost(helloWorld+afterInit), 1e-6)})
	return nil
}

const smallest = 128 // megabytes, the least that Lambda offers

// firstAnswer returns nanoseconds from exec to the first answer, with the processor
// throttled all the time and so much of the first slice spent at exec.
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

// firstAnswerAfterInit returns nanoseconds from the event to the first answer, with the
// processor throttled as soon as the function has asked for the event.
func (b *bench) firstAnswerAfterInit(e function.Executable, event []byte) (float64, error) {
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	stop, took := func() {}, time.Duration(0)
	if err = p.Ready(); err == nil {
		start := time.Now()
		stop = p.Throttle(smallest, 0)
		_, err = p.Invoke(event)
		took = time.Since(start)
	}
	stop()
	_, endErr := p.End()
	return float64(took.Nanoseconds()), errors.Join(err, endErr)
}

// scaled is the estimate in another unit.
func scaled(e paired.Estimate, by float64) paired.Estimate {
	e.Median *= by
	e.Quartile[0] *= by
	e.Quartile[1] *= by
	return e
}
