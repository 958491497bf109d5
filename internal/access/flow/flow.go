// Package flow reads what a policy compares its input with. It follows values through the
// variables, rules, functions and data documents of a compiled policy. It says for every
// place of the input which constants meet it there, and which expressions have a shape for
// which these constants and a few other values stand for all values.
//
// It is for tools that make up callers. It evaluates nothing.
package flow

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// Policy is what flow reads of one.
type Policy interface {
	Rules() []*ast.Rule // compiled
	Entrypoint() string
	Documents() map[string]any
}

// Reading is what was found in one policy or several.
type Reading struct {
	Leaves map[Leaf]*Values
	// Outside are the expressions that have none of the shapes, sorted.
	Outside []Expression
	// Quotes reports whether a reason may quote the input.
	Quotes bool
}

// Values is what a leaf is compared with.
type Values struct {
	Texts      []string // sorted
	Numbers    []json.Number
	Sequences  [][]string // arrays of strings
	Separators []string   // that the leaf is split by
	Defaults   []string   // texts that object.get puts in place of an absent leaf; Texts has them too
	Paths      [][]string // to members within the leaf, if it may be any JSON
	Peers      []Leaf     // text that may be compared with this leaf
}

// Expression is a place in a policy.
type Expression struct {
	Place string // as in policies/orders/orders.rego:12
	Text  string
	Why   string
}

func (e Expression) String() string { return fmt.Sprintf("%s: %s (%s)", e.Place, e.Text, e.Why) }

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

// innermost leaves out an expression that contains another of the same line: that one says
// why. The result is sorted.
func innermost(all []Expression) (kept []Expression) {
	slices.SortFunc(all, func(a, b Expression) int {
		if a.Place == b.Place && len(a.Text) != len(b.Text) {
			return len(a.Text) - len(b.Text)
		}
		return cmpStrings(a.Place, b.Place, a.Text, b.Text)
	})
	for _, e := range all {
		if !slices.ContainsFunc(kept, func(k Expression) bool { return k.Place == e.Place && strings.Contains(e.Text, k.Text) }) {
			kept = append(kept, e)
		}
	}
	return kept
}

// splitsPeers reports whether a list of texts may be compared with another leaf.
func (r Reading) splitsPeers() bool {
	for leaf, values := range r.Leaves {
		if kind, _ := leaf.Kind(); len(values.Peers) > 1 && (kind == List || len(values.Separators) > 0) {
			return true
		}
	}
	return false
}

// looksForNothing reports whether an empty text may be looked for among the parts of a text.
func (r Reading) looksForNothing() bool {
	for _, values := range r.Leaves {
		if len(values.Separators) > 0 && slices.Contains(values.Texts, "") {
			return true
		}
	}
	return false
}

// reading collects what belongs to each leaf.
func (f *flow) reading() Reading {
	reading := Reading{Leaves: map[Leaf]*Values{}}
	groups := map[place][]Leaf{}
	for at := range f.parent {
		if at.leaf == (Leaf{}) {
			continue
		}
		if _, ok := at.leaf.Kind(); ok {
			reading.Leaves[at.leaf] = &Values{}
			groups[f.find(at)] = append(groups[f.find(at)], at.leaf)
		}
	}
	for at, found := range f.found {
		for _, leaf := range groups[f.find(at)] {
			v := reading.Leaves[leaf]
			for value := range found.scalars {
				switch value := value.(type) {
				case ast.String:
					v.Texts = append(v.Texts, string(value))
				case ast.Number:
					v.Numbers = append(v.Numbers, json.Number(value))
				}
			}
			v.Sequences = append(v.Sequences, found.sequences...)
		}
	}
	for at, separators := range f.separators {
		for _, leaf := range groups[f.find(at)] {
			reading.Leaves[leaf].Separators = append(reading.Leaves[leaf].Separators, separators...)
		}
	}
	for leaf, v := range reading.Leaves {
		v.Texts = sorted(v.Texts)
		v.Numbers = sorted(v.Numbers)
		v.Separators = sorted(v.Separators)
		v.Defaults = f.defaults[leaf]
		v.Paths = f.paths[leaf]
		slices.SortFunc(v.Paths, slices.Compare)
		v.Paths = slices.CompactFunc(v.Paths, slices.Equal)
		slices.SortFunc(v.Sequences, slices.Compare)
		v.Sequences = slices.CompactFunc(v.Sequences, slices.Equal)
		peers := groups[f.find(place{leaf: leaf})]
		slices.SortFunc(peers, func(a, b Leaf) int { return cmpStrings(a.Field, b.Field, a.Member, b.Member) })
		v.Peers = peers
	}
	return reading
}

func sorted[T ~string](values []T) []T {
	slices.Sort(values)
	return slices.Compact(values)
}

func cmpStrings(pairs ...string) int {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] < pairs[i+1] {
			return -1
		} else if pairs[i] > pairs[i+1] {
			return 1
		}
	}
	return 0
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

type constants struct {
	scalars   map[ast.Value]bool
	sequences [][]string
}

func (c *constants) add(other constants) {
	maps.Copy(c.scalars, other.scalars)
	for _, sequence := range other.sequences {
		if !slices.ContainsFunc(c.sequences, func(s []string) bool { return slices.Equal(s, sequence) }) {
			c.sequences = append(c.sequences, sequence)
		}
	}
}

func newConstants() constants { return constants{scalars: map[ast.Value]bool{}} }

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

// computable are the built-in functions whose result is a constant where their operands
// are.
var computable = []string{ast.Concat.Name, ast.Lower.Name, ast.Upper.Name, ast.Sprintf.Name, ast.Split.Name, ast.Replace.Name, ast.Trim.Name, ast.TrimPrefix.Name, ast.TrimSuffix.Name, ast.ParseRFC3339Nanos.Name}

// computed are the constants that a function makes of constants.
func (f *flow) computed(name string, operands []*ast.Term) (values constants, ok bool) {
	function := topdown.GetBuiltin(name)
	builtin := ast.BuiltinMap[name]
	if function == nil || builtin == nil || !slices.Contains(computable, name) || len(operands) <= builtin.Decl.Arity() {
		return constants{}, false
	}
	in := operands[:builtin.Decl.Arity()]
	if slices.ContainsFunc(in, func(t *ast.Term) bool { return !t.IsGround() }) {
		return constants{}, false
	}
	// An error is the policy's, and shows when it decides.
	_ = function(topdown.BuiltinContext{}, in, func(result *ast.Term) error {
		_, values = f.in(nil, result)
		ok = true
		return nil
	})
	return values, ok
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

func sequence(array *ast.Array) (all []string, ok bool) {
	ok = true
	array.Foreach(func(t *ast.Term) {
		text, isText := t.Value.(ast.String)
		all, ok = append(all, string(text)), ok && isText
	})
	return all, ok
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

// addDocument adds the keys and values of a data document.
func addDocument(values *constants, document any) {
	switch document := document.(type) {
	case map[string]any:
		for key, member := range document {
			values.scalars[ast.String(key)] = true
			addDocument(values, member)
		}
	case []any:
		var sequence []string
		for _, member := range document {
			if text, ok := member.(string); ok {
				sequence = append(sequence, text)
			}
			addDocument(values, member)
		}
		if len(sequence) == len(document) && len(sequence) > 0 && len(sequence) <= 4 {
			values.sequences = append(values.sequences, sequence)
		}
	default:
		if value, err := ast.InterfaceToValue(document); err == nil {
			values.scalars[value] = true
		}
	}
}
