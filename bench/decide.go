package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing/fstest"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/internal/decision"
	"account-api/internal/endpoint"
	"account-api/internal/endpoint/endpointtest"
)

// All engines decide the same: may this caller read orders, for which one scope is needed?
const (
	scopeNeeded = "read:orders"
	principal   = "reader@clients"
	scope       = "write:orders read:orders"
	entrypoint  = "orders/decision"
)

// policy is a policy of the usual form. Each rule is the body of an allow rule.
func policy(rules ...string) fstest.MapFS {
	var source strings.Builder
	source.WriteString("package orders\n\ndefault allow := false\n\n")
	for _, rule := range rules {
		fmt.Fprintf(&source, "allow if %s\n\n", rule)
	}
	source.WriteString("default decision := {\"allow\": false, \"reasons\": {\"denied\"}}\n\n" +
		"decision := {\"allow\": true, \"reasons\": set()} if allow == true\n")
	return fstest.MapFS{"orders/orders.rego": {Data: []byte(source.String())}}
}

func needs(scope string) string { return fmt.Sprintf("%q in split(input.scope, \" \")", scope) }

// allowed is an error unless a decision allows.
func allowed(allow bool, err error) error {
	if err == nil && !allow {
		return errors.New("expected the caller to be allowed, got denied")
	}
	return err
}

// decisions measures P5.
func (b *bench) decisions() error {
	ctx, cancel := context.WithTimeout(b.ctx, time.Hour) // as Lambda: with a deadline
	defer cancel()
	work := map[string]func() error{}
	for name, prepare := range map[string]func(context.Context) (func() error, error){
		"ours": ourDecision, "stock": stockDecision, "casbin": casbinDecision, "cedar": cedarDecision,
	} {
		var err error
		if work[name], err = prepare(ctx); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err := b.compare("P5", 60, paired.CPU("stock rego.PreparedEvalQuery", work["stock"]),
		candidate{Variant: paired.CPU("policy decision", work["ours"]), bar: 1.15},
		candidate{Variant: paired.CPU("casbin", work["casbin"])},
		candidate{Variant: paired.CPU("cedar-go", work["cedar"])})
	return err
}

func ourDecision(ctx context.Context) (func() error, error) {
	prepared, err := decision.Prepare(ctx, policy(needs(scopeNeeded)), entrypoint)
	return func() error {
		decided, err := prepared.Decide(ctx, decision.Input{Principal: principal, Scope: scope})
		return allowed(decided.Allow, err)
	}, err
}

// stockDecision evaluates the same policy as OPA's documentation shows, with an input that
// is parsed already.
// https://www.openpolicyagent.org/docs/integration#integrating-with-the-go-api
func stockDecision(ctx context.Context) (func() error, error) {
	query, err := rego.New(
		rego.Query("data."+strings.ReplaceAll(entrypoint, "/", ".")),
		rego.Module("orders.rego", string(policy(needs(scopeNeeded))["orders/orders.rego"].Data)),
	).PrepareForEval(ctx)
	input := ast.NewObject(
		ast.Item(ast.StringTerm("principal"), ast.StringTerm(principal)),
		ast.Item(ast.StringTerm("scope"), ast.StringTerm(scope)))
	return func() error {
		results, err := query.Eval(ctx, rego.EvalParsedInput(input))
		if err != nil {
			return err
		}
		decided, _ := results[0].Expressions[0].Value.(map[string]any)
		return allowed(decided["allow"] == true, nil)
	}, err
}

// casbinDecision is an access control list with a line for each scope. The caller's scopes
// are tried in turn.
func casbinDecision(context.Context) (func() error, error) {
	m, err := model.NewModelFromString(`
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
`)
	if err != nil {
		return nil, err
	}
	enforcer, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, err
	}
	_, err = enforcer.AddPolicy(scopeNeeded, "/orders", "GET")
	return func() error {
		for scope := range strings.SplitSeq(scope, " ") {
			if allow, err := enforcer.Enforce(scope, "/orders", "GET"); allow || err != nil {
				return err
			}
		}
		return allowed(false, nil)
	}, err
}

func cedarDecision(context.Context) (func() error, error) {
	set, err := cedar.NewPolicySetFromBytes("orders.cedar", []byte(
		`permit (principal, action == Action::"read", resource == Resource::"orders") when { context.scope.contains("`+scopeNeeded+`") };`))
	return func() error {
		scopes := make([]types.Value, 0, 2)
		for scope := range strings.SplitSeq(scope, " ") {
			scopes = append(scopes, types.String(scope))
		}
		decided, _ := cedar.Authorize(set, types.EntityMap{}, cedar.Request{
			Principal: types.NewEntityUID("User", principal),
			Action:    types.NewEntityUID("Action", "read"),
			Resource:  types.NewEntityUID("Resource", "orders"),
			Context:   types.NewRecord(types.RecordMap{"scope": types.NewSet(scopes...)}),
		})
		return allowed(bool(decided), nil)
	}, err
}

