package flow

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Shapes is the written list of what an expression may do with the input so that a search
// over the constants is complete. The argument is that of a small model: each of these
// depends only on which constants a value is equal to, or which of them a list has, and on
// whether it is absent or has something else. A caller for each such case stands for all
// callers of that case. Determined below means: the same for all callers of one case.
//
// Anything else is outside. A test of each name holds both.
var Shapes = []struct{ Name, Shape, Outside string }{
	{`whether a field is defined`, `input.azp, whether it is defined`, `input itself, input[x], and fields with any JSON or a number`},
	{`equality with a constant`, `input.azp == "web", != "web", also with a rule or a data document that spells the text out`, `with text that is computed, as concat makes it`},
	{`membership of a field in constants`, `input.azp in {"web", "app"}, roles[input.azp], where the text is spelled out`, `with keys or members that are computed`},
	{`equality of two fields`, `input.azp == input.principal, where neither is split`, `where one is split; a part of a list with another input`},
	{`membership in a split`, `"read" in split(input.scope, " "), also with text that a rule or a data document spells out`, `another separator; "" as a part; a part of the input in a list of the input`},
	{`some part of a split`, `some s in split(input.scope, " "), then one of these shapes for s`, `the position of s; a second value from the input for s`},
	{`every part of a split`, `every s in split(input.scope, " ") { one of these shapes for s }`, `the position of s`},
	{`the parts as a set`, `{s | some s in split(input.scope, " ")}, and "read" in it; the same as rule with contains`, `the same as an array, which has an order and repetitions`},
	{`operations on that set`, `{"a", "b"} - granted, {"a", "b"} & granted, granted - {"a"}, granted | {"a"} for such a set granted`, `count(granted), granted == {"a"}`},
	{`a list`, `"v" in input.query.x, and the other shapes of a list`, `input.query.x[0], input.path[1]`},
	{`object.get`, `object.get(input, "azp", "none"), then as input.azp`, `object.get with a path, or of a field with members`},
	{`types`, `is_string(input.azp) and the other questions for the type`, `those for fields with any JSON`},
	{`functions`, `a call of a function, an argument and a value of these shapes`, `two definitions of a value that holds input; a pattern with input`},
	{`a reason that quotes the input`, `sprintf("…", [input.azp]) in a reason`, `the same compared with anything`},
	{`functions of what is determined`, `any built-in function of what is determined`, `any other built-in function of input; with`},
}

// bits are what a value may be, as far as the argument needs it. A value may have several.
type bits uint16

const (
	spelled  bits = 1 << iota // determined, and made of constants that the policy or its data spells out
	computed                  // determined, but its texts may be others
	whole                     // text of the input
	part                      // a member of a list of the input
	array                     // a list of the input
	set                       // a set of members of the input
	quote                     // text for people that quotes the input
	document                  // the input itself
	unknown                   // anything that depends on the input

	determined = spelled | computed
	text       = whole | part
	fromInput  = whole | part | array | set | quote | document | unknown
)

// only reports whether b has bits of these and no others.
func (b bits) only(these bits) bool { return b&^these == 0 }

func (b bits) has(any bits) bool { return b&any != 0 }

// shapes finds the expressions that have none of the shapes.
type shapes struct {
	rules     map[string][]*ast.Rule
	values    map[string]bits // of a rule, by path
	arguments map[argument]bits
	documents map[string]any
	entry     ast.Ref

	final   bool // the values are known: note what is outside
	outside []Expression
	quotes  bool
	peers   []Expression // that compare two texts of the input

	rule *ast.Rule
	expr *ast.Expr
}

type argument struct {
	function string
	index    int
}

