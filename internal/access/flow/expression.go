package flow

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

func (s *shapes) body(known scope, body ast.Body) {
	for _, e := range body {
		outer := s.expr
		s.expr = e
		s.expression(known, e)
		s.expr = outer
	}
}

func (s *shapes) expression(known scope, e *ast.Expr) {
	if len(e.With) > 0 {
		s.fault("with puts another input or rule in place")
	}
	switch terms := e.Terms.(type) {
	case *ast.SomeDecl:
	case *ast.Every:
		s.every(known, terms)
	case *ast.Term:
		if b := s.term(known, terms); b.has(unknown | document) {
			s.fault("depends on more than the constants")
		}
	case []*ast.Term:
		if e.Operator().HasPrefix(ast.DefaultRootRef) {
			s.call(known, e.Operator().String(), e.Operands())
		} else {
			s.builtin(known, e.Operator().String(), e.Operands())
		}
	}
}

func (s *shapes) every(known scope, every *ast.Every) {
	inner := clone(known)
	domain := s.term(known, every.Domain)
	value := domain & determined
	if domain.has(array | set) {
		value |= part
	}
	if domain.has(fromInput &^ (array | set)) {
		value |= s.fault("every over what is no list of the input")
	}
	if every.Key != nil {
		if key, ok := every.Key.Value.(ast.Var); ok {
			inner[key] = value
			if domain.has(array) && uses(every.Body, key) {
				inner[key] = s.fault("the position in a list of the input")
			}
		}
	}
	s.bind(inner, every.Value, value)
	s.body(inner, every.Body)
}

func clone(known scope) scope {
	c := make(scope, len(known))
	for variable, b := range known {
		c[variable] = b
	}
	return c
}

// uses reports whether a variable occurs.
func uses(in any, variable ast.Var) bool { return count(in, variable) > 0 }

func count(in any, variable ast.Var) (n int) {
	ast.WalkVars(in, func(v ast.Var) bool {
		if v.Equal(variable) {
			n++
		}
		return false
	})
	return n
}

// bind gives a pattern's variables a value. What it says of variables that are known
// already, and of constants, is a comparison.
func (s *shapes) bind(known scope, pattern *ast.Term, value bits) {
	if variable, ok := pattern.Value.(ast.Var); ok {
		if present, seen := known[variable]; seen {
			s.compare(present, value)
		} else {
			known[variable] = value
		}
		return
	}
	if pattern.IsGround() {
		s.compare(s.term(known, pattern), value)
		return
	}
	if value.has(fromInput) {
		value = s.fault("a pattern for input")
	}
	inside := value
	if inside.has(spelled) && inside.has(computed) {
		inside = computed
	}
	ast.WalkVars(pattern, func(v ast.Var) bool {
		if _, seen := known[v]; !seen {
			known[v] = inside
		} else if known[v].has(fromInput) {
			s.fault("a pattern with input")
		}
		return false
	})
}

// compare judges whether two values are equal.
func (s *shapes) compare(a, b bits) {
	if a.only(determined) && b.only(determined) {
		return
	}
	if !(a | b).only(text | determined) {
		s.fault("compares more than the text of one field")
		return
	}
	if a.has(text) && b.has(computed) || b.has(text) && a.has(computed) {
		s.fault("compares with text that is computed")
	}
	if a.has(text) && b.has(text) {
		if (a | b).has(part) {
			s.fault("compares a part of the input with another")
		}
		if s.final {
			s.peers = append(s.peers, s.here("compares a field that is split with another"))
		}
	}
}

// unbound is the variable of a term that has no value yet.
func unbound(known scope, t *ast.Term) (ast.Var, bool) {
	variable, ok := t.Value.(ast.Var)
	if !ok || variable.Equal(ast.InputRootDocument.Value) || variable.Equal(ast.DefaultRootDocument.Value) {
		return "", false
	}
	_, seen := known[variable]
	return variable, !seen
}

// types are the questions for a type. Text and lists of the input always have the same.
var types = []string{ast.IsString.Name, ast.IsNumber.Name, ast.IsBoolean.Name, ast.IsArray.Name, ast.IsSet.Name, ast.IsObject.Name, ast.IsNull.Name}

