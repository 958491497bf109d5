package record

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"

	"account-api/local/graph"
)

// provider makes up what AWS computes when a resource is created, in AWS's own forms.
// Permissions, policies and URIs that contain it look as in a deployed stack. The same
// name gives the same ID in every run.
type provider struct {
	region string
}

// create returns a new resource's ID and its computed properties.
func (p provider) create(token, name string, inputs map[string]any) (id string, computed map[string]any) {
	id = shortID(token, name, 6)
	physical, named := inputs["name"].(string)
	if !named {
		physical = name
	}
	computed = map[string]any{"name": physical}
	switch token {
	case "aws:apigateway/restApi:RestApi":
		id = shortID(token, name, 10)
		computed["arn"] = fmt.Sprintf("arn:aws:apigateway:%s::/restapis/%s", p.region, id)
		computed["executionArn"] = fmt.Sprintf("arn:aws:execute-api:%s:%s:%s", p.region, Account, id)
		computed["rootResourceId"] = shortID(token, name+"/", 10)
	case "aws:apigateway/resource:Resource":
		computed = map[string]any{"path": "/" + text(inputs, "pathPart")}
	case "aws:apigateway/authorizer:Authorizer":
		computed["arn"] = fmt.Sprintf("arn:aws:apigateway:%s::/restapis/%s/authorizers/%s", p.region, text(inputs, "restApi"), id)
	case "aws:apigateway/stage:Stage":
		api, stage := text(inputs, "restApi"), text(inputs, "stageName")
		id = fmt.Sprintf("ags-%s-%s", api, stage)
		computed = map[string]any{
			"arn":          fmt.Sprintf("arn:aws:apigateway:%s::/restapis/%s/stages/%s", p.region, api, stage),
			"executionArn": fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s", p.region, Account, api, stage),
			"invokeUrl":    fmt.Sprintf("https://%s.execute-api.%s.amazonaws.com/%s", api, p.region, stage),
		}
	case "aws:lambda/function:Function":
		id = physical
		arn := fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", p.region, Account, physical)
		computed["arn"] = arn
		computed["invokeArn"] = graph.InvokeARN(p.region, arn)
		// The code here is the current one: the first version of a new stack.
		version := graph.Latest
		if publish, _ := inputs["publish"].(bool); publish {
			version = "1"
		}
		computed["version"] = version
		computed["qualifiedArn"] = arn + ":" + version
		computed["qualifiedInvokeArn"] = graph.InvokeARN(p.region, arn+":"+version)
	case "aws:lambda/alias:Alias":
		function := text(inputs, "functionName")
		if !strings.HasPrefix(function, "arn:") {
			function = fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", p.region, Account, function)
		}
		id = function + ":" + physical
		computed["arn"] = id
		computed["invokeArn"] = graph.InvokeARN(p.region, id)
	case "aws:cloudwatch/logGroup:LogGroup":
		id = physical
		computed["arn"] = fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", p.region, Account, physical)
	case "aws:cloudwatch/metricAlarm:MetricAlarm":
		id = physical
		computed["arn"] = fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", p.region, Account, physical)
	case "aws:cloudwatch/logMetricFilter:LogMetricFilter":
		id = physical
	case "aws:cloudwatch/dashboard:Dashboard":
		id = text(inputs, "dashboardName")
		computed = map[string]any{"dashboardArn": fmt.Sprintf("arn:aws:cloudwatch::%s:dashboard/%s", Account, id)}
	case "aws:apigateway/account:Account":
		id = "api-gateway-account" // the only one of the account and region
		computed = map[string]any{}
	case "aws:apigateway/methodSettings:MethodSettings":
		id = fmt.Sprintf("%s-%s-%s", text(inputs, "restApi"), text(inputs, "stageName"), text(inputs, "methodPath"))
		computed = map[string]any{}
	case "aws:apigateway/domainName:DomainName":
		id = text(inputs, "domainName")
		computed = map[string]any{
			"arn":                fmt.Sprintf("arn:aws:apigateway:%s::/domainnames/%s", p.region, id),
			"regionalDomainName": fmt.Sprintf("d-%s.execute-api.%s.amazonaws.com", shortID(token, name, 10), p.region),
			"regionalZoneId":     "Z" + strings.ToUpper(shortID(token, name+"/", 13)),
		}
	case "aws:apigateway/basePathMapping:BasePathMapping":
		id = fmt.Sprintf("%s/%s", text(inputs, "domainName"), text(inputs, "basePath"))
		computed = map[string]any{}
	case "aws:wafv2/webAclAssociation:WebAclAssociation":
		id = text(inputs, "webAclArn") + "," + text(inputs, "resourceArn")
		computed = map[string]any{}
	case "aws:iam/role:Role", "aws:iam/policy:Policy":
		kind := map[bool]string{true: "role", false: "policy"}[token == "aws:iam/role:Role"]
		computed["arn"] = fmt.Sprintf("arn:aws:iam::%s:%s/%s", Account, kind, physical)
		id = physical
		if kind == "policy" {
			id = computed["arn"].(string)
		}
	default:
		computed = map[string]any{}
	}
	return id, computed
}

func text(inputs map[string]any, property string) string {
	s, _ := inputs[property].(string)
	return s
}

// shortID is a stable ID of lower-case letters and digits, as API Gateway's are.
func shortID(token, name string, length int) string {
	sum := sha256.Sum256([]byte(token + "\x00" + name))
	return new(big.Int).SetBytes(sum[:]).Text(36)[:length]
}
