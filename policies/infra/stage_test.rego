package infra_test

# How the stage serves: what breaks a rule, and the rows that the change breaks.
stage_violations := {
	"no average limit": {
		"rows": {9},
		"changes": [remove("/settings/inputs/settings/throttlingRateLimit")],
	},
	"a burst limit that is switched off": {
		"rows": {9},
		"changes": [add("/settings/inputs/settings/throttlingBurstLimit", -1)],
	},
	"an HTTP back end without a client certificate": {
		"rows": {12},
		"changes": [add("/integration/inputs/type", "HTTP_PROXY")],
	},
	"a response cache": {
		"rows": {13},
		"changes": [add("/stage/inputs/cacheClusterEnabled", true)],
	},
	"a method that is cached": {
		"rows": {13},
		"changes": [add("/settings/inputs/settings/cachingEnabled", true)],
	},
	"a deployment that owns its stage": {
		"rows": {15},
		"changes": [add("/deployment/inputs/stageName", "prod")],
	},
	"no burst limit": {
		"rows": {9},
		"changes": [remove("/settings/inputs/settings/throttlingBurstLimit")],
	},
}

test_stage_violation if {
	unnoticed := {name |
		some name, example in stage_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
