package caller

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"

	"account-api/internal/decision"
)

// constantsByField finds, for every field of the input that the policy reads, the string
// constants that may meet it.
//
// It follows values through variables, rules and functions, in both directions: what
// stands in one expression belongs together. That finds more than what the rules really
// compare, never less, as long as the constants are spelled out in the policy.
func constantsByField(p *decision.Policy) map[string][]string {
	f := flow{parent: map[place]place{}, constants: map[place][]string{}, rules: map[string]*ast.Rule{}, inputs: map[place]bool{}}
	rules := p.Rules()
	for _, rule := range rules {
		f.rules[rule.Ref().GroundPrefix().String()] = rule
	}
	for _, rule := range rules {
		f.rule(rule, p.Entrypoint())
	}
	found := map[string][]string{}
	for at := range f.parent {
		if at.field == "" {
			continue
		}
		constants := []string{}
		for place, here := range f.constants {
			if f.find(place) == f.find(at) {
				constants = append(constants, here...)
			}
		}
		slices.Sort(constants)
		found[at.field] = slices.Compact(constants)
	}
	return found
}

// place is where a value can be: exactly one of a field of the input, a rule, and a
// variable; or an argument of a rule.
type place struct {
	field    string
	rule     string // path
	argument int    // of the rule, from 1
	within   *ast.Rule
	variable ast.Var
}

// flow groups places between which values move. It is a disjoint-set forest.
type flow struct {
	parent    map[place]place
	constants map[place][]string
	rules     map[string]*ast.Rule // one for each path that the decision depends on
	inputs    map[place]bool       // variables that stand for the whole input
}

func (f flow) find(p place) place {
	parent, known := f.parent[p]
	if !known {
		f.parent[p] = p
		return p
	}
	if parent == p {
		return p
	}
	root := f.find(parent)
	f.parent[p] = root
	return root
}

// join puts places and constants into one group.
func (f flow) join(places []place, constants []string) {
	if len(places) == 0 {
		return
	}
	for _, p := range places {
		f.parent[f.find(p)] = f.find(places[0])
	}
	f.constants[places[0]] = append(f.constants[places[0]], constants...)
}

// rule follows the values of a rule. The entrypoint's own value is the answer: nothing is
// compared with that.
func (f flow) rule(rule *ast.Rule, entrypoint string) {
	path := rule.Ref().GroundPrefix()
	if ref, err := ast.PtrRef(ast.DefaultRootDocument, entrypoint); err != nil || !ref.Equal(path) {
		keys := rule.Head.Ref()[1:] // as in blocked["x"] := true
		places, constants := f.in(rule, append([]*ast.Term{rule.Head.Key, rule.Head.Value}, keys...)...)
		f.join(append(places, place{rule: path.String()}), constants)
	}
	for i, argument := range rule.Head.Args {
		places, constants := f.in(rule, argument)
		f.join(append(places, place{rule: path.String(), argument: i + 1}), constants)
	}
	expressions := ast.NewGenericVisitor(func(node any) (stop bool) {
		if expression, ok := node.(*ast.Expr); ok {
			f.expression(rule, expression)
		}
		return false
	})
	expressions.Walk(rule.Head)
	expressions.Walk(rule.Body)
}

// comparisons are the built-in functions that a constant takes part in as what a value is
// compared with. To the others it says how to compute, as the separator does to split.
var comparisons = []string{
	ast.Equality.Name, ast.Equal.Name, ast.NotEqual.Name, ast.Member.Name, ast.MemberWithKey.Name,
	ast.StartsWith.Name, ast.EndsWith.Name, ast.Contains.Name,
	ast.LessThan.Name, ast.LessThanEq.Name, ast.GreaterThan.Name, ast.GreaterThanEq.Name,
}

// texts are the built-in functions whose result is for people to read: a reason.
var texts = []string{ast.Sprintf.Name, ast.Concat.Name}

func (f flow) expression(rule *ast.Rule, e *ast.Expr) {
	switch terms := e.Terms.(type) {
	case *ast.Every:
		f.join(f.in(rule, terms.Key, terms.Value, terms.Domain))
	case *ast.Term:
		f.join(f.in(rule, terms))
	case []*ast.Term:
		if e.Operator().HasPrefix(ast.DefaultRootRef) {
			f.call(rule, e)
			return
		}
		if variable, ok := f.wholeInput(rule, e); ok {
			f.inputs[variable] = true
			return
		}
		name := e.Operator().String()
		if field, ok := f.fieldOf(rule, name, e.Operands()); ok {
			places, _ := f.in(rule, e.Operands()[2:]...)
			f.join(append(places, place{field: field}), nil)
			return
		}
		var all []place
		var constants []string
		for _, operand := range e.Operands() {
			places, found := f.in(rule, operand)
			if _, text := operand.Value.(ast.String); text && !slices.Contains(comparisons, name) {
				found = nil
			}
			if slices.Contains(texts, name) {
				f.join(places, nil)
				continue
			}
			all, constants = append(all, places...), append(constants, found...)
		}
		f.join(all, constants)
	}
}