func readShapes(rules []*ast.Rule, entrypoint string, documents map[string]any) *shapes {
	s := &shapes{rules: map[string][]*ast.Rule{}, values: map[string]bits{}, arguments: map[argument]bits{}, documents: documents}
	s.entry, _ = ast.PtrRef(ast.DefaultRootDocument, entrypoint)
	for _, rule := range rules {
		path := rule.Ref().GroundPrefix().String()
		s.rules[path] = append(s.rules[path], rule)
	}
	for {
		before := s.size()
		for _, rule := range rules {
			s.walkRule(rule)
		}
		if s.size() == before {
			break
		}
	}
	s.final = true
	for _, rule := range rules {
		s.walkRule(rule)
	}
	return s
}

// size grows with what is known, until all is.
func (s *shapes) size() (n int) {
	for _, b := range s.values {
		n += int(b)
	}
	for _, b := range s.arguments {
		n += int(b)
	}
	return n
}

// fault notes the present expression as outside, and returns what is then known of its value.
func (s *shapes) fault(format string, arguments ...any) bits {
	if s.final {
		s.outside = append(s.outside, s.here(fmt.Sprintf(format, arguments...)))
	}
	return unknown
}

// here is the present expression.
func (s *shapes) here(why string) Expression {
	location := s.rule.Location
	if s.expr != nil && s.expr.Location != nil {
		location = s.expr.Location
	}
	return at(location, why)
}

func at(location *ast.Location, why string) Expression {
	return Expression{Place: fmt.Sprintf("%s:%d", location.File, location.Row), Text: firstLine(string(location.Text)), Why: why}
}

// empties are the rules with an empty text, which a list has between two spaces.
func (s *shapes) empties() (found []Expression) {
	for _, rules := range s.rules {
		for _, rule := range rules {
			ast.WalkTerms(rule, func(t *ast.Term) bool {
				if t.Equal(ast.StringTerm("")) {
					found = append(found, at(rule.Location, "an empty text among the parts of the input"))
				}
				return false
			})
		}
	}
	if found == nil {
		found = []Expression{{Place: "data", Text: `""`, Why: "an empty text among the parts of the input"}}
	}
	return found
}

func firstLine(source string) string {
	for i, r := range source {
		if r == '\n' {
			return source[:i] + " …"
		}
	}
	return source
}

// scope is what is known of the variables of a rule, so far in the order of evaluation.
type scope map[ast.Var]bits

func (s *shapes) walkRule(rule *ast.Rule) {
	s.rule, s.expr = rule, nil
	path := rule.Ref().GroundPrefix().String()
	known := scope{}
	for i, pattern := range rule.Head.Args {
		s.bind(known, pattern, s.arguments[argument{path, i}])
	}
	s.body(known, rule.Body)
	s.expr = nil

	value := s.head(known, rule)
	isEntry := rule.Ref().GroundPrefix().Equal(s.entry)
	if isEntry && value.has(quote) {
		s.quotes = true
	}
	// Two definitions that both hold are an error unless their values are equal.
	if value.has(fromInput) && rule.Head.RuleKind() == ast.SingleValue && s.definitions(path) > 1 && !rule.Default {
		value = s.fault("one of several definitions of a value that holds input")
	}
	if value.has(part) && rule.Head.RuleKind() == ast.SingleValue {
		value = s.fault("a single value that is a part of the input")
	}
	if value.has(unknown) && isEntry {
		s.fault("the decision itself is made of input")
	}
	s.values[path] |= value
}

func (s *shapes) definitions(path string) (n int) {
	for _, rule := range s.rules[path] {
		if !rule.Default {
			n++
		}
	}
	return n
}

// head is what a rule's value may be.
func (s *shapes) head(known scope, rule *ast.Rule) bits {
	if rule.Head.RuleKind() == ast.MultiValue {
		switch key := s.term(known, rule.Head.Key); {
		case s.dynamic(known, rule):
			return s.fault("a set with keys from the input")
		case !rule.Head.Ref().IsGround() && !key.only(determined): // an object of such sets
			return s.fault("several sets of values that hold input")
		case key.only(determined | quote):
			return key
		case key.only(text | spelled):
			return set | key&spelled
		default:
			return s.fault("a set of values that hold input")
		}
	}
	value := bits(spelled)
	if rule.Head.Value != nil {
		value = s.term(known, rule.Head.Value)
	}
	keys := rule.Head.Ref()[len(rule.Head.Ref().GroundPrefix()):]
	if rule.Head.Key != nil {
		keys = append(slices.Clone(keys), rule.Head.Key)
	}
	for _, key := range keys {
		b := s.term(known, key)
		if !b.only(determined) || !value.only(determined) {
			return s.fault("an object with keys or values from the input")
		}
		value |= b
	}
	return value
}

