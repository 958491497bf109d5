package endpoint

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

func TestInvoke(t *testing.T) {
	for _, row := range []struct{ name, event, want string }{
		{"the scope", event(scope(t, "read:orders")), ok},
		{"the scope before another", event(scope(t, "read:orders write:orders")), ok},
		{"the scope after another", event(scope(t, "write:orders read:orders")), ok},
		{"another scope", event(scope(t, "write:orders")), forbidden},
		{"an empty scope", event(`{"scope":""}`), forbidden},
		{"no scope", event(`{"principalId":"` + subject + `"}`), forbidden},
		{"an empty authorizer", event(`{}`), forbidden},
		{"an authorizer that is null", event(`null`), forbidden},
		{"no authorizer", `{"requestContext":{"requestId":"` + eventID + `"}}`, forbidden},
		{"a requestContext that is null", `{"requestContext":null}`, forbidden},
		{"no requestContext", `{"headers":{"Authorization":"Bearer ` + bearer + `"}}`, forbidden},
		{"an empty event", `{}`, forbidden},
		{"a longer name", event(scope(t, "read:orders2x")), forbidden},
		{"a letter in front", event(scope(t, "xread:orders")), forbidden},
		{"a digit appended", event(scope(t, "read:orders2")), forbidden},
		{"upper case", event(scope(t, "READ:ORDERS")), forbidden},
		{"a wildcard resource", event(scope(t, "read:*")), forbidden},
		{"a lone wildcard", event(scope(t, "*")), forbidden},
		{"commas between scopes", event(scope(t, "read:orders,write:orders")), forbidden},
		{"a doubled space", event(scope(t, "write:orders  read:orders")), ok},
		{"a leading space", event(scope(t, " read:orders")), ok},
		{"a trailing space", event(scope(t, "read:orders ")), ok},
		{"a tab between scopes", event(scope(t, "read:orders\twrite:orders")), forbidden},
		{"a newline between scopes", event(scope(t, "read:orders\nwrite:orders")), forbidden},
		{"a no-break space between scopes", event(scope(t, "read:orders\u00a0write:orders")), forbidden},
		{"a plus between scopes", event(scope(t, "read:orders+write:orders")), forbidden},
		{"a scope that is a number", event(`{"scope":1}`), forbidden},
		{"a scope that is true", event(`{"scope":true}`), forbidden},
		{"a scope that is null", event(`{"scope":null}`), forbidden},
		{"a scope that is an array", event(`{"scope":["read:orders"]}`), forbidden},
		{"a scope that is an object", event(`{"scope":{"read:orders":"read:orders"}}`), forbidden},
		{"an authorizer that is a string", event(`"read:orders"`), forbidden},
		{"an authorizer that is an array", event(`[{"scope":"read:orders"}]`), forbidden},
		{"a requestContext that is a string", `{"requestContext":"read:orders"}`, forbidden},
		{"another principal", event(`{"principalId":"auth0|5f7c8ec7c33c6c004bbafe82","scope":"read:orders"}`), ok},
		{"a principal of another type", event(`{"principalId":7,"scope":"read:orders"}`), ok},
		{"no principal", event(`{"scope":"read:orders"}`), ok},
		{"the scope after 10000 others", event(scope(t, strings.Repeat("some:other ", 10_000)+"read:orders")), ok},
		{"10000 other scopes", event(scope(t, strings.Repeat("read:orders2x ", 10_000))), forbidden},

		{"an escaped scope", event(`{"scope":"read\u003aorders"}`), ok},
		{"the scope in permissions", event(`{"permissions":"read:orders"}`), forbidden},
		{"members in another case", event(`{"Scope":"read:orders"}`), forbidden},
		{"a requestContext in another case", `{"RequestContext":{"authorizer":{"scope":"read:orders"}}}`, forbidden},
		{"the scope where HTTP APIs have it", `{"requestContext":{"authorizer":{"lambda":{"scope":"read:orders"}}}}`, forbidden},
		{"the scope in a header", `{"headers":{"scope":"read:orders"},"requestContext":{"authorizer":{}}}`, forbidden},
		{"the scope at the top", `{"scope":"read:orders","authorizer":{"scope":"read:orders"}}`, forbidden},

		{"no event", ``, failure},
		{"an event that is null", `null`, failure},
		{"an event that is a string", `"read:orders"`, failure},
		{"an event that is an array", `[` + event(scope(t, "read:orders")) + `]`, failure},
		{"an event that ends early", strings.TrimSuffix(event(scope(t, "read:orders")), "}"), failure},
		{"something after the event", event(scope(t, "read:orders")) + `{}`, failure},
		{"two scopes", event(`{"scope":"write:orders","scope":"read:orders"}`), failure},
		{"two authorizers", `{"requestContext":{"authorizer":{},"authorizer":{"scope":"read:orders"}}}`, failure},
		{"two request contexts", `{"requestContext":{},"requestContext":{"authorizer":{"scope":"read:orders"}}}`, failure},
		{"a header twice, with a name that is no business of the log", `{"headers":{"` + bearer + `":"","` + bearer + `":""}}`, failure},
		{"a claim twice, likewise", event(`{"` + subject + `":"","` + subject + `":""}`), failure},
		{"a scope that is not UTF-8", event("{\"scope\":\"read:orders \xff\"}"), failure},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, nil)
			if got := invoke(t, h, row.event); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
			if lines := strings.Count(log.String(), "\n"); lines != 1 {
				t.Errorf("wrote %d log lines, want 1:\n%s", lines, log)
			}
			for _, secret := range append(strings.Split(bearer, "."), subject) {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log holds %q:\n%s", secret, log)
				}
			}
		})
	}
}

