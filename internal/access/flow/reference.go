package flow

import "github.com/open-policy-agent/opa/v1/ast"

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