// dynamic reports whether a rule's name has a variable that holds input.
func (s *shapes) dynamic(known scope, rule *ast.Rule) bool {
	ref := rule.Head.Ref()
	return slices.ContainsFunc(ref[len(ref.GroundPrefix()):], func(key *ast.Term) bool { return !s.term(known, key).only(determined) })
}

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

// term is what a term may be.
func (s *shapes) term(known scope, t *ast.Term) bits {
	switch value := t.Value.(type) {
	case ast.String, ast.Number, ast.Boolean, ast.Null:
		return spelled
	case ast.Var:
		switch {
		case value.Equal(ast.InputRootDocument.Value):
			return document
		case value.Equal(ast.DefaultRootDocument.Value):
			return s.fault("all of data")
		}
		b, seen := known[value]
		if !seen {
			return s.fault("a variable without a value")
		}
		return b
	case ast.Ref:
		return s.reference(known, value)
	case *ast.Array, ast.Object, ast.Set:
		return s.composite(known, t)
	case *ast.SetComprehension:
		inner := clone(known)
		s.body(inner, value.Body)
		switch b := s.term(inner, value.Term); {
		case b.only(determined):
			return b
		case b.only(text | spelled):
			return set | b&spelled
		case b.only(quote | determined):
			return quote
		}
		return s.fault("a set of values that hold input")
	case *ast.ArrayComprehension:
		inner := clone(known)
		s.body(inner, value.Body)
		b := s.term(inner, value.Term)
		for variable, bound := range inner {
			if _, outer := known[variable]; !outer && bound.has(fromInput) {
				return s.fault("an array made of input, which has an order and repetitions")
			}
		}
		if !b.only(determined) || iterates(value.Body, s, inner) {
			return s.fault("an array made of input, which has an order and repetitions")
		}
		return b
	case *ast.ObjectComprehension:
		inner := clone(known)
		s.body(inner, value.Body)
		b := s.term(inner, value.Key) | s.term(inner, value.Value)
		if b.only(determined) {
			return b
		}
		return s.fault("an object made of input")
	}
	return s.fault("%s", ast.ValueName(t.Value))
}

// iterates reports whether a body may hold several times for one value: it looks through a
// list or set of the input without a variable of a name, as in granted[_].
func iterates(body ast.Body, s *shapes, known scope) bool {
	found := false
	ast.WalkRefs(body, func(ref ast.Ref) bool {
		if !ref.IsGround() {
			quiet := *s
			quiet.final = false
			b := quiet.term(clone(known), ast.NewTerm(ref))
			found = found || b.has(fromInput)
		}
		return false
	})
	return found
}

// composite is what a literal with members may be.
func (s *shapes) composite(known scope, t *ast.Term) bits {
	var all bits
	add := func(member *ast.Term) { all |= s.term(known, member) }
	switch value := t.Value.(type) {
	case *ast.Array:
		value.Foreach(add)
	case ast.Set:
		value.Foreach(add)
	case ast.Object:
		value.Foreach(func(key, member *ast.Term) {
			k := s.term(known, key)
			if !k.only(determined) {
				k = s.fault("an object with keys from the input")
			}
			all |= k // a field may be looked up among the keys
			add(member)
		})
	}
	switch {
	case all == 0:
		return spelled
	case all.only(determined):
		if all.has(computed) {
			return computed
		}
		return spelled
	case all.only(determined | quote):
		return quote
	}
	return s.fault("a value made of input")
}

