package infra_test

# What is logged: what breaks a rule, and the rows that the change breaks.
logging_violations := {
	"no access log": {
		"rows": {3, 4},
		"changes": [remove("/stage/inputs/accessLogSettings")],
	},
	"an access log that is no JSON": {
		"rows": {4},
		"changes": [add("/stage/inputs/accessLogSettings/format", concat(" ", ["x", log_format]))],
	},
	"an access log without the principal": {
		"rows": {4},
		"changes": [add(
			"/stage/inputs/accessLogSettings/format",
			replace(log_format, "$context.authorizer.principalId", "$context.stage"),
		)],
	},
	"an access log with the path as it was sent": {
		"rows": {4},
		"changes": [add(
			"/stage/inputs/accessLogSettings/format",
			json.marshal(object.union(json.unmarshal(log_format), {"path": "$context.path"})),
		)],
	},
	"an access log with the header": {
		"rows": {4},
		"changes": [add(
			"/stage/inputs/accessLogSettings/format",
			json.marshal(object.union(json.unmarshal(log_format), {"token": "$context.requestOverride.header.Authorization"})),
		)],
	},
	"no execution log": {
		"rows": {5},
		"changes": [add("/settings/inputs/settings/loggingLevel", "OFF")],
	},
	"no settings at all": {
		"rows": {5, 9},
		"changes": [remove("/settings")],
	},
	"settings of one method only": {
		"rows": {5, 9},
		"changes": [add("/settings/inputs/methodPath", "profile/GET")],
	},
	"settings of another stage": {
		"rows": {5, 9},
		"changes": [add("/settings/inputs/stageName", "dev")],
	},
	"a trace of the data": {
		"rows": {6},
		"changes": [add("/settings/inputs/settings/dataTraceEnabled", true)],
	},
	"nothing said about a trace of the data": {
		"rows": {6},
		"changes": [remove("/settings/inputs/settings/dataTraceEnabled")],
	},
	"nothing said about the execution log": {
		"rows": {5},
		"changes": [remove("/settings/inputs/settings/loggingLevel")],
	},
}

test_logging_violation if {
	unnoticed := {name |
		some name, example in logging_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}

# What is traced, kept and noticed: what breaks a rule, and the rows that the change breaks.
retention_violations := {
	"a stage without traces": {
		"rows": {7},
		"changes": [add("/stage/inputs/xrayTracingEnabled", false)],
	},
	"a function without traces": {
		"rows": {8},
		"changes": [add("/function/inputs/tracingConfig/mode", "PassThrough")],
	},
	"logs that are kept forever": {
		"rows": {22, 23},
		"changes": [add("/logs/inputs/retentionInDays", 0)],
	},
	"production logs that are kept for a month": {
		"rows": {23},
		"changes": [add("/logs/inputs/retentionInDays", 30)],
	},
	"a key for some logs": {
		"rows": {24},
		"changes": [add("/logs/inputs/kmsKeyId", "k")],
	},
	"some alarms that notify": {
		"rows": {33},
		"changes": [add("/alarm/inputs/alarmActions", ["t"])],
	},
	"no alarm on server errors": {
		"rows": {33},
		"changes": [remove("/alarm")],
	},
	"nothing said about how long logs are kept": {
		"rows": {22, 23},
		"changes": [remove("/logs/inputs/retentionInDays")],
	},
	"nothing said about traces of the stage": {
		"rows": {7},
		"changes": [remove("/stage/inputs/xrayTracingEnabled")],
	},
	"nothing said about traces of a function": {
		"rows": {8},
		"changes": [remove("/function/inputs/tracingConfig")],
	},
}

test_retention_violation if {
	unnoticed := {name |
		some name, example in retention_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
