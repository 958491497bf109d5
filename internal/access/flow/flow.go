// Package flow reads what a policy compares its input with. It follows values through the
// variables, rules, functions and data documents of a compiled policy. It says for every
// place of the input which constants meet it there, and which expressions have a shape for
// which these constants and a few other values stand for all values.
//
// It is for tools that make up callers. It evaluates nothing.
package flow

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Policy is what flow reads of one.
type Policy interface {
	Rules() []*ast.Rule // compiled
	Entrypoint() string
	Documents() map[string]any
}

// Read reads policies together: a constant that one of them compares a leaf with counts for
// all.
func Read(policies ...Policy) Reading {
	f := &flow{parent: map[place]place{}, found: map[place]*constants{}, separators: map[place][]string{}, defaults: map[Leaf][]string{}, paths: map[Leaf][][]string{}, inputs: map[place]bool{}, objects: map[place]string{}}
	var read []*shapes
	for side, policy := range policies {
		f.side, f.documents = side, policy.Documents()
		f.rules = map[string]*ast.Rule{}
		rules := policy.Rules()
		for _, rule := range rules {
			f.rules[rule.Ref().GroundPrefix().String()] = rule
		}
		for known := -1; known < len(f.inputs)+len(f.objects); { // handed on to functions
			known = len(f.inputs) + len(f.objects)
			for _, rule := range rules {
				f.rule(rule, policy.Entrypoint())
			}
		}
		read = append(read, readShapes(rules, policy.Entrypoint(), policy.Documents()))
	}
	reading := f.reading()
	for _, s := range read {
		reading.Quotes = reading.Quotes || s.quotes
		reading.Outside = append(reading.Outside, s.outside...)
		if reading.splitsPeers() {
			reading.Outside = append(reading.Outside, s.peers...)
		}
		if reading.looksForNothing() {
			reading.Outside = append(reading.Outside, s.empties()...)
		}
	}
	reading.Outside = innermost(reading.Outside)
	return reading
}

// place is where a value can be: exactly one of a leaf of the input, a rule or a function's
// argument, and a variable.
type place struct {
	leaf     Leaf
	side     int    // of rule
	rule     string // path
	argument int    // of the rule, from 1
	within   *ast.Rule
	variable ast.Var
}

// flow groups places between which values move. It is a disjoint-set forest. It is
// generous: what stands in one expression belongs together. That finds more constants than
// the rules really compare, never fewer.
type flow struct {
	parent     map[place]place
	found      map[place]*constants
	separators map[place][]string
	defaults   map[Leaf][]string
	paths      map[Leaf][][]string
	side       int
	rules      map[string]*ast.Rule // one for each path that the decision depends on
	documents  map[string]any
	inputs     map[place]bool   // that stand for the whole input
	objects    map[place]string // that stand for a field with members
}

