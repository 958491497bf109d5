package gateway

import (
	"fmt"
	"strings"

	"account-api/local/gateway/iampolicy"
)

// principalAPIGateway is who calls a function for API Gateway.
const principalAPIGateway = "apigateway.amazonaws.com"

// permitted evaluates the functions' resource policies: may API Gateway, acting for
// source, invoke f? The explanation names the permission that allows it, or why
// each one that is about f does not.
// https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
func (a *api) permitted(f *function, source string) (ok bool, explanation string) {
	var near []string
	for i := range a.permissions {
		p := &a.permissions[i]
		if !p.about(f) {
			continue
		}
		problem := p.refuses(source, a.account)
		if problem == "" {
			return true, p.declared.Name
		}
		near = append(near, p.declared.Name+": "+problem)
	}
	if len(near) == 0 {
		return false, fmt.Sprintf("no lambda.Permission lets %s invoke %s", principalAPIGateway, f.name)
	}
	return false, fmt.Sprintf("no lambda.Permission for %s matches (%s)", f.name, strings.Join(near, "; "))
}

// about reports whether the permission is part of f's policy. A function is named
// by name, ARN or partial ARN.
// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (p *permission) about(f *function) bool {
	if p.function == f.name || p.function == f.arn {
		return true
	}
	return strings.HasSuffix(p.function, ":function:"+f.name) && strings.HasSuffix(f.arn, ":"+p.function)
}

// refuses says why the permission does not cover a call for source; "" when it does.
func (p *permission) refuses(source, account string) string {
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
