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