func (f *flow) find(p place) place {
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
func (f *flow) join(places []place, values constants) {
	if len(places) == 0 {
		return
	}
	for _, p := range places {
		f.parent[f.find(p)] = f.find(places[0])
	}
	if f.found[places[0]] == nil {
		c := newConstants()
		f.found[places[0]] = &c
	}
	f.found[places[0]].add(values)
}

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

// alias notes the variable in x := input or x := input.query. The compiler makes such
// variables too.
func (f *flow) alias(rule *ast.Rule, left, right *ast.Term) bool {
	variable, ok := left.Value.(ast.Var)
	if !ok {
		return false
	}
	at := place{within: rule, variable: variable}
	switch name, whole := f.objectOf(rule, right); {
	case whole:
		f.inputs[at] = true
	case name != "":
		f.objects[at] = name
	default:
		return false
	}
	return true
}

// objectOf says whether a term is the whole input, or a field with members.
func (f *flow) objectOf(rule *ast.Rule, term *ast.Term) (name string, whole bool) {
	operands := []*ast.Term{term}
	if ref, ok := term.Value.(ast.Ref); ok {
		operands = ref
	}
	variable, ok := operands[0].Value.(ast.Var)
	if !ok {
		return "", false
	}
	at := place{within: rule, variable: variable}
	isInput := variable.Equal(ast.InputRootDocument.Value) || f.inputs[at]
	switch {
	case len(operands) == 1:
		return f.objects[at], isInput
	case len(operands) == 2 && isInput:
		if field, constant := operands[1].Value.(ast.String); constant && hasMembers(string(field)) {
			return string(field), false
		}
	}
	return "", false
}

// got is the leaf that object.get(input, "azp", …) reads.
func (f *flow) got(rule *ast.Rule, function string, operands []*ast.Term) (Leaf, bool) {
	if function != ast.ObjectGet.Name {
		return Leaf{}, false
	}
	keys := operands[1:2]
	if path, ok := operands[1].Value.(*ast.Array); ok {
		keys = nil
		path.Foreach(func(t *ast.Term) { keys = append(keys, t) })
	}
	switch name, whole := f.objectOf(rule, operands[0]); {
	case name != "":
		leaf, taken := leafOf(append([]*ast.Term{ast.StringTerm(name)}, keys...))
		return leaf, taken > 0
	case whole:
		if leaf, taken := leafOf(keys); taken > 0 {
			return leaf, true
		}
		if len(keys) == 1 { // a field with members
			if key, ok := keys[0].Value.(ast.String); ok && hasMembers(string(key)) && len(operands) > 3 {
				if result, ok := operands[3].Value.(ast.Var); ok {
					f.objects[place{within: rule, variable: result}] = string(key)
				}
			}
		}
	}
	return Leaf{}, false
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

// in lists the places and constants in terms. A comprehension is what it collects; its
// expressions are followed as those of the rule.
func (f *flow) in(rule *ast.Rule, terms ...*ast.Term) (places []place, values constants) {
	values = newConstants()
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
			case *ast.Array:
				if texts, ok := sequence(node); ok && len(texts) > 0 {
					values.sequences = append(values.sequences, texts)
				}
			case ast.Ref:
				referred, rest, documents := f.referred(rule, node)
				places = append(places, referred...)
				values.add(documents)
				for _, operand := range rest {
					visitor.Walk(operand)
				}
				return true
			case ast.Var:
				referred, _, _ := f.referred(rule, ast.Ref{ast.NewTerm(node)})
				places = append(places, referred...)
			case ast.String, ast.Number, ast.Boolean, ast.Null:
				values.scalars[node.(ast.Value)] = true
			}
			return false
		})
		visitor.Walk(term)
	}
	return places, values
}

// referred lists the leaves, rules or variables that a reference may mean, what follows
// them, and the constants in the data documents that it may mean.
func (f *flow) referred(rule *ast.Rule, ref ast.Ref) (places []place, rest []*ast.Term, values constants) {
	values = newConstants()
	head, isVariable := ref[0].Value.(ast.Var)
	if !isVariable {
		return nil, ref, values
	}
	at := place{within: rule, variable: head}
	operands := []*ast.Term(ref[1:])
	if name := f.objects[at]; name != "" {
		operands = append([]*ast.Term{ast.StringTerm(name)}, operands...)
	}
	switch {
	case head.Equal(ast.InputRootDocument.Value) || f.inputs[at] || f.objects[at] != "":
		if leaf, taken := leafOf(operands); taken > 0 {
			f.within(leaf, operands[taken:])
			return []place{{leaf: leaf}}, operands[taken:], values
		}
		for _, field := range Fields {
			if len(operands) > 0 && operands[0].Equal(ast.StringTerm(field.Name)) || len(operands) == 0 || !isConstant(operands[0]) {
				if hasMembers(field.Name) {
					places = append(places, place{leaf: Leaf{field.Name, Member}})
				} else {
					places = append(places, place{leaf: Leaf{Field: field.Name}})
				}
			}
		}
		return places, operands, values
	case head.Equal(ast.DefaultRootDocument.Value):
		constant := ref.ConstantPrefix()
		longest := 1
		for path, rule := range f.rules {
			if ground := rule.Ref().GroundPrefix(); constant.HasPrefix(ground) || ground.HasPrefix(constant) {
				places = append(places, place{side: f.side, rule: path})
				longest = max(longest, min(len(ground), len(constant)))
			}
		}
		var document any = f.documents
		depth := 1
		for _, operand := range constant[1:] {
			object, _ := document.(map[string]any)
			key, _ := operand.Value.(ast.String)
			next, found := object[string(key)]
			if !found {
				break
			}
			document, depth = next, depth+1
		}
		if depth > 1 {
			addDocument(&values, document)
		}
		return places, ref[max(longest, min(depth, len(ref))):], values
	}
	return []place{at}, operands, values
}

// within notes the path to a member of a leaf that may be any JSON.
func (f *flow) within(leaf Leaf, operands []*ast.Term) {
	var path []string
	for _, operand := range operands {
		key, constant := operand.Value.(ast.String)
		if !constant {
			break
		}
		path = append(path, string(key))
	}
	if len(path) > 0 {
		f.paths[leaf] = append(f.paths[leaf], path)
	}
}

// Member stands for any name in a field with members.
const Member = "other-member"

func isConstant(t *ast.Term) bool {
	_, constant := t.Value.(ast.String)
	return constant
}