// endpointHandler measures P5b. A hard-coded check takes a tenth of a microsecond, so the handler
// without its decision stands for the same one with such a check.
func (b *bench) endpointHandler() error {
	const (
		answer = `{"orders":[]}`
		whole  = "endpoint handler"
		part   = "of which the decision"
		lean   = "a handler of the standard library with a hard-coded check"
	)
	input := decision.Input{Method: "GET", Path: []string{"orders"}, Resource: "/orders", Time: time.Now().UnixNano(), Principal: principal, Scope: scope}
	event := []byte(endpointtest.Event(fmt.Sprintf(`{"principalId":%q,"scope":%q,"integrationLatency":12}`, principal, scope)))
	source := policy(needs(scopeNeeded))
	handler, err := endpoint.New(b.ctx, endpoint.Config{
		Policy: source, Entrypoint: entrypoint,
		Answer: func(context.Context, endpoint.Request) (endpoint.Reply, error) {
			return endpoint.Reply{Body: []byte(answer)}, nil
		},
	}, endpoint.Environment{Log: io.Discard, Now: time.Now})
	if err != nil {
		return err
	}
	prepared, err := decision.Prepare(b.ctx, source, entrypoint)
	if err != nil {
		return err
	}
	invoke := func(handler func(context.Context, []byte) ([]byte, error)) func() error {
		return func() error {
			response, err := handler(b.ctx, event)
			if err == nil && !strings.HasPrefix(string(response), `{"statusCode":200,`) {
				return fmt.Errorf("expected status 200, got %s", response)
			}
			return err
		}
	}
	samples, err := paired.Run(b.rounds(60), paired.CPU(whole, invoke(handler.Invoke)), paired.CPU(lean, invoke(hardCoded(answer))),
		paired.CPU(part, func() error {
			limited, cancel := context.WithTimeout(b.ctx, time.Second) // as the handler
			defer cancel()
			decided, err := prepared.Decide(limited, input)
			return allowed(decided.Allow, err)
		}))
	if err != nil {
		return err
	}
	b.report.Add("P5b",
		report.Row{Name: whole, Unit: "× the same with a hard-coded check", Estimate: samples.Without(whole, part), Bar: 2, Least: 1},
		report.Row{Name: whole, Unit: "× " + lean, Estimate: samples.Ratio(whole, lean)},
		report.Row{Name: whole, Unit: "µs CPU here", Estimate: samples.Cost(whole).Times(1e-3)},
		report.Row{Name: part, Unit: "µs CPU here", Estimate: samples.Cost(part).Times(1e-3)})
	return nil
}

// hardCoded is the handler that one would write without a policy: it decodes the event,
// looks for the scope, logs and answers, with the standard library.
func hardCoded(answer string) func(context.Context, []byte) ([]byte, error) {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	type response struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	headers := map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store"}
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		var event struct {
			RequestContext struct {
				RequestID  string `json:"requestId"`
				Authorizer struct {
					Scope string `json:"scope"`
				} `json:"authorizer"`
			} `json:"requestContext"`
		}
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		granted := event.RequestContext.Authorizer.Scope
		allow := slices.Contains(strings.Split(granted, " "), scopeNeeded)
		log.InfoContext(ctx, "decision", "request_id", event.RequestContext.RequestID, "scope", granted, "allow", allow)
		if !allow {
			return json.Marshal(response{403, headers, `{"message":"Forbidden"}`})
		}
		return json.Marshal(response{200, headers, answer})
	}
}

// policySizes measures P16 for three ways to write a policy. OPA indexes rules that compare
// the input with constants. It tries every rule that looks for a constant in a list.
// https://www.openpolicyagent.org/docs/policy-performance#use-indexed-statements
func (b *bench) policySizes() error {
	each := func(rule func(i int) string) func(size int) []string {
		return func(size int) (rules []string) {
			for i := range size {
				rules = append(rules, rule(i))
			}
			return rules
		}
	}
	quoted := each(func(i int) string { return fmt.Sprintf("%q", fmt.Sprintf("scope-%d", i)) })
	for _, kind := range []struct {
		name  string
		rules func(size int) []string
	}{
		{"a rule for each client", each(func(i int) string { return fmt.Sprintf(`input.azp == "client-%d"`, i) })},
		{"a rule for each scope", each(func(i int) string { return needs(fmt.Sprintf("scope-%d", i)) })},
		{"one rule with a set of scopes", func(size int) []string {
			return []string{fmt.Sprintf(`{ some scope in split(input.scope, " "); scope in {%s} }`, strings.Join(quoted(size), ", "))}
		}},
	} {
		var prepare, decide []paired.Variant
		for _, size := range []int{1, 100, 1000} {
			source := policy(kind.rules(size)...)
			prepared, err := decision.Prepare(b.ctx, source, entrypoint)
			if err != nil {
				return err
			}
			// The caller of the last rule: the worst case where each is tried.
			last := fmt.Sprint(size - 1)
			input := decision.Input{AuthorizedParty: "client-" + last, Scope: "scope-" + last}
			prepare = append(prepare, paired.CPU(fmt.Sprintf("prepare %d: %s", size, kind.name), func() error {
				_, err := decision.Prepare(b.ctx, source, entrypoint)
				return err
			}))
			decide = append(decide, paired.CPU(fmt.Sprintf("decide by %d: %s", size, kind.name), func() error {
				decided, err := prepared.Decide(b.ctx, input)
				return allowed(decided.Allow, err)
			}))
		}
		for _, phase := range []struct {
			variants []paired.Variant
			unit     string
			factor   float64 // from nanoseconds
		}{{prepare, "ms CPU here", 1e-6}, {decide, "µs CPU here", 1e-3}} {
			samples, err := paired.Run(b.rounds(20), phase.variants...)
			if err != nil {
				return err
			}
			for _, v := range phase.variants {
				b.report.Add("P16", report.Row{Name: v.Name, Unit: phase.unit, Estimate: samples.Cost(v.Name).Times(phase.factor)})
			}
		}
	}
	return nil
}
