package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/rego"

	"account-api/internal/decision"
	"account-api/internal/endpoint/endpointtest"
)

// clock returns a now that is at a fixed time first, and a second later at every call.
func clock() func() time.Time {
	at := time.Date(2026, time.November, 22, 10, 0, 0, 0, time.FixedZone("CET", 3600))
	return func() time.Time {
		at = at.Add(time.Second)
		return at
	}
}

func TestDecisionLogLine(t *testing.T) {
	h, log := newTestHandler(t, func(c *Config, e *Environment) {
		e.Now = clock()
		e.Labels = []slog.Attr{slog.String("system", "orders-api"), slog.String("version", "$LATEST")}
	})
	invoke(t, h, event(scope(t, "write:orders")))

	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	written, err := time.Parse(time.RFC3339Nano, fmt.Sprint(line["timestamp"]))
	if err != nil || written.Location() != time.UTC {
		t.Errorf("timestamp is %v, want RFC 3339 in UTC", line["timestamp"])
	}
	delete(line, "timestamp")
	want := map[string]any{
		"level":       "INFO",
		"msg":         "Decision Log",
		"type":        "openpolicyagent.org/decision_logs",
		"decision_id": eventID,
		"path":        "orders/decision",
		"input": map[string]any{
			"method": "GET", "path": []any{"orders"}, "resource": "/orders", "time": 1718635961000000000.0, "scope": "write:orders",
		},
		"erased":     []any{"/input/principal"},
		"result":     map[string]any{"allow": false, "reasons": []any{`scope "read:orders" is required`}},
		"replayable": true,
		"revision":   h.policy.Revision(),
		"metrics":    map[string]any{"timer_rego_query_eval_ns": float64(time.Second)},
		"labels":     map[string]any{"system": "orders-api", "version": "$LATEST"},
	}
	if !reflect.DeepEqual(line, want) {
		t.Errorf("got  %v\nwant %v", line, want)
	}
}

func TestDecisionLogSaysWhatItErased(t *testing.T) {
	const request = `"method":"GET","path":["orders"],"resource":"/orders","time":1718635961000000000`
	for _, row := range []struct{ name, authorizer, input, erased string }{
		{"nothing to erase", `{"scope":"read:orders"}`, request + `,"scope":"read:orders"`, ``},
		{"the principal", `{"principalId":"p","scope":"read:orders"}`, request + `,"scope":"read:orders"`, `"/input/principal"`},
		{"the claims", `{"claims":"{\"email\":\"a@b.c\"}"}`, request, `"/input/claims"`},
		{"the client stays: it is an application", `{"azp":"c","scope":"read:orders"}`, request + `,"scope":"read:orders","azp":"c"`, ``},
		{"permissions stay", `{"permissions":"a b"}`, request + `,"permissions":"a b"`, ``},
		{"the issuer stays", `{"issuer":"https://issuer.example/"}`, request + `,"issuer":"https://issuer.example/"`, ``},
		{"a scope at the bound", scope(t, strings.Repeat("s", maxLogged)), request + `,"scope":"` + strings.Repeat("s", maxLogged) + `"`, `"/input/principal"`},
		{"a scope beyond the bound", scope(t, strings.Repeat("s", maxLogged+1)), request, `"/input/principal","/input/scope"`},
		{"no caller at all", `null`, request, ``},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, nil)
			invoke(t, h, event(row.authorizer))
			if want := `"input":{` + row.input + `},"erased":[` + row.erased + `],`; !strings.Contains(log.String(), want) {
				t.Errorf("got %s\nwant %s", log, want)
			}
		})
	}
}

// personal is an event whose path, query and claims name a person.
func personal() string {
	return strings.NewReplacer(
		`"resource":"/orders"`, `"resource":"/accounts/{account}/orders/{order+}"`,
		`"pathParameters":null`, `"pathParameters":{"account":"auth0%7Cfred","order":"20/7%2F8"}`,
		`"multiValueQueryStringParameters":null`, `"multiValueQueryStringParameters":{"mail":["fred@example.com"],"page":["2"]}`,
	).Replace(event(`{"principalId":"auth0|fred","scope":"write:orders","azp":"web","claims":"{\"org\":{\"ids\":[\"acme-7\",471147114711]}}"}`))
}

