package decision

import (
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// checkNames is a compiler stage that refuses references below data that name neither a rule
// nor a key of a document, fields that the input lacks as far as OPA's type checker misses
// them (see misspelt), and an entrypoint without a rule or a default. It runs once
// imports are resolved and nested calls are expressions of their own.
//
// For OPA such a reference is undefined, which is no error, and the negation of undefined
// is true. In a handler that lacks the file with the list, this rule would allow everybody:
//
//	allow if not data.shared.blocked[input.azp]
//
// https://www.openpolicyagent.org/docs/policy-language#negation
//
// The operands that follow data have to be constant strings up to the name of a rule or of a
// document's key. Behind the name any operand is accepted: it is a key of the value. Two
// forms are refused because they can hide a name that is not there:
//
//   - a variable in place of a name, data.shared[x]
//   - a package as a value: x := data.shared; not x.blocked
func checkNames(from *source, entrypoint ast.Ref, schema map[string]any) ast.CompilerStageDefinition {
	return ast.CompilerStageDefinition{
		Name:       "CheckNames",
		MetricName: "compile_stage_check_names",
		Stage: func(c *ast.Compiler) *ast.Error {
			report := func(fault *ast.Error) {
				if fault != nil {
					if fault.Details == nil {
						fault.Details = recoverable{}
					}
					c.Errors = append(c.Errors, fault)
				}
			}
			check := ast.NewGenericVisitor(func(node any) (stop bool) {
				if term, ok := node.(*ast.Term); ok {
					if ref, ok := term.Value.(ast.Ref); ok {
						if fault := unnamed(c, from.documents, ref); fault != "" && !from.mayHave(ref) {
							report(ast.NewError(ast.CompileErr, term.Location, "%s", fault))
						}
					}
				}
				return false
			})
			for _, name := range slices.Sorted(maps.Keys(c.Modules)) {
				check.Walk(c.Modules[name])
			}
			for _, fault := range misspelt(c, schema) {
				report(fault)
			}
			if !slices.ContainsFunc(from.unparsed, entrypoint.HasPrefix) {
				for _, fault := range checkEntrypoint(c, entrypoint) {
					report(fault)
				}
			}
			return nil // a stage can return one error only, and ends the compilation with it
		},
	}
}

// checkEntrypoint wants a rule with a default, and each constant value to be a decision.
// Without a default, an input that no rule has thought of is a 500 and not a denial.
func checkEntrypoint(c *ast.Compiler, entrypoint ast.Ref) (faults []*ast.Error) {
	rules := c.GetRulesExact(entrypoint)
	if len(rules) == 0 {
		return []*ast.Error{ast.NewError(ast.CompileErr, packageLocation(c, entrypoint[:len(entrypoint)-1]),
			"expected a rule at %s, which the handler asks, got none", entrypoint)}
	}
	hasDefault := false
	for _, rule := range rules {
		hasDefault = hasDefault || rule.Default
		what := "a value"
		if rule.Default {
			what = "the default"
		}
		for ; rule != nil; rule = rule.Else {
			value := rule.Head.Value
			if value == nil || !constant(value) {
				continue
			}
			if _, err := read(value.Value); err != nil {
				faults = append(faults, ast.NewError(ast.CompileErr, rule.Location, "%s of %s: %v", what, entrypoint, err))
			}
		}
	}
	if !hasDefault {
		faults = append(faults, ast.NewError(ast.CompileErr, rules[0].Location,
			`expected a default of %s, got none: add default %[2]s := {"allow": false, "reasons": {"…"}}`,
			entrypoint, string(entrypoint[len(entrypoint)-1].Value.(ast.String))))
	}
	return faults
}

// constant reports whether a value is the same for every input.
func constant(value *ast.Term) bool {
	computed := false
	ast.NewGenericVisitor(func(node any) bool {
		switch node.(type) {
		case ast.Var, ast.Ref, ast.Call, *ast.ArrayComprehension, *ast.SetComprehension, *ast.ObjectComprehension, *ast.TemplateString:
			computed = true
		}
		return computed
	}).Walk(value)
	return !computed
}

// packageLocation is where a file of a package begins, or any file if there is none.
func packageLocation(c *ast.Compiler, name ast.Ref) (found *ast.Location) {
	for _, file := range slices.Sorted(maps.Keys(c.Modules)) {
		switch module := c.Modules[file]; {
		case module.Package.Path.Equal(name):
			return module.Package.Location
		case found == nil:
			found = module.Package.Location
		}
	}
	return found
}

// unnamed says why ref, if it begins with data, names nothing; "" means that it does.
func unnamed(c *ast.Compiler, documents documents, ref ast.Ref) string {
	if !ref.HasPrefix(ast.DefaultRootRef) {
		return ""
	}
	packages := c.ModuleTree.Children[ast.DefaultRootDocument.Value]
	rules := c.RuleTree.Child(ast.DefaultRootDocument.Value)
	var document any = documents.data
	var path []string
	for i, operand := range ref[1:] {
		_, constant := operand.Value.(ast.String)
		switch isPackage := packages != nil || len(path) == 0 || documents.directories[strings.Join(path, "/")]; {
		case !constant && isPackage:
			return "expected the name of a rule at " + operand.String() + " in " + ref.String() + ": name the rule, a variable may only follow its name"
		case !constant:
			return "" // a key of a document, or of the object that a rule such as shared.limits.low := 1 is part of
		}
		name := string(operand.Value.(ast.String))
		path = append(path, name)
		if rules != nil {
			rules = rules.Child(operand.Value)
		}
		object, _ := document.(map[string]any)
		key, found := object[name]
		switch {
		case rules != nil && len(rules.Values) > 0:
			return ""
		case rules == nil && !found:
			missing := "expected a rule at " + ref[:i+2].String() + ", got none: "
			if nested := documents.nested(path); nested != "" {
				return missing + nested
			}
			return missing + "add it, or a data.json with it, to the policy's own directory or to a shared one"
		}
		document = key
		if _, isObject := document.(map[string]any); found && rules == nil && !isObject {
			return "" // what follows is a place in a list
		}
		if packages != nil {
			packages = packages.Children[operand.Value]
		}
	}
	if packages != nil || len(path) == 0 || documents.directories[strings.Join(path, "/")] {
		return "expected a rule, got all of package " + ref.String() + ": name the rule"
	}
	return ""
}
