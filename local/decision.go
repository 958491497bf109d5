package main

import (
	"net/http"
	"slices"
	"strings"

	"account-api/local/gateway"
	"account-api/local/trace"
)

// Hops of steps that are added here. The terminal shows those about failing tests and about
// failures; the others take V=1.
const (
	testsHop = "tests"
	placeHop = "at"
	logHop   = "log"
)

// explain adds the decision to the steps of an exchange, before the function's answer, and
// says on its line why the policy denied or a function failed. Failing says which tests of
// a handler's policy fail, "" for none. The functions log to log.
func explain(e gateway.Exchange, t trace.Trace, failing func(handler string) string, log string) gateway.Exchange {
	var steps []gateway.Step
	add := func(hop, detail string) { steps = append(steps, gateway.Step{Hop: hop, Detail: detail}) }
	if d, known := t.Decision(); known {
		add("decision", d.String())
		for _, failed := range d.Explanation {
			add("failed", failed)
		}
		handler, _, _ := strings.Cut(d.Path, "/")
		if text := failing(handler); text != "" {
			add(testsHop, text)
		}
		if d.Result != nil && !d.Result.Allow && e.Status == http.StatusForbidden {
			e.AnsweredBy, e.Reason = "policy", strings.Join(d.Result.Reasons, "; ")
		}
	}
	if e.Status >= http.StatusInternalServerError && len(t.Invocations) > 0 {
		for _, i := range t.Invocations {
			if i.Failure == "" {
				continue
			}
			add("error", i.Failure)
			e.Reason = i.Failure
			if i.Place != "" {
				add(placeHop, i.Place)
			}
		}
		add(logHop, log)
	}
	at := slices.IndexFunc(e.Steps, func(s gateway.Step) bool { return s.Hop == "integration" })
	if at < 0 {
		at = len(e.Steps)
	}
	e.Steps = slices.Insert(slices.Clone(e.Steps), at, steps...)
	return e
}

// unlimited adds to an exchange that no process is limited in its memory on this operating
// system, in the terms of [runtime.GOOS], if a function took part.
func unlimited(e gateway.Exchange, system string) gateway.Exchange {
	if system != "linux" && e.Integration != nil {
		e.Steps = append(slices.Clone(e.Steps), gateway.Step{Hop: gateway.Differs,
			Detail: "Lambda ends a process that takes more memory than declared; this system does not tell how much it takes"})
	}
	return e
}
