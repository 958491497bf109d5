package declaration

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"account-api/local/graph"
)

// withoutEffect are types that change nothing about how a request is answered on this
// machine.
var withoutEffect = []string{
	"pulumi:pulumi:Stack",
	"pulumi:providers:aws",
	TypeFunction, // run by whoever implements gateway.Functions; only its ARN and name are read here
	"aws:iam/role:Role",
	"aws:iam/policy:Policy",
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment",
	TypeAccount, // where execution logs go
	"aws:wafv2/webAclAssociation:WebAclAssociation", // a web ACL is not evaluated here
	"aws:apigateway/domainName:DomainName",          // the API is served below the stage's path
	TypeBasePathMapping,
}

// withoutEffectPrefix: logs, alarms, dashboards and metric filters observe requests.
const withoutEffectPrefix = "aws:cloudwatch/"

// rule says whether a declared value is modelled. If not, it returns what to do about it.
type rule func(value any) (fix string)

func accepted(any) string { return "" }

// absent refuses every value but an empty one. A number always says something.
func absent(fix string) rule {
	return func(value any) string {
		v := reflect.ValueOf(value)
		list := v.Kind() == reflect.Slice || v.Kind() == reflect.Map
		if list && v.Len() == 0 || v.Kind() != reflect.Float64 && v.IsZero() {
			return ""
		}
		return fix
	}
}

// oneOf refuses every text but those listed.
func oneOf(fix string, values ...string) rule {
	return func(value any) string {
		if s, ok := value.(string); ok && slices.Contains(values, s) {
			return ""
		}
		return fmt.Sprintf("expected %s, got %v: %s", strings.Join(values, " or "), value, fix)
	}
}

// rules are the modelled properties of one type. A property that is not listed is refused
// by name.
type rules map[string]rule

// accepting adds properties that are read elsewhere, or have no effect on an answer.
func (r rules) accepting(properties ...string) rules {
	for _, property := range properties {
		r[property] = accepted
	}
	return r
}

var properties = map[string]rules{
	TypeRestAPI: rules{
		"binaryMediaTypes":       absent("bodies are text here: remove it"),
		"minimumCompressionSize": absent("responses are not compressed here: remove it"),
		"body":                   absent("an OpenAPI document is not read: declare Resource, Method and Integration"),
		"parameters":             absent("an OpenAPI document is not read: remove it"),
		"policy":                 absent("resource policies are not evaluated: remove it"),
	}.accepting("name", "description", "tags", "apiKeySource", "endpointConfiguration", "putRestApiMode", "failOnWarnings",
		"securityPolicy", "endpointAccessMode", // about TLS
		"disableExecuteApiEndpoint"), // see the findings
	TypeResource: rules{}.accepting("restApi", "parentId", "pathPart"),
	TypeMethod: rules{
		"authorization":       oneOf("use a Lambda authorizer", "NONE", "CUSTOM"),
		"authorizationScopes": absent("scopes belong to Cognito authorizers: decide in the handler"),
		"apiKeyRequired":      absent("API keys are not modelled: remove it"),
		"requestModels":       absent("bodies are not validated here: remove it"),
	}.accepting("restApi", "resourceId", "httpMethod", "authorizerId", "operationName", "requestParameters", "requestValidatorId"),
	TypeIntegration: rules{
		"type":                oneOf("use a Lambda proxy or a mock", "AWS_PROXY", "MOCK"),
		"passthroughBehavior": oneOf("use one of them", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
		"connectionType":      oneOf("VPC links are not modelled", "INTERNET"),
		"contentHandling":     oneOf("bodies are text here", "CONVERT_TO_TEXT"),
		"connectionId":        absent("VPC links are not modelled: remove it"),
		"credentials":         absent("execution roles are not modelled: declare a lambda.Permission"),
		"requestParameters":   absent("request mapping is not modelled: remove it"),
		"cacheKeyParameters":  absent("response caching is not modelled: remove it"),
		"cacheNamespace":      absent("response caching is not modelled: remove it"),
		"tlsConfig":           absent("HTTP back ends are not modelled: remove it"),
	}.accepting("restApi", "resourceId", "httpMethod", "uri", "integrationHttpMethod", "timeoutMilliseconds", "requestTemplates"),
	TypeMethodResponse: rules{}.accepting("restApi", "resourceId", "httpMethod", "statusCode", "responseModels", "responseParameters"),
	TypeIntegrationResponse: rules{
		"contentHandling": oneOf("bodies are text here", "CONVERT_TO_TEXT"),
	}.accepting("restApi", "resourceId", "httpMethod", "statusCode", "selectionPattern", "responseParameters", "responseTemplates"),
	TypeAuthorizer: rules{
		"type":                  oneOf("use a TOKEN authorizer", "TOKEN"),
		"authorizerCredentials": absent("execution roles are not modelled: declare a lambda.Permission"),
		"providerArns":          absent("Cognito is not modelled: remove it"),
	}.accepting("restApi", "name", "authorizerUri", "identitySource", "identityValidationExpression", "authorizerResultTtlInSeconds"),
	TypeGatewayResponse: rules{}.accepting("restApiId", "responseType", "statusCode", "responseParameters", "responseTemplates"),
	TypeDeployment: rules{
		"stageName":        absent("an active stage would block replacing the deployment: declare an apigateway.Stage"),
		"stageDescription": absent("declare an apigateway.Stage"),
		"variables":        absent("declare them on the apigateway.Stage"),
		"canarySettings":   absent("canary releases are not modelled: remove it"),
	}.accepting("restApi", "description", "triggers"),
	TypeStage: rules{
		"cacheClusterEnabled": absent("response caching is not modelled: remove it"),
		"canarySettings":      absent("canary releases are not modelled: remove it"),
	}.accepting("restApi", "deployment", "stageName", "description", "tags", "variables", "accessLogSettings", "xrayTracingEnabled",
		"clientCertificateId", "documentationVersion", "cacheClusterSize"),
	TypeRequestValidator: rules{}.accepting("restApi", "name", "validateRequestParameters",
		"validateRequestBody"), // no method can have a model, so there is nothing to validate
	TypeAlias: rules{
		"routingConfig": absent("a share of the calls would go to another version, and only the current code is known here: remove it"),
	}.accepting("name", "description", "functionName", "functionVersion"),
	TypeMethodSettings: rules{}.accepting("restApi", "stageName", "methodPath", "settings"),
	TypePermission: rules{
		"eventSourceToken":    absent("API Gateway sends none: remove it"),
		"functionUrlAuthType": absent("function URLs are not modelled: remove it"),
		"principalOrgId":      absent("organisations are not modelled: remove it"),
	}.accepting("action", "function", "principal", "sourceArn", "sourceAccount", "statementId", "statementIdPrefix", "qualifier"),
}

// checkModelled refuses every type and every property that is not modelled.
func checkModelled(g *graph.Graph, p *problems) {
	for _, r := range g.Resources {
		if slices.Contains(withoutEffect, r.Type) || strings.HasPrefix(r.Type, withoutEffectPrefix) {
			continue
		}
		rules, ok := properties[r.Type]
		if !ok {
			p.add(r.Type, r.Name, "", "this type is not modelled: remove the resource, or keep it out of the stack that runs locally")
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
			rule, ok := rules[name]
			switch {
			case r.Inputs[name] == nil:
			case !ok:
				p.add(r.Type, r.Name, name, "this property is not modelled: remove it")
			default:
				if fix := rule(r.Inputs[name]); fix != "" {
					p.add(r.Type, r.Name, name, "%s", fix)
				}
			}
		}
	}
}