func TestDecisionLogMasksReasons(t *testing.T) {
	for _, row := range []struct{ name, reason, logged string }{
		{"without a secret", `"scope \"read:orders\" is required"`, `scope \"read:orders\" is required`},
		{"the principal", `sprintf("%s may not", [input.principal])`, `*** may not`},
		{"the principal inside a word", `concat("", ["user", input.principal, "x"])`, `user***x`},
		{"a parameter", `concat(" ", ["no account", input.parameters.account])`, `no account ***`},
		{"a part of the path", `concat(" ", ["no order", input.path[4]])`, `no order ***`},
		{"a short part of the path", `concat(" ", ["no 201 order", input.path[3]])`, `no 201 order ***`},
		{"a query's value", `concat(" ", ["letters to", input.query.mail[0]])`, `letters to ***`},
		{"a short value that stands nowhere alone", `"at most 20000"`, `at most 20000`},
		{"a claim", `sprintf("%s %d", [input.claims.org.ids[0], input.claims.org.ids[1]])`, `*** ***`},
		{"the client, which is an application", `concat(" ", ["not from", input.azp])`, `not from web`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, withPolicy("package orders\n\ndecision := {\"allow\": false, \"reasons\": {"+row.reason+"}}\n"+byDefault))
			invoke(t, h, personal())
			if !strings.Contains(log.String(), `"reasons":["`+row.logged+`"]`) {
				t.Errorf("got %s\nwant the reason %s", log, row.logged)
			}
			if masked := strings.Contains(log.String(), `"masked":["/result/reasons/0"]`); masked != strings.Contains(row.logged, "***") {
				t.Errorf("masked: got %t in %s", masked, log)
			}
			for _, secret := range []string{"fred", "acme", "471147114711"} {
				if strings.Contains(log.String(), secret) {
					t.Errorf("the log holds %s: %s", secret, log)
				}
			}
		})
	}
}

// A policy that reads an erased field decides otherwise without it.
func TestDecisionLogSaysWhetherALineCanBeReplayed(t *testing.T) {
	for _, row := range []struct {
		name, condition string
		personal        bool
		want            bool
	}{
		{"a scope", `input.scope == "read:orders"`, true, true},
		{"the client", `input.azp == "web"`, true, true},
		{"method and resource", "input.method == \"GET\"\n\tinput.resource == \"/orders\"", true, true},
		{"the principal", `input.principal == "fred"`, true, false},
		{"the principal, in a helper", `data.orders.own(input.principal)`, true, false},
		{"a claim", `input.claims.org`, true, false},
		{"the path", `input.path[1] == "fred"`, true, false},
		{"the whole input", "caller := input\n\tcaller.scope", true, false},
		{"a field that no constant names", "some name in [\"scope\"]\n\tinput[name]", true, false},
		{"object.get", `object.get(input, "scope", "")`, true, false},
		{"the path, if it is the declared one", `input.path[0] == "orders"`, false, true},
		{"the principal, if there is none", `not input.principal`, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, log := newTestHandler(t, withPolicy("package orders\n\nown(x) if x == \"fred\"\n\ndecision := {\"allow\": true, \"reasons\": set()} if {\n\t"+row.condition+"\n}\n"+byDefault))
			payload := event(`{"scope":"read:orders"}`)
			if row.personal {
				payload = personal()
			}
			invoke(t, h, payload)
			if want := fmt.Sprintf(`"replayable":%t`, row.want); !strings.Contains(log.String(), want) {
				t.Errorf("got %s\nwant %s", log, want)
			}
		})
	}
}

