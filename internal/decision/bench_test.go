package decision_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/topdown"

	"account-api/internal/decision"
)

// BenchmarkDecide measures a policy of the usual form. Compare it with BenchmarkEngineFloor
// of the same run: absolute times depend on the machine.
func BenchmarkDecide(b *testing.B) {
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour) // as Lambda: a deadline to watch
	defer cancel()
	policy, err := decision.Prepare(ctx, source(orders), "gate/decision")
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range []struct{ name, scope string }{
		{"allow", "read:orders write:orders"},
		{"deny", "write:orders"},
		{"allow among 10000 scopes", strings.Repeat("some:other ", 10_000) + "read:orders"},
	} {
		b.Run(row.name, func(b *testing.B) {
			input := decision.Input{Principal: "reader@clients", Scope: row.scope}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := policy.Decide(ctx, input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEngineFloor is the cheapest evaluation that the public rego package offers
// of the smallest policy: what no policy can be faster than, short of own wiring.
func BenchmarkEngineFloor(b *testing.B) {
	query, err := rego.New(
		rego.Query("data.floor.allow"),
		rego.Module("floor.rego", "package floor\n\nallow := true\n"),
	).PrepareForEval(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	input := ast.NewObject()
	cancel := topdown.NewCancel()
	raw := func(term *ast.Term, _ *rego.EvalContext) (any, error) { return term, nil }
	b.ReportAllocs()
	for b.Loop() {
		_, err := query.Eval(b.Context(),
			rego.EvalParsedInput(input),
			rego.EvalMetrics(metrics.NoOp()),
			rego.EvalExternalCancel(cancel),
			rego.EvalGenerateJSON(raw),
		)
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRules measures what every cold start pays, and a decision, for policies of several
// sizes. OPA's index finds the few rules that can apply.
func BenchmarkRules(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		var rego strings.Builder
		rego.WriteString(orders)
		for i := range n - 1 {
			fmt.Fprintf(&rego, "\nallow if input.azp == \"client-%d\"\n", i)
		}
		b.Run(fmt.Sprintf("prepare %d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := decision.Prepare(b.Context(), source(rego.String()), "gate/decision"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decide %d", n), func(b *testing.B) {
			policy, err := decision.Prepare(b.Context(), source(rego.String()), "gate/decision")
			if err != nil {
				b.Fatal(err)
			}
			input := decision.Input{Scope: "write:orders", AuthorizedParty: "web"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := policy.Decide(b.Context(), input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
