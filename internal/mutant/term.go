package mutant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// claims are the fields of the input, which are easily confused.
var claims = []string{"principal", "scope", "permissions", "azp"}

// term lists what can be wrong with a term. Set puts another in its place.
func (c *collector) term(t *ast.Term, set func(*ast.Term)) {
	if t == nil {
		return
	}
	// A string is formatted as the text of its location.
	at := func(value ast.Value) *ast.Term {
		if t.Location == nil {
			return ast.NewTerm(value)
		}
		location := *t.Location
		location.Text = []byte(value.String())
		return &ast.Term{Value: value, Location: &location}
	}
	to := func(value ast.Value) {
		other := at(value)
		c.add("`"+text(t)+"` becomes `"+text(other)+"`", func() { set(other) })
	}
	inner := func(rebuild func(*ast.Term) ast.Value) func(*ast.Term) {
		return func(element *ast.Term) { set(at(rebuild(element))) }
	}
	switch value := t.Value.(type) {
	case ast.Boolean:
		to(!value)
	case ast.Number:
		if n, ok := value.Int(); ok {
			to(ast.Number(fmt.Sprint(n + 1)))
		}
	case ast.String:
		for _, near := range c.near(string(value)) {
			to(ast.String(near))
		}
	case ast.Ref:
		c.ref(value, to, inner)
	case ast.Call:
		if name := value[0].String(); len(value) == 2 && slices.Contains([]string{ast.Lower.Name, ast.Upper.Name, ast.TrimSpace.Name}, name) {
			to(value[1].Value)
		}
		for i := 1; i < len(value); i++ {
			c.term(value[i], inner(func(element *ast.Term) ast.Value { return with(value, i, element) }))
		}
	case ast.Set:
		elements := value.Slice()
		for i, element := range elements {
			to(ast.NewSet(without(elements, i)...))
			c.term(element, inner(func(e *ast.Term) ast.Value { return ast.NewSet(with(elements, i, e)...) }))
		}
		to(ast.NewSet(append(slices.Clone(elements), ast.StringTerm("mutant"))...))
	case *ast.Array:
		elements := make([]*ast.Term, value.Len())
		for i := range elements {
			elements[i] = value.Elem(i)
		}
		for i, element := range elements {
			to(ast.NewArray(without(elements, i)...))
			c.term(element, inner(func(e *ast.Term) ast.Value { return ast.NewArray(with(elements, i, e)...) }))
		}
	case ast.Object:
		var pairs [][2]*ast.Term
		value.Foreach(func(key, value *ast.Term) { pairs = append(pairs, [2]*ast.Term{key, value}) })
		for i, pair := range pairs {
			to(ast.NewObject(without(pairs, i)...))
			c.term(pair[1], inner(func(e *ast.Term) ast.Value { return ast.NewObject(with(pairs, i, [2]*ast.Term{pair[0], e})...) }))
		}
		to(ast.NewObject(append(slices.Clone(pairs), [2]*ast.Term{ast.StringTerm("mutant"), ast.BooleanTerm(true)})...))
	case *ast.ArrayComprehension:
		c.term(value.Term, func(t *ast.Term) { value.Term = t })
		c.body(value.Body, func(b ast.Body) { value.Body = b })
	case *ast.SetComprehension:
		c.term(value.Term, func(t *ast.Term) { value.Term = t })
		c.body(value.Body, func(b ast.Body) { value.Body = b })
	case *ast.ObjectComprehension:
		c.term(value.Value, func(t *ast.Term) { value.Value = t })
		c.body(value.Body, func(b ast.Body) { value.Body = b })
	}
}

// ref lists other claims in place of the one that is referred to.
func (c *collector) ref(ref ast.Ref, to func(ast.Value), inner func(func(*ast.Term) ast.Value) func(*ast.Term)) {
	for i := 1; i < len(ref); i++ {
		name, constant := ref[i].Value.(ast.String)
		if !constant {
			c.term(ref[i], inner(func(operand *ast.Term) ast.Value { return with(ref, i, operand) }))
			continue
		}
		if i == 1 && ref[0].Equal(ast.InputRootDocument) && slices.Contains(claims, string(name)) {
			for _, claim := range claims {
				if claim != string(name) {
					to(with(ref, i, ast.StringTerm(claim)))
				}
			}
		}
	}
}

// near are strings that a rule may mistake for one: near misses, and another of the module.
func (c *collector) near(s string) []string {
	candidates := []string{s + "x", "x" + s, strings.ToUpper(s), ""}
	if i := slices.Index(c.strings, s); i >= 0 {
		candidates = append(candidates, c.strings[(i+1)%len(c.strings)])
	}
	if s == " " {
		candidates = append(candidates, ",", "  ")
	}
	slices.Sort(candidates)
	return slices.DeleteFunc(slices.Compact(candidates), func(candidate string) bool { return candidate == s })
}

func without[S ~[]E, E any](s S, i int) S { return slices.Delete(slices.Clone(s), i, i+1) }

func with[S ~[]E, E any](s S, i int, e E) S {
	s = slices.Clone(s)
	s[i] = e
	return s
}