func (s *shapes) builtin(known scope, name string, operands []*ast.Term) {
	if name == ast.Equality.Name || name == ast.Assign.Name {
		s.unify(known, operands[0], operands[1])
		return
	}
	arity := len(operands)
	if builtin, ok := ast.BuiltinMap[name]; ok {
		arity = min(arity, builtin.Decl.Arity())
	}
	in := make([]bits, arity)
	if name == ast.Sprintf.Name || name == "internal.template_string" {
		result := bits(computed)
		for _, operand := range operands[:arity] {
			if s.quoted(known, operand) {
				result = quote
			}
		}
		s.results(known, operands[arity:], result)
		return
	}
	var all bits
	for i, operand := range operands[:arity] {
		in[i] = s.term(known, operand)
		all |= in[i]
	}
	if all.only(determined) {
		result := bits(computed)
		switch name {
		case ast.And.Name, ast.Or.Name, ast.Minus.Name, ast.ObjectGet.Name:
			result = all
		}
		s.results(known, operands[arity:], result)
		return
	}
	s.results(known, operands[arity:], s.ofInput(name, operands, in))
}

// quoted reports whether a term for people holds input. Its expressions are judged.
func (s *shapes) quoted(known scope, t *ast.Term) bool {
	if array, ok := t.Value.(*ast.Array); ok {
		found := false
		array.Foreach(func(member *ast.Term) { found = s.quoted(known, member) || found })
		return found
	}
	if set, ok := t.Value.(ast.Set); ok { // a member of a template, which may be undefined
		found := false
		set.Foreach(func(member *ast.Term) { found = s.quoted(known, member) || found })
		return found
	}
	b := s.term(known, t)
	if b.has(unknown | document) {
		s.fault("quotes more than the text of a field")
	}
	return b.has(fromInput)
}

// ofInput is the value of a built-in function one of whose operands holds input.
func (s *shapes) ofInput(name string, operands []*ast.Term, in []bits) bits {
	switch name {
	case ast.Equal.Name, ast.NotEqual.Name:
		s.compare(in[0], in[1])
		return computed
	case ast.Member.Name:
		s.member(in[0], in[1])
		return computed
	case ast.MemberWithKey.Name:
		if in[2].only(determined) && in[0].only(determined) {
			s.member(in[1], in[2])
			return computed
		}
	case ast.Split.Name:
		separator, constant := operands[1].Value.(ast.String)
		if constant && separator == " " && in[0].only(whole|determined) {
			return array
		}
		if !constant || separator != " " {
			return s.fault("splits at another place than a space")
		}
	case ast.Minus.Name:
		switch {
		case in[0].only(spelled) && in[1].only(set|spelled):
			return spelled
		case in[0].only(set|spelled) && in[1].only(spelled):
			return set
		}
	case ast.And.Name:
		if in[0].only(spelled) && in[1].only(set|spelled) || in[1].only(spelled) && in[0].only(set|spelled) {
			return spelled
		}
	case ast.Or.Name:
		if (in[0] | in[1]).only(set | spelled) {
			return set
		}
	case ast.ObjectGet.Name:
		switch {
		case in[0].only(document):
			if key, ok := operands[1].Value.(ast.String); ok && !hasMembers(string(key)) && in[2].only(spelled) {
				return s.leaf(Leaf{Field: string(key)}) | in[2]
			}
		case in[0].only(spelled) && in[1].only(text|spelled) && in[2].only(determined):
			return in[0] | in[2]
		}
	}
	if slices.Contains(types, name) && in[0].only(whole|array|set|determined) {
		return computed
	}
	return s.fault("%s of input", name)
}

// results gives a value to the variables that take a function's result.
func (s *shapes) results(known scope, operands []*ast.Term, value bits) {
	for _, operand := range operands {
		s.bind(known, operand, value)
	}
}

// member judges x in list.
func (s *shapes) member(x, list bits) {
	switch {
	case x.only(determined) && list.only(determined):
	case x.only(text|spelled) && list.only(spelled):
	case x.only(spelled) && list.only(array|set|spelled):
	default:
		s.fault("membership of more than a constant in one list")
	}
}

func (s *shapes) unify(known scope, left, right *ast.Term) {
	if variable, ok := unbound(known, left); ok {
		known[variable] = s.term(known, right)
		return
	}
	if variable, ok := unbound(known, right); ok {
		known[variable] = s.term(known, left)
		return
	}
	switch {
	case !left.IsGround() && composite(left):
		s.bind(known, left, s.term(known, right))
	case !right.IsGround() && composite(right):
		s.bind(known, right, s.term(known, left))
	default:
		s.compare(s.term(known, left), s.term(known, right))
	}
}

func composite(t *ast.Term) bool {
	switch t.Value.(type) {
	case *ast.Array, ast.Object, ast.Set:
		return true
	}
	return false
}

func (s *shapes) call(known scope, path string, operands []*ast.Term) {
	definitions := s.rules[path]
	if len(definitions) == 0 {
		s.fault("a function that is not known")
		return
	}
	arity := len(definitions[0].Head.Args)
	for i, operand := range operands {
		if i >= arity {
			s.bind(known, operand, s.values[path])
			continue
		}
		s.arguments[argument{path, i}] |= s.term(known, operand)
	}
}
