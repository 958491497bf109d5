package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// question is something about API Gateway that we could not confirm and that the local
// gateway has to assume.
type question struct {
	text, assumed string
	ask           *request           // a request that shows it; nil if none does in a healthy stack
	shows         func(*answer) bool // otherwise: which answer to another request would show it
	toSee         string             // how to have such an answer
}

// slow is how long an authorizer must have been waited for to say something about the
// limit of that wait: longer than a function's default timeout of 3 s takes.
const slow = 5 * time.Second

// questions never send a user's token: the deployed gateway may repeat an Authorization
// header that it cannot parse.
func (p *plan) questions() []question {
	unrouted := p.get(unknown).with("Authorization", "Bearer "+junk)
	brew := p.ask(p.first).with("X-HTTP-Method-Override", "BREW")
	long, large := p.ask(p.first), p.ask(p.first).with("X-Conform", strings.Repeat("a", 10_300))
	long.query = strings.Repeat("a", 10_300)
	failed := func(a *answer) bool { return strings.HasPrefix(a.Header.Get(errorType), "Authorizer") }
	return []question{
		{text: "the body of a 403 by the authorizer's policy, where DEFAULT_4XX customises headers only", assumed: `capital "Message"`,
			shows: func(a *answer) bool { return a.Header.Get(errorType) == "AccessDeniedException" },
			toSee: "remove the template of DEFAULT_4XX, let the authorizer deny, run again"},
		{text: "the error type of an authorizer that fails other than with Unauthorized", assumed: "AuthorizerConfigurationException", shows: failed,
			toSee: "take a required variable from the authorizer's environment, run again"},
		{text: "how long API Gateway waits for an authorizer", assumed: "29 s",
			shows: func(a *answer) bool { return failed(a) && a.took >= slow },
			toSee: "let the authorizer hang with a timeout of 60 s, run again"},
		{text: "an unknown path with an Authorization header", assumed: "403 MissingAuthenticationTokenException, as without one", ask: &unrouted},
		{text: "X-HTTP-Method-Override with a method that HTTP lacks", assumed: "ignored", ask: &brew},
		// The quotas: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
		{text: "a URL of more than 10,240 characters", assumed: "414", ask: &long},
		{text: "header values of more than 10,240 bytes", assumed: "413", ask: &large},
	}
}

// observe says what this run saw, "" for nothing.
func (q question) observe(ctx context.Context, c *caller) string {
	if q.ask != nil {
		a, err := c.send(ctx, *q.ask)
		if err != nil {
			return err.Error()
		}
		return described(a)
	}
	for _, a := range c.seen {
		if q.shows(a) {
			return described(a)
		}
	}
	return ""
}

// described is an answer in a line, with the keys of its body but not their values.
func described(a *answer) string {
	var object map[string]any
	json.Unmarshal([]byte(a.body), &object) // a body that is no object has no keys
	return fmt.Sprintf("%d %s with {%s} after %.1f s", a.StatusCode, a.Header.Get(errorType), strings.Join(slices.Sorted(maps.Keys(object)), ", "), a.took.Seconds())
}

// settle writes what the run has settled, which is nothing unless it ran against the
// service itself.
func (r *report) settle(ctx context.Context, c *caller, questions []question) {
	if c.target.place == onThisMachine {
		r.printf("\nThis is an emulation. What it assumes about API Gateway, a deployed stage can settle: %d questions.", len(questions))
		return
	}
	r.printf("\nWhat we could not confirm about API Gateway, and what this run saw of it:")
	if c.target.place == elsewhere {
		r.printf("(Neither API Gateway nor the stack names the host %s: this is evidence only if API Gateway serves it.)", c.target.url.Host)
	}
	count := 0
	for _, q := range questions {
		verdict, detail := "open", "to settle it: "+q.toSee
		saw := r.cut(q.observe(ctx, c))
		if saw != "" {
			verdict, detail = "settled", "saw: "+saw
			count++
		}
		r.settled = append(r.settled, settled{q.text, q.assumed, saw})
		r.printf("  %-8s %s\n             assumed: %s\n             %s", verdict, q.text, q.assumed, detail)
	}
	r.printf("\n%d settled, %d open. Where saw and assumed differ, local/gateway is wrong: please correct it there.", count, len(questions)-count)
}