// A line's input, given to a stock OPA, ends in the line's result.
func TestDecisionLogCanBeReplayed(t *testing.T) {
	h, log := newTestHandler(t, nil)
	for _, claims := range []string{"read:orders", "read:orders write:orders", "write:orders", "", "tab\there \"quoted\" <é>"} {
		log.Reset()
		invoke(t, h, event(scope(t, claims)))
		var line struct {
			Path   string
			Input  any
			Result any
		}
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		results, err := rego.New(
			rego.Query("data."+strings.ReplaceAll(line.Path, "/", ".")),
			rego.Module("orders.rego", orders),
			rego.Input(line.Input),
		).Eval(t.Context())
		if err != nil || len(results) != 1 {
			t.Fatalf("scope %q: got %v, %v", claims, results, err)
		}
		if got := results[0].Expressions[0].Value; !reflect.DeepEqual(got, line.Result) {
			t.Errorf("scope %q: replay ends in %v, the log says %v", claims, got, line.Result)
		}
	}
}

// A claim stands in an explanation, so there is none unless it is asked for.
func TestDecisionLogExplainsDenialsIfAsked(t *testing.T) {
	const explanation = `"explanation":["policies/orders/orders.rego:5: \"read:orders\" in split(input.scope, \" \") (input.scope is \"write:orders\")"`
	for _, row := range []struct {
		name, scope string
		asked, want bool
	}{
		{"a denial", "write:orders", true, true},
		{"a denial, not asked for", "write:orders", false, false},
		{"what is allowed", "read:orders", true, false},
	} {
		h, log := newTestHandler(t, func(_ *Config, e *Environment) { e.ExplainDenials = row.asked })
		invoke(t, h, event(scope(t, row.scope)))
		if got := strings.Contains(log.String(), explanation); got != row.want || strings.Contains(log.String(), `"explanation"`) != row.want {
			t.Errorf("%s: explained %t, want %t: %s", row.name, got, row.want, log)
		}
	}
}

// The messages of errors are in the log of a developer's machine only.
func TestMessagesAreRevealedOnRequest(t *testing.T) {
	secret := errors.New("no account of " + subject)
	for name, row := range map[string]struct {
		answer func(context.Context, Request) (Reply, error)
		want   string
	}{
		"an error":               {func(context.Context, Request) (Reply, error) { return Reply{}, secret }, `"message":"no account of ` + subject + `"`},
		"a panic":                {func(context.Context, Request) (Reply, error) { panic(secret) }, `"message":"no account of ` + subject + `"`},
		"a body that is no JSON": {func(context.Context, Request) (Reply, error) { return Reply{Body: []byte(subject)}, nil }, `they begin \"` + subject},
	} {
		t.Run(name, func(t *testing.T) {
			for _, reveal := range []bool{true, false} {
				h, log := newTestHandler(t, func(c *Config, e *Environment) { c.Answer, e.RevealErrors = row.answer, reveal })
				if got := invoke(t, h, event(scope(t, "read:orders"))); got != failure {
					t.Errorf("got %s\nwant %s", got, failure)
				}
				if got := strings.Contains(log.String(), row.want); got != reveal {
					t.Errorf("revealing %t, got the log\n%s\nwant in it %s", reveal, log, row.want)
				}
				if got := strings.Contains(log.String(), subject); got != reveal {
					t.Errorf("revealing %t, got the log\n%s", reveal, log)
				}
			}
		})
	}
}

// The developer who runs the function on their own machine sees what the policy saw.
func TestDecisionLogIsWholeIfAsked(t *testing.T) {
	caller := decision.Input{Scope: "read:orders", Principal: "fred@clients", Claims: decision.Claims(`{"tenant":"acme"}`)}
	for _, asked := range []bool{true, false} {
		h, log := newTestHandler(t, func(_ *Config, e *Environment) { e.ExplainDenials = asked })
		invoke(t, h, event(endpointtest.Caller(t, caller)))
		for _, text := range []string{"fred@clients", "acme", `"erased":[]`} {
			if strings.Contains(log.String(), text) != asked {
				t.Errorf("asked %t: expected %s in the line only if asked, got %s", asked, text, log)
			}
		}
	}
}
