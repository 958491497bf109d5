package decision

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Reads are the names of the input's fields that a decision may depend on. They are all
// fields if a rule uses the input as a whole, or a field that no constant names.
func (p *Policy) Reads() []string {
	read, whole := p.reads()
	if whole {
		read = nil
		for _, field := range Fields {
			read = append(read, field.Name)
		}
	}
	return read
}

// reads are the fields that constants name, and whether others may be read too.
func (p *Policy) reads() (read []string, whole bool) {
	for _, rule := range p.Rules() {
		visitor := &ast.GenericVisitor{}
		visitor = ast.NewGenericVisitor(func(node any) (stop bool) {
			ref, isRef := node.(ast.Ref)
			switch {
			case isRef && ref.HasPrefix(ast.InputRootRef):
				if len(ref) > 1 {
					if name, constant := ref[1].Value.(ast.String); constant {
						read = append(read, string(name))
					} else {
						whole = true
					}
					for _, operand := range ref[1:] {
						visitor.Walk(operand)
					}
				} else {
					whole = true
				}
				return true
			case ast.InputRootDocument.Value.Compare(valueOf(node)) == 0:
				whole = true
			}
			return false
		})
		visitor.Walk(rule)
	}
	slices.Sort(read)
	return slices.Compact(read), whole
}

// valueOf is a node of a syntax tree if it is a value, and null otherwise.
func valueOf(node any) ast.Value {
	if value, ok := node.(ast.Value); ok {
		return value
	}
	return ast.Null{}
}
