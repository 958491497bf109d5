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

// question is something about API Gateway that no public record answers and that the
// local gateway had to assume.
type question struct {
	text    string
	assumed string // by the local gateway
	saw     string // what this run observed; "" = nothing
	toSee   string // how to make it observable, or why it never is from outside
}

// settle looks through all answers for what answers an open question, and asks what
// can be asked without harm. It never sends a user's token: the deployed gateway may
// repeat an Authorization header that it cannot parse.
func settle(ctx context.Context, c *caller) []question {
	questions := fromAnswers(c.seen)
	const worthless = "Bearer aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"
	for _, ask := range []struct {
		text, assumed string
		send          request
	}{
		{"an unknown path with an Authorization header", "403 MissingAuthenticationTokenException, as without one",
			request{path: c.target.beside("conform-no-such-path"), header: []string{"Authorization", worthless}}},
		{"X-HTTP-Method-Override with a method that HTTP lacks", "ignored",
			request{header: []string{"X-HTTP-Method-Override", "BREW"}}},
		// The quotas: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
		{"a URL of more than 10,240 characters", "414", request{query: strings.Repeat("a", 10_300)}},
		{"header values of more than 10,240 bytes", "413", request{header: []string{"X-Conform", strings.Repeat("a", 10_300)}}},
	} {
		q := question{text: ask.text, assumed: ask.assumed}
		if a, err := c.send(ctx, ask.send); err != nil {
			q.saw = "no answer: " + err.Error()
		} else {
			q.saw = described(a)
		}
		questions = append(questions, q)
	}
	return questions
}

// slow is how long an authorizer must have been waited for to say something about the
// limit of that wait: longer than a function's default timeout of 3 s takes.
const slow = 5 * time.Second

// fromAnswers answers what a healthy stack never shows, in case this one is not.
func fromAnswers(seen []*answer) []question {
	key := question{text: "the body of a 403 by the authorizer's policy, where DEFAULT_4XX customises headers only", assumed: `capital "Message"`,
		toSee: "remove the template of DEFAULT_4XX, let the authorizer deny, run again"}
	kind := question{text: "the error type of an authorizer that fails other than with Unauthorized", assumed: "AuthorizerConfigurationException",
		toSee: "take AUDIENCE from the authorizer's environment, run again"}
	wait := question{text: "how long API Gateway waits for an authorizer", assumed: "29 s",
		toSee: "let the authorizer hang with a timeout of 60 s, run again"}
	for _, a := range seen {
		errorType := a.header.Get(errorTypeHeader)
		if errorType == "AccessDeniedException" {
			key.saw = described(a)
		}
		if strings.HasPrefix(errorType, "Authorizer") {
			kind.saw = described(a)
			if a.took >= slow {
				wait.saw = fmt.Sprintf("%s after %v", described(a), a.took.Round(100*time.Millisecond))
			}
		}
	}
	return []question{key, kind,
		{text: "integrationLatency when the authorizer's answer was cached", assumed: "0",
			toSee: "never from outside: log requestContext.authorizer in a function, with authorizerTtl above 0"},
		{text: "an authorizer's answer without principalId", assumed: "500 AuthorizerConfigurationException",
			toSee: "never from outside as long as the authorizer names one: answer without it, run again with TOKEN"},
		wait,
	}
}

// described is an answer in a line, with the keys of its body but not their values.
func described(a *answer) string {
	text := fmt.Sprintf("%d", a.status)
	if kind := a.header.Get(errorTypeHeader); kind != "" {
		text += " " + kind
	}
	var object map[string]any
	switch err := json.Unmarshal([]byte(a.body), &object); {
	case a.body == "":
		return text + " without a body"
	case err != nil:
		return text + " with a body that is no JSON object"
	}
	keys := slices.Sorted(maps.Keys(object))
	return fmt.Sprintf("%s with {%s}", text, strings.Join(keys, ", "))
}

// settled says what the run has settled, which is nothing unless it ran against the
// service itself.
func (r *report) settled(t target, questions []question) {
	if t.place == onThisMachine {
		r.printf("\nNot settled, because this is an emulation and no evidence about AWS; it assumes:")
		for _, q := range questions {
			r.printf("  %s: %s", q.text, q.assumed)
		}
		r.printf("Run it against a deployed stage to observe what can be observed from outside.")
		return
	}
	r.printf("\nWhat no public record says about API Gateway, and what this run saw of it:")
	if t.place == elsewhere {
		r.printf("(%s is not a name that API Gateway gives: this is evidence only if it is a custom domain of it.)", t.url.Host)
	}
	count := 0
	for _, q := range questions {
		if q.saw == "" {
			r.printf("  open     %s\n             assumed: %s\n             to settle it: %s", q.text, q.assumed, q.toSee)
			continue
		}
		count++
		r.printf("  settled  %s\n             assumed: %s\n             saw: %s", q.text, q.assumed, cut(r.redact.redact(q.saw)))
	}
	r.printf("\n%d settled, %d open. Where saw and assumed differ, local/gateway is wrong: please correct it there.", count, len(questions)-count)
}
