package decision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Decision is what a policy answered.
type Decision struct {
	Allow   bool     `json:"allow"`
	Reasons []string `json:"reasons"` // sorted; never nil
}

// Decide asks the policy about one request.
//
// The answer has to be exactly {"allow": boolean, "reasons": set or array of strings}.
// Everything else is an error: an undefined or conflicting entrypoint, a missing or an
// additional key, another type, a failing built-in function, and a ctx that ends first.
// The decision next to an error is the zero value, which denies. No error quotes the input.
func (p *Policy) Decide(ctx context.Context, input Input) (Decision, error) {
	value, err := p.evaluate(ctx, input)
	if err != nil {
		return Decision{}, fmt.Errorf("decide %s: %w", p.entrypoint, err)
	}
	decision, err := read(value)
	if err != nil {
		return Decision{}, fmt.Errorf("decide %s: %w", p.entrypoint, err)
	}
	return decision, nil
}

// answer is the query's variable for the value of the entrypoint.
const answer = ast.Var("answer")

// evaluate returns the value of the entrypoint. It calls OPA's evaluator as package rego of OPA
// does. That package would also link bundles, the compiler to WebAssembly and Protocol Buffers.
// They are a sixth of the executable, a cold start reads them, and no policy here uses them.
// https://pkg.go.dev/github.com/open-policy-agent/opa/v1/topdown
func (p *Policy) evaluate(ctx context.Context, input Input, more ...func(*topdown.Query)) (ast.Value, error) {
	document, err := input.value()
	if err != nil {
		return nil, err
	}
	transaction, err := p.store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer p.store.Abort(ctx, transaction)
	query := topdown.NewQuery(p.query).
		WithCompiler(p.compiler).
		WithStore(p.store).
		WithTransaction(transaction).
		WithInput(ast.NewTerm(document)).
		WithCancel(canceller{ctx}).
		WithMetrics(metrics.NoOp()).
		WithStrictBuiltinErrors(true)
	for _, set := range more {
		set(query)
	}
	results, err := query.Run(ctx)
	switch {
	case err != nil:
		return nil, withoutValues(err)
	case len(results) != 1:
		return nil, fmt.Errorf("expected one decision, got %d; none means that it is undefined for this input", len(results))
	}
	return results[0][answer].Value, nil
}

// The keys of an answer.
var (
	allowKey   = ast.StringTerm("allow")
	reasonsKey = ast.StringTerm("reasons")
)

// canceller ends an evaluation when the request's context ends. OPA polls it. OPA's own
// starts a goroutine, which may not run before a short evaluation has ended.
type canceller struct{ context.Context }

// Cancel does nothing: only the owner of the context ends it.
func (canceller) Cancel() {}

// Cancelled reports whether the evaluation has to stop.
func (c canceller) Cancelled() bool { return c.Err() != nil }

// withoutValues reduces an evaluation error to its code and place. The message of a
// built-in function may quote its arguments, which are claims of a token.
func withoutValues(err error) error {
	var evaluation *topdown.Error
	if !errors.As(err, &evaluation) {
		return fmt.Errorf("evaluation failed with a %T", err)
	}
	if evaluation.Location == nil {
		return errors.New(evaluation.Code)
	}
	return fmt.Errorf("%s at %s:%d", evaluation.Code, evaluation.Location.File, evaluation.Location.Row)
}

// read turns the policy's answer into a decision. It accepts the exact form only.
func read(value ast.Value) (Decision, error) {
	object, ok := value.(ast.Object)
	if !ok {
		return Decision{}, fmt.Errorf("expected an object with allow and reasons, got %s", ast.ValueName(value))
	}
	allow, reasons := object.Get(allowKey), object.Get(reasonsKey)
	if allow == nil || reasons == nil || object.Len() != 2 {
		return Decision{}, fmt.Errorf("expected exactly the keys allow and reasons, got %d keys: has allow %t, has reasons %t",
			object.Len(), allow != nil, reasons != nil)
	}
	allowed, ok := allow.Value.(ast.Boolean)
	if !ok {
		return Decision{}, fmt.Errorf("expected allow to be a boolean, got %s", ast.ValueName(allow.Value))
	}
	// Rego has sets and arrays, JSON has arrays only. A policy may use either.
	collection, ok := reasons.Value.(interface {
		Len() int
		Foreach(func(*ast.Term))
	})
	if _, isObject := reasons.Value.(ast.Object); !ok || isObject {
		return Decision{}, fmt.Errorf("expected reasons to be a set or an array, got %s", ast.ValueName(reasons.Value))
	}
	sentences := make([]string, 0, collection.Len())
	var wrong ast.Value
	collection.Foreach(func(reason *ast.Term) {
		if sentence, ok := reason.Value.(ast.String); ok {
			sentences = append(sentences, string(sentence))
		} else {
			wrong = reason.Value
		}
	})
	if wrong != nil {
		return Decision{}, fmt.Errorf("expected every reason to be a string, got %s", ast.ValueName(wrong))
	}
	slices.Sort(sentences)
	return Decision{Allow: bool(allowed), Reasons: sentences}, nil
}
