package decision

import "github.com/open-policy-agent/opa/v1/ast"

// namedRules is a compiler stage that refuses references below data that name no rule.
// It runs once imports are resolved and nested calls are expressions of their own.
//
// To OPA such a reference is undefined, which is no error, and the negation of undefined
// is true. So a rule such as
//
//	allow if not data.shared.blocked[input.azp]
//
// would allow everybody in a handler that lacks the file with the list.
// https://www.openpolicyagent.org/docs/policy-language#negation
//
// What follows data has to be constant strings until it is a rule's name. Behind the name
// anything goes: there, a missing key is for the rule's author to handle. So these are
// refused as well, because they may be undefined although a rule is there:
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
			return "expected the name of a rule at " + operand.String() + " in " + ref.String() + ": a variable may follow the name, not be it"
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
