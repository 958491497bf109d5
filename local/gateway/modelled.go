package gateway

import (
	"fmt"
	"slices"
	"strings"

	"account-api/local/graph"
)

// Pulumi type tokens that decide how a request is answered.
const (
	typeRestAPI             = "aws:apigateway/restApi:RestApi"
	typeResource            = "aws:apigateway/resource:Resource"
	typeMethod              = "aws:apigateway/method:Method"
	typeIntegration         = "aws:apigateway/integration:Integration"
	typeMethodResponse      = "aws:apigateway/methodResponse:MethodResponse"
	typeIntegrationResponse = "aws:apigateway/integrationResponse:IntegrationResponse"
	typeAuthorizer          = "aws:apigateway/authorizer:Authorizer"
	typeGatewayResponse     = "aws:apigateway/response:Response"
	typeDeployment          = "aws:apigateway/deployment:Deployment"
	typeStage               = "aws:apigateway/stage:Stage"
	typeRequestValidator    = "aws:apigateway/requestValidator:RequestValidator"
	typeMethodSettings      = "aws:apigateway/methodSettings:MethodSettings"
	typePermission          = "aws:lambda/permission:Permission"
	typeFunction            = "aws:lambda/function:Function"
	typeAccount             = "aws:apigateway/account:Account"
	typeBasePathMapping     = "aws:apigateway/basePathMapping:BasePathMapping"
)

// withoutEffect are the types that change nothing about how a request is answered
// on this machine. What they do change is named, so that nobody expects it here.
var withoutEffect = []string{
	"pulumi:pulumi:Stack",
	"pulumi:providers:aws",
	typeFunction, // run by whoever implements Functions; the gateway reads its ARN, name and environment
	"aws:iam/role:Role",
	"aws:iam/policy:Policy",
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment",
	typeAccount, // where execution logs go
	"aws:wafv2/webAclAssociation:WebAclAssociation", // a web ACL is not evaluated here
	"aws:apigateway/domainName:DomainName",          // served under the stage's path instead
	typeBasePathMapping,
}

// withoutEffectPrefix: logs, alarms, dashboards and metric filters observe requests.
const withoutEffectPrefix = "aws:cloudwatch/"

// rule says whether a declared value is modelled; if not, what to do about it.
type rule func(value any) (fix string)

func accepted(any) string { return "" }

// absent refuses any value that says something.
func absent(fix string) rule {
	return func(value any) string {
		if empty(value) {
			return ""
		}
		return fix
	}
}

// oneOf refuses any other text than those listed.
func oneOf(fix string, values ...string) rule {
	return func(value any) string {
		if s, ok := value.(string); ok && slices.Contains(values, s) {
			return ""
		}
		return fmt.Sprintf("expected %s, got %v: %s", strings.Join(values, " or "), value, fix)
	}
}

