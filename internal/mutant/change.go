package mutant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// change is a mistake that can be made in a module.
type change struct {
	row  int
	what string
	make func()
}

// changes lists the mistakes that can be made in a module, always in the same order. Each
// may be made once, and no other after it.
func changes(module *ast.Module) []change {
	c := collector{strings: literals(module)}
	for i, rule := range module.Rules {
		c.row = rule.Location.Row
		c.add("remove rule "+rule.Head.Ref().String(), func() { module.Rules = slices.Delete(module.Rules, i, i+1) })
		c.rule(rule)
	}
	return c.found
}

// literals are the sorted strings in a module's expressions and values.
func literals(module *ast.Module) []string {
	var found []string
	visitor := &ast.GenericVisitor{}
	visitor = ast.NewGenericVisitor(func(node any) (stop bool) {
		switch node := node.(type) {
		case ast.Ref:
			return true
		case ast.Object:
			node.Foreach(func(_, value *ast.Term) { visitor.Walk(value) })
			return true
		case ast.String:
			found = append(found, string(node))
		}
		return false
	})
	for _, rule := range module.Rules {
		visitor.Walk(rule)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

type collector struct {
	strings []string
	row     int
	found   []change
}

func (c *collector) add(what string, make func()) {
	c.found = append(c.found, change{row: c.row, what: what, make: make})
}

func (c *collector) rule(rule *ast.Rule) {
	c.row = rule.Location.Row
	c.term(rule.Head.Key, func(t *ast.Term) { rule.Head.Key = t })
	c.term(rule.Head.Value, func(t *ast.Term) { rule.Head.Value = t })
	c.body(rule.Body, func(b ast.Body) { rule.Body = b })
	if rule.Else != nil {
		c.row = rule.Else.Location.Row
		c.add("remove else", func() { rule.Else = nil })
		c.rule(rule.Else)
	}
}

func (c *collector) body(body ast.Body, set func(ast.Body)) {
	for i, expression := range body {
		if expression.Location != nil {
			c.row = expression.Location.Row
		}
		replace := func(with ...*ast.Expr) {
			set(ast.NewBody(slices.Concat(body[:i:i], with, body[i+1:])...))
		}
		c.expression(expression, len(body) > 1, replace)
	}
}

var always = ast.NewExpr(ast.BooleanTerm(true))

// expression lists what can be wrong with one expression of a body. Replace puts others in
// its place.
func (c *collector) expression(e *ast.Expr, droppable bool, replace func(...*ast.Expr)) {
	if e.Equal(always) {
		return // what a rule without a body has
	}
	if _, declaration := e.Terms.(*ast.SomeDecl); !declaration && !e.IsAssignment() {
		var nothing []*ast.Expr
		if !droppable {
			nothing = append(nothing, always.Copy())
		}
		c.add("drop `"+text(e)+"`", func() { replace(nothing...) })
		if !e.IsEvery() {
			c.add("negate `"+text(e)+"`", func() {
				e := e.Copy()
				e.Negated = !e.Negated
				replace(e)
			})
		}
		for _, other := range alternatives(e) {
			c.add("`"+text(e)+"` becomes `"+strings.Join(texts(other), "; ")+"`", func() { replace(other...) })
		}
	}
	switch terms := e.Terms.(type) {
	case *ast.Term:
		c.term(terms, func(t *ast.Term) { e.Terms = t })
	case []*ast.Term:
		for i := 1; i < len(terms); i++ {
			c.term(terms[i], func(t *ast.Term) { terms[i] = t })
		}
	case *ast.SomeDecl:
		for i, symbol := range terms.Symbols {
			c.term(symbol, func(t *ast.Term) { terms.Symbols[i] = t })
		}
	case *ast.Every:
		c.term(terms.Domain, func(t *ast.Term) { terms.Domain = t })
		c.body(terms.Body, func(b ast.Body) { terms.Body = b })
	}
}

// text is an expression or a term as a policy spells it.
func text(node any) string {
	if formatted, err := format.Ast(node); err == nil {
		return strings.NewReplacer("\n", " ", "\t", "").Replace(strings.TrimSpace(string(formatted)))
	}
	return fmt.Sprint(node)
}

func texts(body []*ast.Expr) (texts []string) {
	for _, e := range body {
		texts = append(texts, text(e))
	}
	return texts
}
