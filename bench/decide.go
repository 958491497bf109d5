package main

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/internal/decision"
	"account-api/policies"
)

const (
	entrypoint  = "profile/decision"
	grantedNow  = "get:profile update:profile" // what the measured caller may do
	principal   = "reader@clients"
	engineFloor = "engine floor"
)

// decisions measures P5: may a caller with two scopes read a profile?
func (b *bench) decisions() error {
	b.say("policy decisions")
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour) // as Lambda: with a deadline
	defer cancel()
	ours, err := ourDecision(ctx)
	if err != nil {
		return err
	}
	floor, err := floorDecision(ctx)
	if err != nil {
		return err
	}
	peers := []struct {
		name string
		bar  float64 // of ours in terms of the peer
		make func(context.Context) (func() error, error)
	}{
		{"casbin", 2, casbinDecision},
		{"cedar-go", 3.5, cedarDecision},
		{"rego, prepared, input as a map", 0, mapDecision},
		{"rego.New for each decision", 0, unpreparedDecision},
		{"hard-coded in Go", 0, hardCodedDecision},
	}
	variants := []paired.Variant{paired.CPU(engineFloor, floor), paired.CPU("ours", ours)}
	works := map[string]func() error{}
	for _, peer := range peers {
		work, err := peer.make(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", peer.name, err)
		}
		works[peer.name] = work
		variants = append(variants, paired.CPU(peer.name, work))
	}
	samples, err := paired.Run(b.rounds(60), variants...)
	if err != nil {
		return err
	}
	b.add(report.Row{Figure: "P5", Name: "policy decision", Unit: "× " + engineFloor, Estimate: samples.Ratio("ours", engineFloor), Bar: 1.7})
	for _, peer := range peers {
		b.add(report.Row{Figure: "P5", Name: peer.name, Unit: "× " + engineFloor, Estimate: samples.Ratio(peer.name, engineFloor)})
	}
	for _, peer := range peers {
		if peer.bar > 0 {
			b.add(report.Row{Figure: "P5", Name: "policy decision against " + peer.name, Unit: "×", Estimate: samples.Ratio("ours", peer.name), Bar: peer.bar})
		}
	}
	if err := b.addAllocations("P5", "policy decision, allocations", 60, 0, ours); err != nil {
		return err
	}
	if err := b.addAllocations("P5", engineFloor, 0, 0, floor); err != nil {
		return err
	}
	for _, peer := range peers[:3] {
		if err := b.addAllocations("P5", peer.name, 0, 0, works[peer.name]); err != nil {
			return err
		}
	}
	return b.profile("decide", ours)
}

func ourDecision(ctx context.Context) (func() error, error) {
	policy, err := decision.Prepare(ctx, policies.For("profile"), entrypoint)
	return func() error {
		decided, err := policy.Decide(ctx, decision.Input{Principal: principal, Scope: grantedNow})
		return allowed(decided.Allow, err)
	}, err
}

func allowed(allow bool, err error) error {
	if err == nil && !allow {
		return fmt.Errorf("expected the caller to be allowed, got denied")
	}
	return err
}

// floorDecision is the cheapest evaluation that package rego offers, of the smallest
// policy: what no policy can be faster than without wiring the engine itself.
func floorDecision(ctx context.Context) (func() error, error) {
	query, err := rego.New(
		rego.Query("data.floor.allow"),
		rego.Module("floor.rego", "package floor\n\nallow := true\n"),
	).PrepareForEval(ctx)
	input, cancel := ast.NewObject(), topdown.NewCancel()
	raw := func(term *ast.Term, _ *rego.EvalContext) (any, error) { return term, nil }
	return func() error {
		_, err := query.Eval(ctx, rego.EvalParsedInput(input), rego.EvalMetrics(metrics.NoOp()),
			rego.EvalExternalCancel(cancel), rego.EvalGenerateJSON(raw))
		return err
	}, err
}

// regoOptions are our policy for package rego.
func regoOptions() ([]func(*rego.Rego), error) {
	source, err := fs.ReadFile(policies.For("profile"), "profile/profile.rego")
	return []func(*rego.Rego){
		rego.Query("data." + strings.ReplaceAll(entrypoint, "/", ".")),
		rego.Module("profile.rego", string(source)),
	}, err
}

// mapDecision asks the same policy in the way of OPA's own examples.
func mapDecision(ctx context.Context) (func() error, error) {
	options, err := regoOptions()
	if err != nil {
		return nil, err
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	return func() error {
		results, err := query.Eval(ctx, rego.EvalInput(map[string]any{"principal": principal, "scope": grantedNow}))
		return allowed(granted(results), err)
	}, err
}

// unpreparedDecision parses and compiles the policy every time.
func unpreparedDecision(ctx context.Context) (func() error, error) {
	options, err := regoOptions()
	return func() error {
		input := rego.Input(map[string]any{"principal": principal, "scope": grantedNow})
		results, err := rego.New(append(slices.Clone(options), input)...).Eval(ctx)
		return allowed(granted(results), err)
	}, err
}

func granted(results rego.ResultSet) bool {
	if len(results) != 1 {
		return false
	}
	decided, _ := results[0].Expressions[0].Value.(map[string]any)
	return decided["allow"] == true
}

// casbinDecision is an access control list with a line for each scope. The caller's
// scopes are tried in turn; the first one is the one that it takes.
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
	_, err = enforcer.AddPolicy("get:profile", "/profile", "GET")
	return func() error {
		for scope := range strings.SplitSeq(grantedNow, " ") {
			if allow, err := enforcer.Enforce(scope, "/profile", "GET"); allow || err != nil {
				return err
			}
		}
		return allowed(false, nil)
	}, err
}

func cedarDecision(context.Context) (func() error, error) {
	set, err := cedar.NewPolicySetFromBytes("profile.cedar", []byte(
		`permit (principal, action == Action::"get", resource == Resource::"profile") when { context.scope.contains("get:profile") };`))
	return func() error {
		scopes := make([]types.Value, 0, 2)
		for scope := range strings.SplitSeq(grantedNow, " ") {
			scopes = append(scopes, types.String(scope))
		}
		decided, _ := cedar.Authorize(set, types.EntityMap{}, cedar.Request{
			Principal: types.NewEntityUID("User", principal),
			Action:    types.NewEntityUID("Action", "get"),
			Resource:  types.NewEntityUID("Resource", "profile"),
			Context:   types.NewRecord(types.RecordMap{"scope": types.NewSet(scopes...)}),
		})
		return allowed(bool(decided), nil)
	}, err
}

func hardCodedDecision(context.Context) (func() error, error) {
	return func() error {
		return allowed(slices.Contains(strings.Split(grantedNow, " "), "get:profile"), nil)
	}, nil
}
