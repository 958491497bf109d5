package decision

import "github.com/open-policy-agent/opa/v1/ast"

// namedRules is a compiler stage that refuses references below data that name no rule.
// It runs once imports are resolved and nested calls are expressions of their own.
//
// For OPA such a reference is undefined, which is no error, and the negation of undefined
// is true. In a handler that lacks the file with the list, this rule would allow everybody:
//
//	allow if not data.shared.blocked[input.azp]
//
// https://www.openpolicyagent.org/docs/policy-language#negation
//
// The operands that follow data have to be constant strings up to a rule's name. Behind the
// name any operand is accepted: it is a key of the rule's value. Two forms are refused
// because they can hide a name that no rule has:
//
//   - a variable in place of a name, data.shared[x]
//   - a package as a value: x := data.shared; not x.blocked
var namedRules = ast.CompilerStageDefinition{
	Name:       "CheckNamedRules",
	MetricName: "compile_stage_check_named_rules",
	Stage: func(c *ast.Compiler) *ast.Error {
		check := ast.NewGenericVisitor(func(node any) (stop bool) {
			if term, ok := node.(*ast.Term); ok {
				if ref, ok := term.Value.(ast.Ref); ok {
					if fault := unnamed(c, ref); fault != "" {
						c.Errors = append(c.Errors, ast.NewError(ast.CompileErr, term.Location, "%s", fault))
					}
				}
			}
			return false
		})
		for _, module := range c.Modules {
			check.Walk(module)
		}
		return nil // a stage can return one error only, so all of them are in c.Errors
	},
}

// unnamed says why ref, if it begins with data, is no rule's name; "" means that it is.
func unnamed(c *ast.Compiler, ref ast.Ref) string {
	if !ref.HasPrefix(ast.DefaultRootRef) {
		return ""
	}
	packages := c.ModuleTree.Children[ast.DefaultRootDocument.Value]
	rules := c.RuleTree.Child(ast.DefaultRootDocument.Value)
	for i, operand := range ref[1:] {
		inPackage := packages != nil
		if _, constant := operand.Value.(ast.String); !constant && inPackage {
			return "expected the name of a rule at " + operand.String() + " in " + ref.String() + ": name the rule, a variable may only follow its name"
		} else if !constant {
			return "" // a key of the object that a rule such as shared.limits.low := 1 is part of
		}
		if rules = rules.Child(operand.Value); rules == nil {
			return "expected a rule at " + ref[:i+2].String() + ", got none: add it to the policy's own directory or to a shared one"
		}
		if len(rules.Values) > 0 {
			return ""
		}
		if inPackage {
			packages = packages.Children[operand.Value]
		}
	}
	if packages != nil {
		return "expected a rule, got all of package " + ref.String() + ": name the rule"
	}
	return ""
}
