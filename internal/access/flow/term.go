package flow

import (
	"github.com/open-policy-agent/opa/v1/ast"
)

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
