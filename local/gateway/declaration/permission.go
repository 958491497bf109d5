package declaration

import (
	"fmt"
	"strings"

	"account-api/local/gateway/iampolicy"
)

// permission is one statement of a function's resource policy.
type permission struct {
	name                                                             string // in the program
	action, function, principal, sourceARN, sourceAccount, qualifier string
}

// principalAPIGateway is who calls a function for API Gateway.
const principalAPIGateway = "apigateway.amazonaws.com"

func readPermissions(d *document) []permission {
	var all []permission
	for _, resource := range d.graph.OfType(TypePermission) {
		r := declared{resource, d.problems}
		function, qualifier := splitQualifier(r.text("function", ""))
		all = append(all, permission{
			name: r.Name, action: r.text("action", ""), function: function, principal: r.text("principal", ""),
			sourceARN: r.text("sourceArn", ""), sourceAccount: r.text("sourceAccount", ""), qualifier: r.text("qualifier", qualifier),
		})
	}
	return all
}

// about reports whether the permission is part of f's policy. A function is named
// by name, ARN or partial ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (p permission) about(f *Function) bool {
	return p.function == f.Name || p.function == f.own() ||
		strings.HasSuffix(p.function, ":function:"+f.Name) && strings.HasSuffix(f.own(), ":"+p.function)
}

// splitQualifier separates a version or an alias from a function's name or ARN.
func splitQualifier(function string) (name, qualifier string) {
	const kind = "function:" // the part of an ARN before the name
	start := 0
	if at := strings.Index(function, kind); at >= 0 {
		start = at + len(kind)
	}
	name, qualifier, _ = strings.Cut(function[start:], ":")
	return function[:start] + name, qualifier
}

// refuses says why the permission does not cover a call of f for source; "" when it does.
// A permission without a qualifier covers calls without one only, and the other way round.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
func (p permission) refuses(f *Function, source, account string) string {
	switch {
	case !iampolicy.Match(strings.ToLower(p.action), "lambda:invokefunction"):
		return "its action is not lambda:InvokeFunction"
	case p.principal != principalAPIGateway && p.principal != "*":
		return "its principal is not " + principalAPIGateway
	case p.qualifier != f.Qualifier && f.Qualifier == "":
		return fmt.Sprintf("it is for the version or alias %q, and the function is called without", p.qualifier)
	case p.qualifier != f.Qualifier && p.qualifier == "":
		return fmt.Sprintf("it has no qualifier, and the function is called by its version or alias %q", f.Qualifier)
	case p.qualifier != f.Qualifier:
		return fmt.Sprintf("it is for the version or alias %q, and the function is called by %q", p.qualifier, f.Qualifier)
	case p.sourceAccount != "" && p.sourceAccount != account:
		return "its source account is another one"
	case p.sourceARN != "" && !iampolicy.MatchARN(p.sourceARN, source):
		return fmt.Sprintf("its source ARN %s does not match %s", p.sourceARN, source)
	}
	return ""
}
