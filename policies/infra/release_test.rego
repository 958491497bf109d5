package infra_test

# How a function is released and called: what breaks a rule, and the rows that the change breaks.
release_violations := {
	"a function that publishes no version": {
		"rows": {41},
		"changes": [remove("/function/inputs/publish")],
	},
	"a function that stops publishing": {
		"rows": {41},
		"changes": [add("/function/inputs/publish", false)],
	},
	"an alias of what is not published": {
		"rows": {41},
		"changes": [add("/alias/inputs/functionVersion", "$LATEST")],
	},
	"an alias of a version that is written out": {
		"rows": {41},
		"changes": [remove("/alias/propertyDependencies")],
	},
	"an alias of two versions": {
		"rows": {41},
		"changes": [add("/alias/inputs/routingConfig", {"additionalVersionWeights": {"6": 0.1}})],
	},
	"an integration with the function itself": {
		"rows": {42},
		"changes": [add("/integration/propertyDependencies/uri", [urn("function", "aws:lambda/function:Function")])],
	},
	"an integration with the function itself, without the proxy": {
		"rows": {42},
		"changes": [add("/mock/inputs", {
			"httpMethod": "POST",
			"type": "AWS",
			"uri": "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/f/invocations",
		})],
	},
	"an integration of which nothing is known": {
		"rows": {42},
		"changes": [remove("/integration/propertyDependencies")],
	},
	"an authorizer that is the function itself": {
		"rows": {42},
		"changes": [add("/authorizer/propertyDependencies", {})],
	},
	"an authorizer that is an endpoint's function": {
		"rows": {42},
		"changes": [add("/authorizer/propertyDependencies/authorizerUri", [urn("alias", "aws:lambda/alias:Alias")])],
	},
	"the same, which API Gateway may invoke": {
		"rows": {42},
		"changes": [
			add("/authorizer/propertyDependencies/authorizerUri", [urn("alias", "aws:lambda/alias:Alias")]),
			add("/may-authorize/inputs/function", "f"),
		],
	},
	"a method whose permission is an authorizer's": {
		"rows": {42},
		"changes": [add("/permission/inputs/sourceArn", compliant["may-authorize"].inputs.sourceArn)],
	},
	"an authorizer whose permission is a method's": {
		"rows": {42},
		"changes": [add("/may-authorize/inputs/sourceArn", compliant.permission.inputs.sourceArn)],
	},
	"a permission without the alias": {
		"rows": {42},
		"changes": [remove("/permission/inputs/qualifier")],
	},
	"a permission for another alias": {
		"rows": {42},
		"changes": [add("/may-authorize/inputs/qualifier", "next")],
	},
	"a permission for another function": {
		"rows": {42},
		"changes": [add("/permission/inputs/function", "o")],
	},
}

test_release_violation if {
	unnoticed := {name |
		some name, example in release_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