// Without a proper decision there is neither access nor a denial.
func TestInvokeWithBrokenPolicy(t *testing.T) {
	for _, row := range []struct{ name, body, wantCause string }{
		{"an undefined field of the input", `decision := {"allow": true, "reasons": set()} if input.absent`, "undefined ref: input.absent"},
		{"conflicting", "decision := {\"allow\": false, \"reasons\": {\"no\"}}\n\ndecision := {\"allow\": true, \"reasons\": set()} if input.scope", "eval_conflict_error"},
		{"a boolean", `decision := true`, "got boolean"},
		{"an allow that is not a boolean", `decision := {"allow": "yes", "reasons": set()}`, "got string"},
		{"no reasons", `decision := {"allow": true}`, "has reasons false"},
		{"a failing built-in function", `decision := {"allow": true, "reasons": {to_number(input.scope)}}`, "orders/orders.rego:3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, withPolicy("package orders\n\n"+row.body+"\n"+byDefault))
			if got := invoke(t, h, event(scope(t, "read:orders"))); got != failure {
				t.Errorf("got  %s\nwant %s", got, failure)
			}
			for _, want := range []string{row.wantCause, `"level":"ERROR"`, `"decision_id":"` + eventID + `"`} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %s:\n%s", want, log)
				}
			}
			if strings.Contains(log.String(), "read:orders") {
				t.Errorf("the log of a failure quotes the input:\n%s", log)
			}
		})
	}
}

// A panic would end the process, and the client would read {"message":null}.
func TestInvokeSurvivesPanics(t *testing.T) {
	for name, fault := range map[string]func(){
		"with a claim":      func() { panic("the scope is " + bearer) },
		"in the Go runtime": func() { _ = []int{}[len(bearer)] },
	} {
		t.Run(name, func(t *testing.T) {
			armed := false
			h, log := newTestHandler(t, func(c *Config, e *Environment) {
				e.Now = func() time.Time {
					if armed {
						fault()
					}
					return time.Now()
				}
			})
			armed = true
			if got := invoke(t, h, event(scope(t, "read:orders"))); got != failure {
				t.Errorf("got  %s\nwant %s", got, failure)
			}
			if !strings.Contains(log.String(), "panic: ") || !strings.Contains(log.String(), "handler.go:") {
				t.Errorf("the log lacks the panic and its place:\n%s", log)
			}
			if strings.Contains(log.String(), bearer) {
				t.Errorf("the log quotes the panic's value:\n%s", log)
			}
			armed = false
			if got := invoke(t, h, event(scope(t, "read:orders"))); got != ok {
				t.Errorf("after the panic: got %s", got)
			}
		})
	}
}

func TestInvokeWithEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h, log := newTestHandler(t, nil)
	response, err := h.Invoke(ctx, []byte(event(scope(t, "read:orders"))))
	if err != nil || string(response) != failure {
		t.Errorf("got %s, %v; want %s", response, err, failure)
	}
	if !strings.Contains(log.String(), "eval_cancel_error") {
		t.Errorf("the log lacks the cause:\n%s", log)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*Config, *Environment)
		want   string
	}{
		"a bad origin":        {func(_ *Config, e *Environment) { e.AllowedOrigin = "app.example.com" }, "ALLOWED_ORIGIN"},
		"no policy":           {func(c *Config, _ *Environment) { c.Policy = nil }, "expected a policy"},
		"no entrypoint":       {func(c *Config, _ *Environment) { c.Entrypoint = "" }, "expected an entrypoint"},
		"nothing to say":      {func(c *Config, _ *Environment) { c.Answer = nil }, "expected a function that answers"},
		"the token":           {func(c *Config, _ *Environment) { c.Headers = []string{"authorization"} }, "headers without Authorization"},
		"no name of a header": {func(c *Config, _ *Environment) { c.Headers = []string{"If-Match:"} }, `got "If-Match:"`},
	} {
		t.Run(name, func(t *testing.T) {
			c, e := configuration(io.Discard)
			row.change(&c, &e)
			handler, err := New(t.Context(), c, e)
			if err == nil || handler != nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("expected an error that says %s, got %v, %v", row.want, handler, err)
			}
		})
	}
}

