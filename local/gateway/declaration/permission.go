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
		all = append(all, permission{
			name: r.Name, action: r.text("action", ""), function: r.text("function", ""), principal: r.text("principal", ""),
			sourceARN: r.text("sourceArn", ""), sourceAccount: r.text("sourceAccount", ""), qualifier: r.text("qualifier", ""),
		})
	}
	return all
}

// about reports whether the permission is part of f's policy. A function is named
// by name, ARN or partial ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (p permission) about(f *Function) bool {
	if p.function == f.Name || p.function == f.ARN {
		return true
	}
	return strings.HasSuffix(p.function, ":function:"+f.Name) && strings.HasSuffix(f.ARN, ":"+p.function)
}

// refuses says why the permission does not cover a call for source; "" when it does.
func (p permission) refuses(source, account string) string {
	switch {
	case !iampolicy.Match(strings.ToLower(p.action), "lambda:invokefunction"):
		return "its action is not lambda:InvokeFunction"
	case p.principal != principalAPIGateway && p.principal != "*":
		return "its principal is not " + principalAPIGateway
	case p.qualifier != "":
		return "it is for one version or alias, and the function is called without"
	case p.sourceAccount != "" && p.sourceAccount != account:
		return "its source account is another one"
	case p.sourceARN != "" && !iampolicy.MatchARN(p.sourceARN, source):
		return fmt.Sprintf("its source ARN %s does not match %s", p.sourceARN, source)
	}
	return ""
}
