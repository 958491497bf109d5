package mutant

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

// others are operators that are easily confused with one.
var others = map[string][]string{
	ast.Equal.Name:         {ast.NotEqual.Name},
	ast.NotEqual.Name:      {ast.Equal.Name},
	ast.LessThan.Name:      {ast.LessThanEq.Name, ast.GreaterThan.Name},
	ast.LessThanEq.Name:    {ast.LessThan.Name, ast.GreaterThanEq.Name},
	ast.GreaterThan.Name:   {ast.GreaterThanEq.Name, ast.LessThan.Name},
	ast.GreaterThanEq.Name: {ast.GreaterThan.Name, ast.LessThanEq.Name},
	ast.StartsWith.Name:    {ast.Contains.Name, ast.EndsWith.Name},
	ast.EndsWith.Name:      {ast.Contains.Name, ast.StartsWith.Name},
	ast.Contains.Name:      {ast.StartsWith.Name, ast.EndsWith.Name},
}

// Comparisons that accept more, or other, than the ones that they replace.
var (
	looser = []string{ // than a value, %[1]s, that equals the wanted one, %[2]s
		"startswith(%[1]s, %[2]s)",
		"endswith(%[1]s, %[2]s)",
		"startswith(%[2]s, %[1]s)",
		"endswith(%[2]s, %[1]s)",
		"lower(%[1]s) == lower(%[2]s)",
		"trim_space(%[1]s) == %[2]s",
		"glob.match(%[1]s, [], %[2]s)",
	}
	looserWord = []string{ // than a text, %[1]s, that has the wanted word, %[2]s, between spaces
		"contains(%[1]s, %[2]s)",
		"startswith(%[1]s, %[2]s)",
		"endswith(%[1]s, %[2]s)",
		"%[1]s == %[2]s",
		"split(%[1]s, \" \")[0] == %[2]s",
		"split(%[1]s, \" \")[1] == %[2]s",
		"%[2]s in regex.split(`\\s`, %[1]s)",
		"%[2]s in regex.split(`[ ,]`, %[1]s)",
		"%[2]s in regex.split(`[ +]`, %[1]s)",
	}
)

// alternatives are what may replace an expression.
func alternatives(e *ast.Expr) (bodies [][]*ast.Expr) {
	if !e.IsCall() || len(e.Operands()) != 2 {
		return nil
	}
	left, right := e.Operand(0), e.Operand(1)
	name := e.Operator().String()
	for _, other := range others[name] {
		changed := e.Copy()
		changed.SetOperator(ast.NewTerm(ast.BuiltinMap[other].Ref()))
		bodies = append(bodies, []*ast.Expr{changed})
	}
	add := func(templates []string, value, wanted string) {
		for _, template := range templates {
			if body := parse(e, fmt.Sprintf(template, value, wanted)); body != nil {
				bodies = append(bodies, body)
			}
		}
	}
	switch name {
	case ast.Equal.Name:
		for _, pair := range [][2]*ast.Term{{left, right}, {right, left}} {
			switch pair[1].Value.(type) {
			case ast.Boolean:
				add([]string{"%[1]s"}, text(pair[0]), "")
			case ast.String:
				add(looser, text(pair[0]), text(pair[1]))
			}
		}
	case ast.Member.Name:
		// What the policy spells out is wanted, and the other side is the value.
		value, wanted := "mutant", text(left)
		if _, constant := left.Value.(ast.String); !constant {
			value, wanted = wanted, value
		}
		for _, template := range looser {
			add([]string{"some mutant in " + text(right) + "; " + template}, value, wanted)
		}
		if call, ok := right.Value.(ast.Call); ok && len(call) == 3 && call[0].String() == ast.Split.Name {
			add(looserWord, text(call[1]), text(left))
		}
	}
	return bodies
}

// parse returns the expressions of a text in place of e, or none if they cannot be there.
func parse(e *ast.Expr, text string) ast.Body {
	body, err := ast.ParseBodyWithOpts(text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil || e.Negated && len(body) > 1 {
		return nil // a declaration cannot be negated
	}
	relocate := ast.NewGenericVisitor(func(node any) (stop bool) {
		switch node := node.(type) {
		case *ast.Expr:
			node.Location = e.Location
		case *ast.Term:
			node.Location = e.Location
		case *ast.SomeDecl:
			node.Location = e.Location
		}
		return false
	})
	for _, expression := range body {
		relocate.Walk(expression)
		expression.Negated = e.Negated
		expression.With = e.With
	}
	return body
}
