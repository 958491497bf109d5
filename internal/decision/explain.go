package decision

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// mostFailures and longestValue keep an explanation readable, and a log line short.
const (
	mostFailures = 12
	longestValue = 80
)

// Explain evaluates the policy again and lists the expressions that failed, in the order of
// the evaluation, each with its place and the values that it saw:
//
//	policies/orders/orders.rego:7: "read:orders" in split(input.scope, " ") (input.scope is "write:orders")
//
// It is for the author of a policy, as opa eval --explain=fails is. The values are claims: an
// explanation belongs into no log of a deployed function. It takes longer than a decision.
func (p *Policy) Explain(ctx context.Context, input Input) ([]string, error) {
	document, err := input.value()
	if err != nil {
		return nil, err
	}
	failures := &failures{input: ast.NewTerm(document)}
	// An index leaves rules out that cannot apply. Their expressions would not be listed.
	_, err = p.evaluate(ctx, input, func(query *topdown.Query) {
		query.WithQueryTracer(failures).WithIndexing(false)
	})
	return failures.lines, err
}

// failures collects the expressions that failed. It is a [topdown.QueryTracer].
type failures struct {
	input *ast.Term
	lines []string
}

func (f *failures) Enabled() bool { return len(f.lines) < mostFailures }

func (f *failures) Config() topdown.TraceConfig { return topdown.TraceConfig{PlugLocalVars: true} }

func (f *failures) TraceEvent(event topdown.Event) {
	if event.Op != topdown.FailOp || event.Location == nil || event.Location.File == "" || !f.Enabled() {
		return
	}
	line := fmt.Sprintf("%s:%d: %s", event.Location.File, event.Location.Row, strings.Join(strings.Fields(string(event.Location.Text)), " "))
	if values := f.values(event); len(values) > 0 {
		line += " (" + strings.Join(values, ", ") + ")"
	}
	if !slices.Contains(f.lines, line) {
		f.lines = append(f.lines, line)
	}
}

// values are those of the variables and of the input's fields in the source of an expression.
// The expression itself is what the compiler has made of a part of it.
func (f *failures) values(event topdown.Event) (values []string) {
	body, err := ast.ParseBodyWithOpts(string(event.Location.Text), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil // a part of a comprehension, for example
	}
	add := func(name, value string) {
		if len(value) > longestValue {
			value = strings.ToValidUTF8(value[:longestValue], "") + "…"
		}
		if text := name + " is " + value; !slices.Contains(values, text) {
			values = append(values, text)
		}
	}
	visitor := ast.NewGenericVisitor(func(node any) (stop bool) {
		switch node := node.(type) {
		case ast.Ref:
			if node.HasPrefix(ast.InputRootRef) && len(node) > 1 {
				field := node.ConstantPrefix()
				value, err := f.input.Value.Find(field[1:])
				if err != nil {
					add(field.String(), "undefined")
				} else {
					add(field.String(), value.String())
				}
			}
		case ast.Var:
			if value := local(event, node); value != nil {
				add(node.String(), value.String())
			}
		}
		return false
	})
	visitor.Walk(body)
	return values
}

// local is the value of a variable under its name in the source, or nil.
func local(event topdown.Event, name ast.Var) (value ast.Value) {
	if event.Locals != nil {
		event.Locals.Iter(func(key, bound ast.Value) bool {
			variable, ok := key.(ast.Var)
			if ok && event.LocalMetadata[variable].Name == name {
				value = bound
			}
			return value != nil
		})
	}
	return value
}