// wholeInput is the variable in x := input. The compiler makes such variables too.
func (f flow) wholeInput(rule *ast.Rule, e *ast.Expr) (place, bool) {
	if !e.IsEquality() {
		return place{}, false
	}
	variable, ok := e.Operand(0).Value.(ast.Var)
	return place{within: rule, variable: variable}, ok && f.isInput(rule, e.Operand(1))
}

func (f flow) isInput(rule *ast.Rule, term *ast.Term) bool {
	switch value := term.Value.(type) {
	case ast.Ref:
		return len(value) == 1 && f.isInput(rule, value[0])
	case ast.Var:
		return value.Equal(ast.InputRootDocument.Value) || f.inputs[place{within: rule, variable: value}]
	}
	return false
}

// fieldOf is the field that object.get(input, "field", …) reads.
func (f flow) fieldOf(rule *ast.Rule, function string, operands []*ast.Term) (string, bool) {
	if function != ast.ObjectGet.Name || !f.isInput(rule, operands[0]) {
		return "", false
	}
	name, ok := operands[1].Value.(ast.String)
	return string(name), ok
}

// call joins what a function is called with to its arguments, and its result to its value.
func (f flow) call(rule *ast.Rule, e *ast.Expr) {
	function := place{rule: e.Operator().String()}
	arity := len(f.rules[function.rule].Head.Args)
	for i, operand := range e.Operands() {
		at := function
		if i < arity {
			at.argument = i + 1
		}
		places, constants := f.in(rule, operand)
		f.join(append(places, at), constants)
	}
}

// in lists the places and constants in terms. A comprehension is what it collects; its
// expressions are followed as those of the rule.
func (f flow) in(rule *ast.Rule, terms ...*ast.Term) (places []place, constants []string) {
	for _, term := range terms {
		if term == nil {
			continue
		}
		visitor := &ast.GenericVisitor{}
		visitor = ast.NewGenericVisitor(func(node any) (stop bool) {
			switch node := node.(type) {
			case *ast.ArrayComprehension:
				visitor.Walk(node.Term)
				return true
			case *ast.SetComprehension:
				visitor.Walk(node.Term)
				return true
			case *ast.ObjectComprehension:
				visitor.Walk(node.Key)
				visitor.Walk(node.Value)
				return true
			case ast.Ref:
				places = append(places, f.referred(rule, node)...)
				operands := node
				if f.isInput(rule, node[0]) {
					operands = node[1:]
				}
				for _, operand := range operands {
					if _, constant := operand.Value.(ast.String); !constant {
						visitor.Walk(operand)
					}
				}
				return true
			case ast.Var:
				switch {
				case f.isInput(rule, ast.NewTerm(node)):
					places = append(places, f.referred(rule, ast.InputRootRef)...)
				case !node.Equal(ast.DefaultRootDocument.Value):
					places = append(places, place{within: rule, variable: node})
				}
			case ast.String:
				constants = append(constants, string(node))
			}
			return false
		})
		visitor.Walk(term)
	}
	return places, constants
}

// referred lists the fields or rules that a reference may mean.
func (f flow) referred(rule *ast.Rule, ref ast.Ref) (places []place) {
	switch {
	case f.isInput(rule, ref[0]):
		if len(ref) > 1 {
			if name, constant := ref[1].Value.(ast.String); constant {
				return []place{{field: string(name) + claim(ref)}}
			}
		}
		for _, field := range fields {
			places = append(places, place{field: field.name})
		}
	case ref.HasPrefix(ast.DefaultRootRef):
		constant := ref.ConstantPrefix()
		for path, rule := range f.rules {
			if ground := rule.Ref().GroundPrefix(); constant.HasPrefix(ground) || ground.HasPrefix(constant) {
				places = append(places, place{rule: path})
			}
		}
	}
	return places
}

// claim is the path of a claim that ref names below claims, as in the name of [claimField].
func claim(ref ast.Ref) (path string) {
	if name, _ := ref[1].Value.(ast.String); name != "claims" {
		return ""
	}
	for _, operand := range ref[2:] {
		key, constant := operand.Value.(ast.String)
		if !constant {
			break
		}
		path += claimSeparator + string(key)
	}
	return path
}
