package infra_test

import data.infra

# A stack that complies with everything, by short names for the tests to change.
compliant := {
	"api": {"type": "aws:apigateway/restApi:RestApi", "inputs": {"tags": tags}},
	"validator": {
		"type": "aws:apigateway/requestValidator:RequestValidator",
		"inputs": {"validateRequestParameters": true},
	},
	"method": {
		"type": "aws:apigateway/method:Method",
		"inputs": {
			"httpMethod": "GET",
			"authorization": "CUSTOM",
			"authorizerId": "a1",
			"requestValidatorId": "v1",
		},
		"propertyDependencies": {"authorizerId": [urn("authorizer", "aws:apigateway/authorizer:Authorizer")]},
	},
	"preflight": {
		"type": "aws:apigateway/method:Method",
		"inputs": {"httpMethod": "OPTIONS", "authorization": "NONE"},
	},
	"integration": {
		"type": "aws:apigateway/integration:Integration",
		"inputs": {"httpMethod": "GET", "type": "AWS_PROXY"},
		"propertyDependencies": {"uri": [urn("alias", "aws:lambda/alias:Alias")]},
	},
	"authorizer": {
		"type": "aws:apigateway/authorizer:Authorizer",
		"inputs": {
			"type": "TOKEN",
			"identityValidationExpression": `^Bearer [-\w]+\.[-\w]+\.[-\w]+$`,
			"authorizerResultTtlInSeconds": 0,
		},
		"propertyDependencies": {"authorizerUri": [urn("other-alias", "aws:lambda/alias:Alias")]},
	},
	"mock": {
		"type": "aws:apigateway/integration:Integration",
		"inputs": {"httpMethod": "OPTIONS", "type": "MOCK"},
	},
	"deployment": {
		"type": "aws:apigateway/deployment:Deployment",
		"inputs": {"triggers": {"published": "sha"}},
		"dependencies": [
			urn("api", "aws:apigateway/restApi:RestApi"),
			urn("validator", "aws:apigateway/requestValidator:RequestValidator"),
			urn("method", "aws:apigateway/method:Method"),
			urn("preflight", "aws:apigateway/method:Method"),
			urn("integration", "aws:apigateway/integration:Integration"),
			urn("mock", "aws:apigateway/integration:Integration"),
			urn("authorizer", "aws:apigateway/authorizer:Authorizer"),
		],
	},
	"stage": {"type": "aws:apigateway/stage:Stage", "inputs": {
		"stageName": "prod",
		"xrayTracingEnabled": true,
		"accessLogSettings": {
			"destinationArn": "arn:aws:logs:eu-central-1:123456789012:log-group:access",
			"format": json.marshal({variable: variable | some variable in infra.logged_variables}),
		},
		"tags": tags,
	}},
	"settings": {"type": "aws:apigateway/methodSettings:MethodSettings", "inputs": {
		"methodPath": "*/*",
		"stageName": "prod",
		"settings": {
			"loggingLevel": "ERROR",
			"dataTraceEnabled": false,
			"throttlingRateLimit": 100,
			"throttlingBurstLimit": 200,
		},
	}},
	"logs": {"type": "aws:cloudwatch/logGroup:LogGroup", "inputs": {"retentionInDays": 365, "tags": tags}},
	"more-logs": {"type": "aws:cloudwatch/logGroup:LogGroup", "inputs": {"retentionInDays": 400, "tags": tags}},
	"alarm": {
		"type": "aws:cloudwatch/metricAlarm:MetricAlarm",
		"inputs": {"namespace": "AWS/ApiGateway", "metricName": "5XXError", "tags": tags},
	},
	"throttles": {
		"type": "aws:cloudwatch/metricAlarm:MetricAlarm",
		"inputs": {"namespace": "AWS/Lambda", "metricName": "Throttles", "tags": tags},
	},
	"role": {"type": "aws:iam/role:Role", "inputs": {
		"assumeRolePolicy": policy({
			"Effect": "Allow",
			"Action": "sts:AssumeRole",
			"Principal": {"Service": "lambda.amazonaws.com"},
		}),
		"tags": tags,
	}},
	"policy": {"type": "aws:iam/policy:Policy", "inputs": {
		"policy": policy([
			{
				"Effect": "Allow",
				"Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
				"Resource": "arn:aws:logs:eu-central-1:123456789012:log-group:f:*",
			},
			{"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"},
		]),
		"tags": tags,
	}},
	"attachment": {
		"type": "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
		"inputs": {"policyArn": "arn:aws:iam::123456789012:policy/p"},
	},
	"function": object.union(function, {"dependencies": [urn("logs", "aws:cloudwatch/logGroup:LogGroup")]}),
	"other": object.union(function, {"dependencies": [urn("more-logs", "aws:cloudwatch/logGroup:LogGroup")]}),
	"alias": {
		"type": "aws:lambda/alias:Alias",
		"inputs": {"name": "live", "functionName": "f", "functionVersion": "7"},
		"propertyDependencies": {"functionVersion": [urn("function", "aws:lambda/function:Function")]},
	},
	"other-alias": {
		"type": "aws:lambda/alias:Alias",
		"inputs": {"name": "live", "functionName": "o", "functionVersion": infra.unknown},
		"propertyDependencies": {"functionVersion": [urn("other", "aws:lambda/function:Function")]},
	},
	"permission": {"type": "aws:lambda/permission:Permission", "inputs": {
		"function": "f",
		"qualifier": "live",
		"principal": "apigateway.amazonaws.com",
		"sourceArn": "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/GET/accounts/*/profile",
	}},
	"may-authorize": {"type": "aws:lambda/permission:Permission", "inputs": {
		"function": "o",
		"qualifier": "live",
		"principal": "apigateway.amazonaws.com",
		"sourceArn": "arn:aws:execute-api:eu-central-1:123456789012:abc123/authorizers/a1",
	}},
}

