package infra_test

# Who gets in: what breaks a rule, and the rows that the change breaks.
method_violations := {
	"a method without an authorizer": {
		"rows": {1},
		"changes": [add("/method/inputs/authorization", "NONE")],
	},
	"a method whose authorizer is not named": {
		"rows": {1},
		"changes": [remove("/method/inputs/authorizerId")],
	},
	"a method whose authorizer is another stack's": {
		"rows": {1},
		"changes": [remove("/method/propertyDependencies")],
	},
	"methods of an OpenAPI document": {
		"rows": {1},
		"changes": [add("/api/inputs/body", "{}")],
	},
	"a route of an HTTP API without an authorizer": {
		"rows": {1},
		"changes": [add("/route", {"type": "aws:apigatewayv2/route:Route", "inputs": {"routeKey": "GET /x"}})],
	},
	"a method for every verb without an authorizer": {
		"rows": {1},
		"changes": [add("/method/inputs/httpMethod", "ANY"), add("/method/inputs/authorization", "NONE")],
	},
	"a preflight that a function answers": {
		"rows": {1, 42},
		"changes": [add("/mock/inputs/type", "AWS_PROXY")],
	},
	"a user pool without Cognito's authorizer": {
		"rows": {2},
		"changes": [add("/pool", {"type": "aws:cognito/userPool:UserPool", "inputs": {}})],
	},
	"a method that is not validated": {
		"rows": {10},
		"changes": [remove("/method/inputs/requestValidatorId")],
	},
	"a validator that validates nothing": {
		"rows": {10},
		"changes": [add("/validator/inputs/validateRequestParameters", false)],
	},
	"a validator that says nothing": {
		"rows": {10},
		"changes": [remove("/validator/inputs/validateRequestParameters")],
	},
}

# Which requests reach the authorizer: what breaks a rule, and the rows that the change breaks.
expression := "/authorizer/inputs/identityValidationExpression"

authorizer_violations := {
	"no expression": {"rows": {44}, "changes": [remove(expression)]},
	"an expression that takes anything": {"rows": {44}, "changes": [add(expression, ".*")]},
	"an expression that takes any bearer token": {"rows": {44}, "changes": [add(expression, "^Bearer .+$")]},
	"an expression without an end": {"rows": {44}, "changes": [add(expression, `^Bearer [-\w]+\.[-\w]+\.[-\w]+`)]},
	"an expression that takes no token": {"rows": {44}, "changes": [add(expression, "^Token .+$")]},
	"an expression that is none": {"rows": {44}, "changes": [add(expression, "(")]},
	"answers that are kept for five minutes": {
		"rows": {44},
		"changes": [remove("/authorizer/inputs/authorizerResultTtlInSeconds")],
	},
}

test_authorizer_violation if {
	unnoticed := {name |
		some name, example in authorizer_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}

test_method_violation if {
	unnoticed := {name |
		some name, example in method_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}

# What is exposed: what breaks a rule, and the rows that the change breaks.
exposure_violations := {
	"a web ACL of CloudFront's": {
		"rows": {11},
		"changes": [add("/firewall", {"type": "aws:wafv2/webAclAssociation:WebAclAssociation", "inputs": {
			"webAclArn": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/w/1",
		}})],
	},
	"a domain with TLS 1.0": {
		"rows": {14},
		"changes": [add("/domain", {
			"type": "aws:apigateway/domainName:DomainName",
			"inputs": {"securityPolicy": "TLS_1_0", "tags": tags},
		})],
	},
	"a domain that says nothing about TLS": {
		"rows": {14},
		"changes": [add("/domain", {"type": "aws:apigateway/domainName:DomainName", "inputs": {"tags": tags}})],
	},
	"a permission without a source": {
		"rows": {16},
		"changes": [remove("/permission/inputs/sourceArn")],
	},
	"a permission for every stage": {
		"rows": {16},
		"changes": [add("/permission/inputs/sourceArn", "arn:aws:execute-api:eu-central-1:123456789012:abc123/*/GET/x")],
	},
	"a permission for every method": {
		"rows": {16},
		"changes": [add("/permission/inputs/sourceArn", "arn:aws:execute-api:eu-central-1:123456789012:abc123/prod/*/x")],
	},
	"a permission for everything": {
		"rows": {16},
		"changes": [add("/permission/inputs/sourceArn", "arn:aws:execute-api:eu-central-1:123456789012:abc123/*/*")],
	},
	"a permission for anyone": {
		"rows": {17, 42},
		"changes": [add("/permission/inputs/principal", "*")],
	},
	"a public function URL": {
		"rows": {17},
		"changes": [add("/url", {"type": "aws:lambda/functionUrl:FunctionUrl", "inputs": {"authorizationType": "NONE"}})],
	},
	"a permission without a principal": {
		"rows": {17, 42},
		"changes": [remove("/permission/inputs/principal")],
	},
	"a web ACL that is not named": {
		"rows": {11},
		"changes": [add("/firewall", {"type": "aws:wafv2/webAclAssociation:WebAclAssociation", "inputs": {}})],
	},
	"a function URL that says nothing": {
		"rows": {17},
		"changes": [add("/url", {"type": "aws:lambda/functionUrl:FunctionUrl", "inputs": {}})],
	},
}

test_exposure_violation if {
	unnoticed := {name |
		some name, example in exposure_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
