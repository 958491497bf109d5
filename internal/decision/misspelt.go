package decision

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// misspelt finds fields that the input lacks where OPA's type checker does not: it takes the
// argument of a function for a value of any type, and object.get for a function of any key.
//
//	is_web(request) if request.client == "web"   # where each call is is_web(input)
//	object.get(input, "client", "")
//	object.get(input, ["claims", "clients"], "")
//
// It knows a variable if the variable can have one value only, a part of the input with a
// constant name. Of a function it knows an argument that all calls in the policy give alike.
// The compiler has given every variable a name of its own by now. In a policy that replaces
// the input, as in "with input as", it finds nothing.
func misspelt(c *ast.Compiler, schema map[string]any) (faults []*ast.Error) {
	if replacesInput(c) {
		return nil
	}
	a := aliases{of: map[ast.Var]ast.Ref{}, untyped: map[ast.Var]bool{}}
	calls := callsOf(c)
	for known := -1; known < len(a.of); { // one function gives its arguments to the next
		known = len(a.of)
		a.assignments(c)
		for _, given := range calls {
			a.parametersOf(c, given)
		}
	}
	report := func(location *ast.Location, ref ast.Ref) {
		if at, names := lacking(schema, ref); at > 0 {
			fault := ast.NewError(ast.TypeErr, location, "undefined ref: %s, want one of %s", ref[:at+1], strings.Join(names, ", "))
			fault.Details = recoverable{ref}
			faults = append(faults, fault)
		}
	}
	visitor := ast.NewGenericVisitor(func(node any) (stop bool) {
		switch node := node.(type) {
		case *ast.Term:
			if ref, ok := node.Value.(ast.Ref); ok {
				if head, ok := ref[0].Value.(ast.Var); ok && a.untyped[head] {
					report(node.Location, a.resolve(ref))
				}
			}
		case *ast.Expr:
			if node.IsCall() && node.Operator().Equal(ast.ObjectGet.Ref()) && len(node.Operands()) > 2 {
				object, key := a.resolve(node.Operand(0).Value), node.Operand(1)
				if keys, isPath := key.Value.(*ast.Array); isPath && object != nil {
					keys.Foreach(func(key *ast.Term) { object = object.Append(key) })
				} else if object != nil {
					object = object.Append(key)
				}
				report(node.Location, object)
			}
		}
		return false
	})
	for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
		visitor.Walk(c.Modules[name])
	}
	return faults
}

// replacesInput reports whether a rule evaluates another with an input of its own.
func replacesInput(c *ast.Compiler) (does bool) {
	for _, module := range c.Modules {
		ast.WalkWiths(module, func(w *ast.With) bool {
			target, isRef := w.Target.Value.(ast.Ref)
			does = does || isRef && target.HasPrefix(ast.InputRootRef)
			return does
		})
	}
	return does
}

// aliases are variables that stand for the input or a part of it.
type aliases struct {
	of      map[ast.Var]ast.Ref
	untyped map[ast.Var]bool // those that come from an argument of a function
}

// resolve is a value as a reference that begins with input, nil if it is none.
func (a aliases) resolve(value ast.Value) ast.Ref {
	switch value := value.(type) {
	case ast.Var:
		return a.of[value]
	case ast.Ref:
		if value.HasPrefix(ast.InputRootRef) {
			return value
		}
		if head, ok := value[0].Value.(ast.Var); ok && a.of[head] != nil {
			return a.of[head].Concat(value[1:])
		}
	}
	return nil
}

// assignments adds variables that are assigned a part of the input, in the order of the source.
func (a aliases) assignments(c *ast.Compiler) {
	for _, module := range c.Modules {
		ast.WalkExprs(module, func(e *ast.Expr) bool {
			if e.IsEquality() && !e.Negated && len(e.With) == 0 {
				for i := range 2 {
					name, isVariable := e.Operand(i).Value.(ast.Var)
					value := e.Operand(1 - i).Value
					if part := a.resolve(value); isVariable && part != nil && part.IsGround() && a.of[name] == nil {
						a.of[name] = part
						if head, isRef := value.(ast.Ref); isRef {
							value = head[0].Value
						}
						from, _ := value.(ast.Var)
						a.untyped[name] = a.untyped[from]
					}
				}
			}
			return false
		})
	}
}

// call is what all calls of a function give it.
type call struct {
	function ast.Ref
	operands [][]*ast.Term // of each call
}

// callsOf are the calls of each function of the policy.
func callsOf(c *ast.Compiler) map[string]*call {
	calls := map[string]*call{}
	add := func(operator ast.Ref, operands []*ast.Term) {
		if operator.HasPrefix(ast.DefaultRootRef) {
			name := operator.String()
			if calls[name] == nil {
				calls[name] = &call{function: operator}
			}
			calls[name].operands = append(calls[name].operands, operands)
		}
	}
	for _, module := range c.Modules {
		ast.NewGenericVisitor(func(node any) (stop bool) {
			switch node := node.(type) {
			case *ast.Expr:
				if node.IsCall() {
					add(node.Operator(), node.Operands())
				}
			case ast.Call:
				if operator, ok := node[0].Value.(ast.Ref); ok {
					add(operator, node[1:])
				}
			case *ast.With: // in place of another function, it gets the arguments of that one
				if function, ok := node.Value.Value.(ast.Ref); ok {
					add(function, nil)
				}
			}
			return false
		}).Walk(module)
	}
	return calls
}

// parametersOf adds the parameters of a function for which every call gives the same part of
// the input.
func (a aliases) parametersOf(c *ast.Compiler, given *call) {
	for _, rule := range c.GetRulesExact(given.function) {
		for ; rule != nil; rule = rule.Else {
			for i, parameter := range rule.Head.Args {
				name, isVariable := parameter.Value.(ast.Var)
				if part := a.same(given.operands, i); isVariable && part != nil {
					a.of[name], a.untyped[name] = part, true
				}
			}
		}
	}
}

// same is the part of the input that all calls give as an operand, or nil.
func (a aliases) same(calls [][]*ast.Term, operand int) (part ast.Ref) {
	for _, operands := range calls {
		if operand >= len(operands) {
			return nil
		}
		given := a.resolve(operands[operand].Value)
		if given == nil || !given.IsGround() || part != nil && !part.Equal(given) {
			return nil
		}
		part = given
	}
	return part
}

// lacking is the index of the first operand of a reference to the input that its schema does
// not have, and the names that it has there; 0 if there is none.
func lacking(schema map[string]any, ref ast.Ref) (at int, names []string) {
	for i := 1; i < len(ref); i++ {
		if items, isArray := schema["items"].(map[string]any); isArray {
			schema = items
			continue
		}
		name, constant := ref[i].Value.(ast.String)
		properties, closed := schema["properties"].(map[string]any)
		if !closed {
			schema, _ = schema["additionalProperties"].(map[string]any)
			continue
		}
		if !constant {
			return 0, nil
		}
		next, found := properties[string(name)].(map[string]any)
		if !found {
			return i, slices.Sorted(maps.Keys(properties))
		}
		schema = next
	}
	return 0, nil
}