tags := {"project": "sample", "stack": "prod"}

function := {"type": "aws:lambda/function:Function", "inputs": {
	"runtime": "provided.al2023",
	"publish": true,
	"memorySize": 128,
	"timeout": 3,
	"code": {"path": "dist/function.zip"},
	"tracingConfig": {"mode": "Active"},
	"environment": {"variables": {"TOKEN_ISSUER": "https://id.example.com/", "AUDIENCE": "sample"}},
	"tags": tags,
}}

urn(name, type) := sprintf("urn:pulumi:prod::sample::%s::%s", [type, name])

policy(statement) := json.marshal({"Version": "2012-10-17", "Statement": statement})

# The stack after some changes, in the form of a captured graph.
captured(changes) := {"stack": "prod", "resources": [resource |
	some name, declared in json.patch(compliant, changes)
	resource := object.union({"name": name, "urn": urn(name, declared.type)}, declared)
]}

# The same as `pulumi preview --json` writes it, next to what is none of AWS's.
preview(changes) := {"steps": array.concat(
	[
		{"op": "same", "newState": {"type": "pulumi:pulumi:Stack", "urn": urn("sample-prod", "pulumi:pulumi:Stack")}},
		{"op": "delete", "oldState": {"type": "aws:lambda/function:Function", "urn": urn("old", "f")}},
	],
	[step |
		some resource in captured(changes).resources
		step := {"op": "create", "newState": object.remove(resource, ["name"])}
	],
)}

add(path, value) := {"op": "add", "path": path, "value": value}

remove(path) := {"op": "remove", "path": path}

# The rows that are violated after some changes.
violated := {violation.row | some violation in infra.violations}

# The ready-made parts of the examples.
log_format := compliant.stage.inputs.accessLogSettings.format

trust(statement) := add("/role/inputs/assumeRolePolicy", policy(object.union(
	{"Effect": "Allow", "Action": "sts:AssumeRole"},
	statement,
)))

github(condition) := trust({
	"Action": "sts:AssumeRoleWithWebIdentity",
	"Principal": github_provider,
	"Condition": condition,
})

github_provider := {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"}