// reference is what a reference may lead to.
func (s *shapes) reference(known scope, ref ast.Ref) bits {
	var value bits
	rest := []*ast.Term(ref[1:])
	head := s.headOf(known, ref)
	switch {
	case head == document:
		leaf, taken := leafOf(rest)
		if taken == 0 {
			if len(rest) == 0 {
				return document
			}
			s.unbindAll(known, rest)
			return s.fault("a field of the input that is not named")
		}
		value, rest = s.leaf(leaf), rest[taken:]
	case ref.HasPrefix(ast.DefaultRootRef):
		value, rest = s.data(ref)
	default:
		value = head
	}
	for _, operand := range rest {
		value = s.step(known, value, operand)
	}
	return value
}

func (s *shapes) headOf(known scope, ref ast.Ref) bits {
	if ref.HasPrefix(ast.DefaultRootRef) {
		return 0
	}
	return s.term(known, ref[0])
}

// unbindAll gives a value to the variables of a reference that is outside anyway.
func (s *shapes) unbindAll(known scope, operands []*ast.Term) {
	for _, operand := range operands {
		if variable, ok := unbound(known, operand); ok {
			known[variable] = unknown
		}
	}
}

// leaf is what a leaf of the input may be.
func (s *shapes) leaf(leaf Leaf) bits {
	switch kind, ok := leaf.Kind(); {
	case !ok:
		return spelled // never defined
	case kind == Text:
		return whole
	case kind == List:
		return array
	case kind == Number:
		return s.fault("a number of the input")
	}
	return s.fault("a field that may be any JSON")
}

// data is what a reference below data may be, and the operands that follow a rule's name or
// a data document's.
func (s *shapes) data(ref ast.Ref) (value bits, rest []*ast.Term) {
	constant := ref.ConstantPrefix()
	found := false
	for path, rules := range s.rules {
		ground := rules[0].Ref().GroundPrefix()
		switch {
		case constant.HasPrefix(ground):
			found = true
			value |= s.values[path]
			rest = ref[len(ground):]
		case ground.HasPrefix(constant):
			found = true
			if b := s.values[path]; b.only(determined) {
				value |= b
			} else {
				value |= s.fault("several rules as one object, of which one holds input")
			}
			rest = ref[len(constant):]
		}
	}
	var present any = s.documents
	for i, operand := range constant[1:] {
		key, _ := operand.Value.(ast.String)
		object, _ := present.(map[string]any)
		next, ok := object[string(key)]
		if !ok {
			break
		}
		present = next
		if _, more := present.(map[string]any); !more || i == len(constant)-2 {
			value |= spelled
			if !found {
				rest = ref[i+2:]
			}
			return value, rest
		}
	}
	return value, rest
}

// step is what an operand of a reference leads to.
func (s *shapes) step(known scope, value bits, operand *ast.Term) bits {
	variable, free := unbound(known, operand)
	var result bits
	var bound bits // of a variable that has no value yet
	key := bits(0)
	if !free {
		key = s.term(known, operand)
	}
	if value.has(determined) {
		result |= value & determined
		bound |= value & determined
		switch {
		case free, key.only(determined):
		case key.only(text|spelled) && value&determined == spelled:
		default:
			result |= s.fault("looks up more than the text of one field in what is spelled out")
		}
	}
	if value.has(set) {
		switch {
		case free:
			result |= part
			bound |= part
		case key.only(spelled):
			result |= spelled
		default:
			result |= s.fault("looks up more than a constant in a set of input")
		}
	}
	if value.has(array) {
		switch {
		case free && count(s.rule, variable) == 1:
			result |= part
		case free:
			result |= s.fault("the position in a list of the input")
			bound |= unknown
		default:
			result |= s.fault("the position in a list of the input")
		}
	}
	if value.has(fromInput &^ (set | array)) {
		result |= s.fault("a member of what is no list of the input")
		bound |= unknown
	}
	if free {
		known[variable] = bound
	}
	return result
}
