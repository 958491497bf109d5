package main

import (
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
	samples, err := paired.Run(b.rounds(60), variants...)
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
	event := p.authorizerEvent()
	authorizer := with(b.built.authorizer, p.environment(p.server.URL))
	block := func(e function.Executable, event []byte, init bool) func() (float64, error) {
		return func() (float64, error) { return b.firstAnswer(e, event, init) }
	}
	samples, err := paired.Run(b.rounds(40),
		paired.Variant{Name: helloWorld, Block: block(b.built.hello, event, true)},
		paired.Variant{Name: helloOne, Block: block(b.built.helloOne, event, true)},
		paired.Variant{Name: "authorizer", Block: block(authorizer, event, true)},
		paired.Variant{Name: "profile", Block: block(b.built.profile, p.profileEvent(), true)},
		paired.Variant{Name: "hello after init", Block: block(b.built.hello, event, false)},
		paired.Variant{Name: helloOne + " after init", Block: block(b.built.helloOne, event, false)},
		paired.Variant{Name: "authorizer after init", Block: block(authorizer, event, false)},
		paired.Variant{Name: "profile after init", Block: block(b.built.profile, p.profileEvent(), false)},
	)
	if err != nil {
		return err
	}
	add := func(name string, bar float64, e paired.Estimate, unit string) {
		b.add(report.Row{Figure: "P8", Name: name, Unit: unit, Estimate: e, Bar: bar})
	}
	add(helloOne+", exec to first answer, all at 128 MB", 0, samples.Ratio(helloOne, helloWorld), "× "+helloWorld)
	add("authorizer, exec to first answer, all at 128 MB", 1.5, samples.Ratio("authorizer", helloWorld), "× "+helloWorld)
	add("profile, exec to first answer, all at 128 MB", 0, samples.Ratio("profile", helloWorld), "× "+helloWorld)
	add(helloOne+", first answer after an init at full speed", 0, samples.Ratio(helloOne+" after init", "hello after init"), "× "+helloWorld)
	add("authorizer, first answer after an init at full speed", 0, samples.Ratio("authorizer after init", "hello after init"), "× "+helloWorld)
	add("profile, first answer after an init at full speed", 0, samples.Ratio("profile after init", "hello after init"), "× "+helloWorld)
	add(helloWorld+", exec to first answer, for scale", 0, scaled(samples.Cost(helloWorld), 1e-6), "ms here")
	add(helloWorld+", after an init at full speed, for scale", 0, scaled(samples.Cost("hello after init"), 1e-6), "ms here")
	return nil
}

const smallest = 128 // megabytes, the least that Lambda offers

// firstAnswer returns nanoseconds to the first answer: from exec if the init phase is
// throttled too, and otherwise from the moment that the event is sent.
func (b *bench) firstAnswer(e function.Executable, event []byte, throttleInit bool) (cost float64, err error) {
	start := time.Now()
	p, err := function.Start(b.ctx, e)
	if err != nil {
		return 0, err
	}
	stop := func() {}
	defer func() {
		stop()
		if _, endErr := p.End(); err == nil {
			err = endErr
		}
	}()
	if throttleInit {
		stop = p.Throttle(smallest, true)
	}
	if err := p.Ready(); err != nil {
		return 0, err
	}
	if !throttleInit {
		start = time.Now()
		stop = p.Throttle(smallest, false)
	}
	if _, err := p.Invoke(event); err != nil {
		return 0, err
	}
	return float64(time.Since(start).Nanoseconds()), nil
}

// scaled is the estimate in another unit.
func scaled(e paired.Estimate, by float64) paired.Estimate {
	e.Median *= by
	e.Quartile[0] *= by
	e.Quartile[1] *= by
	return e
}