// A policy that cannot be prepared is a 500 for everybody, and never anything else.
func TestBrokenPolicyIsAnswered500(t *testing.T) {
	for name, row := range map[string]struct {
		files fs.FS
		cause string
	}{
		"none at all":                   {fstest.MapFS{}, "at least one .rego file"},
		"one that does not compile":     {regoFile("package orders\n\ndecision := x\n"), "orders/orders.rego:3"},
		"one that reaches the network":  {regoFile("package orders\n\ndecision := http.send({})\n"), "undefined function http.send"},
		"one that lacks the entrypoint": {regoFile("package orders\n\nallow := true\n"), "orders/decision"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c, e := configuration(&log)
			c.Policy = row.files
			h, err := New(t.Context(), c, e)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(log.String(), row.cause) {
				t.Errorf("expected the log at the start to say %s, got:\n%s", row.cause, &log)
			}
			log.Reset()
			response, err := h.Invoke(t.Context(), []byte(event(scope(t, "read:orders"))))
			if err != nil || !bytes.Contains(response, []byte(`{"statusCode":500,`)) || !bytes.Contains(response, []byte(`Internal server error`)) {
				t.Errorf("expected 500, got %s, %v", response, err)
			}
			if !strings.Contains(log.String(), row.cause) {
				t.Errorf("expected the log of the request to say %s, got:\n%s", row.cause, &log)
			}
		})
	}
}

// The policy has the last word: nothing in Go second-guesses it.
func TestPolicyThatAllowsEverybodyIsObeyed(t *testing.T) {
	h, _ := newTestHandler(t, withPolicy("package orders\n\ndefault decision := {\"allow\": true, \"reasons\": set()}\n"))
	if response, err := h.Invoke(t.Context(), []byte(`{}`)); err != nil || !bytes.Contains(response, []byte(`{"statusCode":200,`)) {
		t.Errorf("expected 200, got %s, %v", response, err)
	}
}

func TestDenialWithoutAReasonIsStill403(t *testing.T) {
	h, _ := newTestHandler(t, withPolicy("package orders\n\ndefault decision := {\"allow\": false, \"reasons\": []}\n"))
	response, err := h.Invoke(t.Context(), []byte(`{}`))
	if err != nil || !bytes.Contains(response, []byte(`{\"message\":\"Error: Forbidden\",\"info\":\"denied by policy\"}`)) {
		t.Errorf("expected 403 with words of our own, got %s, %v", response, err)
	}
}

// A policy may read everything that the authorizer passes on.
func TestPolicySeesEveryClaimPassedOn(t *testing.T) {
	h, _ := newTestHandler(t, withPolicy(`package orders

decision := {"allow": false, "reasons": {concat("|", [input.principal, input.scope, input.permissions, input.azp])}}
`+byDefault))
	response, err := h.Invoke(t.Context(), []byte(event(`{"principalId":"p","scope":"s","permissions":"q r","azp":"c"}`)))
	if err != nil || !bytes.Contains(response, []byte("p|s|q r|c")) {
		t.Errorf("expected the policy to see all four, got %s, %v", response, err)
	}
}

func TestFaultOnEmptyInputIsLoggedAtStart(t *testing.T) {
	var log bytes.Buffer
	c, e := configuration(&log)
	withPolicy("package orders\n\ndecision := count(\"a\") if not input.scope\n"+byDefault)(&c, &e)
	_, err := New(t.Context(), c, e)
	if err != nil || !strings.Contains(log.String(), "about an empty input") {
		t.Errorf("got error %v and log %s", err, &log)
	}
}

func TestDecisionIDFallsBackToTheInvocation(t *testing.T) {
	h, log := newTestHandler(t, nil)
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	for _, payload := range []string{`{}`, `{"requestContext":{"requestId":7}}`, `not JSON`} {
		log.Reset()
		if _, err := h.Invoke(ctx, []byte(payload)); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), `"decision_id":"invocation-1"`) {
			t.Errorf("%s: the log lacks the invocation's ID:\n%s", payload, log)
		}
	}
}

// The local run sends an event with such a path when it tries out a handler that was saved.
func TestAPathThatCannotBeDecodedReachesNeitherThePolicyNorTheAnswer(t *testing.T) {
	open := "package orders\n\ndefault decision := {\"allow\": true, \"reasons\": set()}\n"
	for name, row := range map[string]struct{ rego, want string }{
		"a policy that allows everybody": {open, badPath},
		"a policy that does not compile": {"package orders\n\ndecision := x\n", failure},
	} {
		t.Run(name, func(t *testing.T) {
			h, log := newTestHandler(t, func(c *Config, _ *Environment) {
				c.Policy = regoFile(row.rego)
				c.Answer = func(context.Context, Request) (Reply, error) {
					t.Error("expected no answer to be asked for")
					return Reply{}, nil
				}
			})
			got, err := h.Invoke(t.Context(), []byte(`{"pathParameters":{"trial":"%"}}`))
			if err != nil || string(got) != row.want {
				t.Errorf("expected %s, got %s, %v", row.want, got, err)
			}
			if strings.Contains(log.String(), `"allow"`) {
				t.Errorf("expected no decision, got %s", log)
			}
		})
	}
}
