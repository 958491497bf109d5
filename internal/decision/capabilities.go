package decision

import "github.com/open-policy-agent/opa/v1/ast"

// capabilities are what a policy may use of Rego: the language, and built-in functions that
// compute on their arguments. It lists what is allowed, so a function of a later OPA stays
// out until it is added here. With http.send, net.*, opa.runtime, rand.*, uuid.*,
// time.now_ns, trace or print, a decision could leak its input, hang, or differ between
// two equal requests.
//
// A short list also compiles faster. Lambda compiles the policy at every cold start.
func capabilities() *ast.Capabilities {
	return &ast.Capabilities{
		Builtins: []*ast.Builtin{
			// Unification, assignment and comparison: = := == != < <= > >=
			ast.Equality, ast.Assign, ast.Equal, ast.NotEqual,
			ast.LessThan, ast.LessThanEq, ast.GreaterThan, ast.GreaterThanEq,
			// x in xs; k, v in xs
			ast.Member, ast.MemberWithKey,
			// Types
			ast.IsString, ast.IsNumber, ast.IsBoolean, ast.IsArray, ast.IsSet, ast.IsObject, ast.IsNull,
			// Text
			ast.Split, ast.Concat, ast.Contains, ast.StartsWith, ast.EndsWith,
			ast.Lower, ast.Upper, ast.Trim, ast.TrimPrefix, ast.TrimSuffix, ast.Sprintf,
			// Collections
			ast.Count, ast.ObjectGet, ast.ObjectKeys, ast.And, ast.Or, ast.Minus,
		},
		Features: []string{ast.FeatureRegoV1},
		// Empty and not nil: no host, even for a schema that an annotation refers to.
		AllowNet: []string{},
	}
}