// modelled lists every property that the gateway knows, by type. A property that
// is not listed is refused by name.
var modelled = map[string]map[string]rule{
	typeRestAPI: {
		"name": accepted, "description": accepted, "tags": accepted, "apiKeySource": accepted,
		"endpointConfiguration": accepted, "putRestApiMode": accepted, "failOnWarnings": accepted,
		"securityPolicy": accepted, "endpointAccessMode": accepted, // about TLS
		"disableExecuteApiEndpoint": accepted, // see the findings
		"binaryMediaTypes":          absent("bodies are text here: remove it"),
		"minimumCompressionSize":    absent("responses are not compressed here: remove it"),
		"body":                      absent("an OpenAPI document is not read: declare Resource, Method and Integration"),
		"parameters":                absent("an OpenAPI document is not read: remove it"),
		"policy":                    absent("resource policies are not evaluated: remove it"),
	},
	typeResource: {"restApi": accepted, "parentId": accepted, "pathPart": accepted},
	typeMethod: {
		"restApi": accepted, "resourceId": accepted, "httpMethod": accepted, "authorizerId": accepted,
		"authorization":       oneOf("use a Lambda authorizer", "NONE", "CUSTOM"),
		"authorizationScopes": absent("scopes belong to Cognito authorizers: decide in the handler"),
		"apiKeyRequired":      absent("API keys are not modelled: remove it"),
		"operationName":       accepted,
		"requestModels":       absent("bodies are not validated here: remove it"),
		"requestParameters":   accepted, "requestValidatorId": accepted,
	},
	typeIntegration: {
		"restApi": accepted, "resourceId": accepted, "httpMethod": accepted, "uri": accepted,
		"integrationHttpMethod": accepted, "timeoutMilliseconds": accepted, "requestTemplates": accepted,
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
	},
	typeMethodResponse: {
		"restApi": accepted, "resourceId": accepted, "httpMethod": accepted, "statusCode": accepted,
		"responseModels": accepted, "responseParameters": accepted,
	},
	typeIntegrationResponse: {
		"restApi": accepted, "resourceId": accepted, "httpMethod": accepted, "statusCode": accepted,
		"selectionPattern": accepted, "responseParameters": accepted, "responseTemplates": accepted,
		"contentHandling": oneOf("bodies are text here", "CONVERT_TO_TEXT"),
	},
	typeAuthorizer: {
		"restApi": accepted, "name": accepted, "authorizerUri": accepted, "identitySource": accepted,
		"identityValidationExpression": accepted, "authorizerResultTtlInSeconds": accepted,
		"type":                  oneOf("use a TOKEN authorizer", "TOKEN"),
		"authorizerCredentials": absent("execution roles are not modelled: declare a lambda.Permission"),
		"providerArns":          absent("Cognito is not modelled: remove it"),
	},
	typeGatewayResponse: {
		"restApiId": accepted, "responseType": accepted, "statusCode": accepted,
		"responseParameters": accepted, "responseTemplates": accepted,
	},
	typeDeployment: {
		"restApi": accepted, "description": accepted, "triggers": accepted,
		"stageName":        absent("an active stage would block replacing the deployment: declare an apigateway.Stage"),
		"stageDescription": absent("declare an apigateway.Stage"),
		"variables":        absent("declare them on the apigateway.Stage"),
		"canarySettings":   absent("canary releases are not modelled: remove it"),
	},
	typeStage: {
		"restApi": accepted, "deployment": accepted, "stageName": accepted, "description": accepted,
		"tags": accepted, "variables": accepted, "accessLogSettings": accepted, "xrayTracingEnabled": accepted,
		"clientCertificateId": accepted, "documentationVersion": accepted, "cacheClusterSize": accepted,
		"cacheClusterEnabled": absent("response caching is not modelled: remove it"),
		"canarySettings":      absent("canary releases are not modelled: remove it"),
	},
	typeRequestValidator: {
		"restApi": accepted, "name": accepted, "validateRequestParameters": accepted,
		"validateRequestBody": accepted, // no method can have a model, so there is nothing to validate
	},
	typeMethodSettings: {"restApi": accepted, "stageName": accepted, "methodPath": accepted, "settings": accepted},
	typePermission: {
		"action": accepted, "function": accepted, "principal": accepted, "sourceArn": accepted,
		"sourceAccount": accepted, "statementId": accepted, "statementIdPrefix": accepted, "qualifier": accepted,
		"eventSourceToken":    absent("API Gateway sends none: remove it"),
		"functionUrlAuthType": absent("function URLs are not modelled: remove it"),
		"principalOrgId":      absent("organisations are not modelled: remove it"),
	},
}

// check refuses every type and every property that the gateway does not model.
func check(g *graph.Graph, p *problems) {
	for _, r := range g.Resources {
		if slices.Contains(withoutEffect, r.Type) || strings.HasPrefix(r.Type, withoutEffectPrefix) {
			continue
		}
		rules, ok := modelled[r.Type]
		if !ok {
			p.add(r, "", "this type is not modelled: remove the resource, or keep it out of the stack that runs locally")
			continue
		}
		for _, name := range names(r.Inputs) {
			rule, ok := rules[name]
			switch {
			case r.Inputs[name] == nil:
			case !ok:
				p.add(r, name, "this property is not modelled: remove it")
			default:
				if fix := rule(r.Inputs[name]); fix != "" {
					p.add(r, name, "%s", fix)
				}
			}
		}
	}
}
