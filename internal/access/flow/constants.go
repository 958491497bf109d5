package flow

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

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

func sequence(array *ast.Array) (all []string, ok bool) {
	ok = true
	array.Foreach(func(t *ast.Term) {
		text, isText := t.Value.(ast.String)
		all, ok = append(all, string(text)), ok && isText
	})
	return all, ok
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
