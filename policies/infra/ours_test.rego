package infra_test

# What no audit asks for: what breaks a rule, and the rows that the change breaks.
ours_violations := {
	"a resource without tags": {
		"rows": {35},
		"changes": [remove("/function/inputs/tags/stack")],
	},
	"a deployment that does not wait": {
		"rows": {36},
		"changes": [remove("/deployment/dependencies/0")],
	},
	"a deployment that does not wait for the API's policy": {
		"rows": {36},
		"changes": [add("/guest-list", {"type": "aws:apigateway/restApiPolicy:RestApiPolicy", "inputs": {}})],
	},
	"a function before its log group": {
		"rows": {37},
		"changes": [add("/function/dependencies", [])],
	},
	"an alarm on refused tokens": {
		"rows": {38},
		"changes": [add("/throttles/inputs/metricName", "Errors")],
	},
	"no REST API": {
		"rows": {39},
		"changes": [remove("/api")],
	},
	"no stage": {
		"rows": {39},
		"changes": [remove("/stage")],
	},
	"no method but the preflight": {
		"rows": {39},
		"changes": [remove("/method")],
	},
	"a function that explains denials in its log": {
		"rows": {40},
		"changes": [add("/function/inputs/environment/variables/EXPLAIN_DENIALS", "true")],
	},
	"a function that reveals the messages of errors": {
		"rows": {40},
		"changes": [add("/function/inputs/environment/variables/REVEAL_ERRORS", "true")],
	},
	"no tags": {
		"rows": {35},
		"changes": [remove("/function/inputs/tags")],
	},
}

test_ours_violation if {
	unnoticed := {name |
		some name, example in ours_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
