package flow

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// rule follows the values of a rule. The entrypoint's own value is the answer: nothing is
// compared with that.
func (f *flow) rule(rule *ast.Rule, entrypoint string) {
	path := rule.Ref().GroundPrefix()
	if ref, err := ast.PtrRef(ast.DefaultRootDocument, entrypoint); err != nil || !ref.Equal(path) {
		keys := rule.Head.Ref()[1:] // as in blocked["x"] := true
		places, values := f.in(rule, append([]*ast.Term{rule.Head.Key, rule.Head.Value}, keys...)...)
		f.join(append(places, place{side: f.side, rule: path.String()}), values)
	}
	for i, argument := range rule.Head.Args {
		at := place{side: f.side, rule: path.String(), argument: i + 1}
		if name, ok := argument.Value.(ast.Var); ok {
			inside := place{within: rule, variable: name}
			if f.inputs[at] {
				f.inputs[inside] = true
				continue
			}
			if name := f.objects[at]; name != "" {
				f.objects[inside] = name
				continue
			}
		}
		places, values := f.in(rule, argument)
		f.join(append(places, at), values)
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
	ast.Equality.Name, ast.Equal.Name, ast.NotEqual.Name, ast.Member.Name, ast.MemberWithKey.Name, ast.ObjectGet.Name,
	ast.StartsWith.Name, ast.EndsWith.Name, ast.Contains.Name, ast.IndexOf.Name, "strings.count", "glob.match", "regex.match", "strings.any_prefix_match", "strings.any_suffix_match",
	ast.LessThan.Name, ast.LessThanEq.Name, ast.GreaterThan.Name, ast.GreaterThanEq.Name,
}

// texts are the built-in functions whose result is for people to read: a reason.
var texts = []string{ast.Sprintf.Name, "internal.template_string"}

func (f *flow) expression(rule *ast.Rule, e *ast.Expr) {
	switch terms := e.Terms.(type) {
	case *ast.Every:
		f.join(f.in(rule, terms.Key, terms.Value, terms.Domain))
	case *ast.Term:
		f.join(f.in(rule, terms))
	case []*ast.Term:
		operands := e.Operands()
		if e.Operator().HasPrefix(ast.DefaultRootRef) {
			f.call(rule, e)
			return
		}
		name := e.Operator().String()
		if e.IsEquality() && f.alias(rule, operands[0], operands[1]) {
			return
		}
		if leaf, ok := f.got(rule, name, operands); ok {
			places, values := f.in(rule, operands[2:]...)
			if text, ok := operands[2].Value.(ast.String); ok {
				f.defaults[leaf] = append(f.defaults[leaf], string(text))
			}
			f.join(append(places, place{leaf: leaf}), values)
			return
		}
		var all []place
		values := newConstants()
		for i, operand := range operands {
			places, found := f.in(rule, operand)
			text, isText := operand.Value.(ast.String)
			if name == ast.Split.Name && i == 1 && isText && len(all) > 0 {
				f.separators[all[0]] = append(f.separators[all[0]], string(text))
			}
			if isText && !slices.Contains(comparisons, name) {
				found = newConstants()
			}
			if slices.Contains(texts, name) {
				continue
			}
			all = append(all, places...)
			values.add(found)
		}
		if computed, ok := f.computed(name, operands); ok {
			values = computed
		}
		if len(all) == 0 || slices.Contains(texts, name) {
			all, _ = f.in(rule, operands[len(operands)-1])
		}
		f.join(all, values)
	}
}

// call joins what a function is called with to its arguments, and its result to its value.
func (f *flow) call(rule *ast.Rule, e *ast.Expr) {
	function := place{side: f.side, rule: e.Operator().String()}
	arity := 0
	if definition := f.rules[function.rule]; definition != nil {
		arity = len(definition.Head.Args)
	}
	for i, operand := range e.Operands() {
		at := function
		if i < arity {
			at.argument = i + 1
			if name, whole := f.objectOf(rule, operand); whole {
				f.inputs[at] = true
				continue
			} else if name != "" {
				f.objects[at] = name
				continue
			}
		}
		places, values := f.in(rule, operand)
		f.join(append(places, at), values)
	}
}
