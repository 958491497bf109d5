package declaration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// instead says what to do about types that decide answers and are not modelled.
var instead = map[string]string{
	"aws:apigateway/apiKey:ApiKey":               "API keys are not checked here: identify callers by the authorizer, or leave the keys and their usage plan out by a setting of the stack",
	"aws:apigateway/usagePlan:UsagePlan":         "usage plans are not counted here: limit requests by MethodSettings, or leave the plan out by a setting of the stack",
	"aws:apigateway/usagePlanKey:UsagePlanKey":   "API keys are not checked here: leave it out by a setting of the stack",
	"aws:apigateway/restApiPolicy:RestApiPolicy": "resource policies are not evaluated: decide in the authorizer or the handler",
	"aws-apigateway:index:RestAPI":               "this component declares the API in a plugin, which is not run: declare apigateway.RestApi, Resource, Method and Integration",
	"aws-apigateway:index:RestApi":               "this component declares the API in a plugin, which is not run: declare apigateway.RestApi, Resource, Method and Integration",
}

var properties = map[string]rules{
	TypeRestAPI: rules{
		"binaryMediaTypes":       absent("bodies are text here: answer base64 text in JSON, or serve files from a bucket"),
		"minimumCompressionSize": absent("responses are not compressed here: remove it"),
		"body":                   absent("an OpenAPI document is not read: declare Resource, Method and Integration"),
		"parameters":             absent("an OpenAPI document is not read: remove it"),
		"policy":                 openToAll,
	}.accepting("name", "description", "tags", "apiKeySource", "endpointConfiguration", "putRestApiMode", "failOnWarnings",
		"securityPolicy", "endpointAccessMode", // about TLS
		"disableExecuteApiEndpoint"), // see the findings
	TypeResource: rules{}.accepting("restApi", "parentId", "pathPart"),
	TypeMethod: rules{
		"authorization":       oneOf("use a Lambda authorizer", "NONE", "CUSTOM"),
		"authorizationScopes": absent("scopes belong to Cognito authorizers: decide in the handler"),
		"apiKeyRequired":      absent("API keys are not checked here: identify callers by the authorizer, or set this to false by a setting of the stack"),
		"requestModels":       absent("bodies are not validated here: check the body in the handler"),
	}.accepting("restApi", "resourceId", "httpMethod", "authorizerId", "operationName", "requestParameters", "requestValidatorId"),
	TypeIntegration: rules{
		"type":                oneOf("only functions and mocks answer here: call the other server from a function", "AWS_PROXY", "MOCK"),
		"passthroughBehavior": oneOf("use one of them", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
		"connectionType":      oneOf("VPC links are not modelled", "INTERNET"),
		"contentHandling":     oneOf("bodies are text here", "CONVERT_TO_TEXT"),
		"connectionId":        absent("VPC links are not modelled: remove it"),
		"credentials":         absent("execution roles are not modelled: declare a lambda.Permission"),
		"requestParameters":   absent("request mapping is not modelled: a Lambda proxy gets the whole request"),
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
		"canarySettings": absent("canary releases are not modelled: remove it"),
	}.accepting("restApi", "description", "triggers", "stageName", "stageDescription", "variables"),
	TypeStage: rules{
		"cacheClusterEnabled": absent("response caching is not modelled: remove it"),
		"canarySettings":      absent("canary releases are not modelled: remove it"),
	}.accepting("restApi", "deployment", "stageName", "description", "tags", "variables", "accessLogSettings", "xrayTracingEnabled",
		"clientCertificateId", "documentationVersion", "cacheClusterSize"),
	TypeRequestValidator: rules{}.accepting("restApi", "name", "validateRequestParameters",
		"validateRequestBody"), // no method can have a model, so there is nothing to validate
	TypeFunction: rules{
		"runtime":          executable,
		"packageType":      oneOf("container images are not run here: use a zip with a Go executable", "Zip"),
		"imageUri":         absent("container images are not run here: use a zip with a Go executable"),
		"s3Bucket":         absent("code in a bucket is not fetched: use Code with an archive that is built here"),
		"fileSystemConfig": absent("no file system is mounted here: use the function's temporary directory, or leave it out by a setting of the stack"),
	}.accepting("name", "code", "handler", "architectures", "role", "description", "tags", "publish", "environment", "memorySize",
		"timeout", "reservedConcurrentExecutions", "loggingConfig", "tracingConfig", "sourceCodeHash", "kmsKeyArn", "deadLetterConfig",
		"codeSigningConfigArn", "skipDestroy", "snapStart", "replaceSecurityGroupsOnDestroy", "replacementSecurityGroupIds",
		"vpcConfig", "layers", "ephemeralStorage"), // see the notices
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

// openToAll refuses a resource policy, unless it lets everybody invoke everything and so
// changes no answer. Statements that allow something else do not count.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
func openToAll(value any) string {
	const fix = "resource policies are not evaluated, but for one that allows every caller execute-api:Invoke on \"*\": decide in the authorizer or the handler"
	text, _ := value.(string)
	var policy struct{ Statement []map[string]any }
	if json.Unmarshal([]byte(text), &policy) != nil {
		return fix
	}
	open := false
	for _, s := range policy.Statement {
		if s["Effect"] != "Allow" {
			return fix
		}
		principal := s["Principal"]
		if named, ok := principal.(map[string]any); ok {
			principal = named["AWS"]
		}
		if s["Condition"] == nil && only(principal, "*") && only(s["Action"], "execute-api:Invoke", "execute-api:*", "*") && only(s["Resource"], "*", "execute-api:/*") {
			open = true
		}
	}
	if !open {
		return fix
	}
	return ""
}

// only reports whether a value, or a list's only value, is one of some.
func only(value any, some ...string) bool {
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
	}
	text, ok := value.(string)
	return ok && slices.Contains(some, text)
}

// executable refuses functions that are no executables.
func executable(value any) string {
	if text, _ := value.(string); strings.HasPrefix(text, "provided") || text == "go1.x" {
		return ""
	}
	return fmt.Sprintf("expected provided.al2023, got %v: only Go functions are run here", value)
}
