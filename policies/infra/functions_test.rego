package infra_test

# What functions are: what breaks a rule, and the rows that the change breaks.
environment_violations := {
	"a secret by its name": {
		"rows": {25, 26},
		"changes": [add("/function/inputs/environment/variables/CLIENT_SECRET", "x")],
	},
	"a token": {
		"rows": {25, 26},
		"changes": [add("/function/inputs/environment/variables/API_TOKEN", "x")],
	},
	"a database's password in its URL": {
		"rows": {25, 26},
		"changes": [add("/function/inputs/environment/variables/DATABASE", "postgres://u:p@db.example.com/d")],
	},
	"a secret by its value, under a key of one's own": {
		"rows": {25},
		"changes": [
			add("/function/inputs/environment/variables/ID", "AKIAIOSFODNN7EXAMPLE"),
			add("/function/inputs/kmsKeyArn", "k"),
		],
	},
	"an old runtime": {
		"rows": {27},
		"changes": [add("/function/inputs/runtime", "provided.al2")],
	},
	"the default memory": {
		"rows": {28},
		"changes": [remove("/function/inputs/memorySize")],
	},
	"a timeout that no caller waits for": {
		"rows": {28},
		"changes": [add("/function/inputs/timeout", 10)],
	},
	"no runtime": {
		"rows": {27},
		"changes": [remove("/function/inputs/runtime")],
	},
	"no timeout": {
		"rows": {28},
		"changes": [remove("/function/inputs/timeout")],
	},
	"a timeout of nothing": {
		"rows": {28},
		"changes": [add("/function/inputs/timeout", 0)],
	},
}

test_environment_violation if {
	unnoticed := {name |
		some name, example in environment_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}

# How functions are invoked: what breaks a rule, and the rows that the change breaks.
invocation_violations := {
	"a function that never runs": {
		"rows": {29},
		"changes": [
			add("/function/inputs/reservedConcurrentExecutions", 0),
			add("/other/inputs/reservedConcurrentExecutions", 5),
		],
	},
	"a limit for some functions": {
		"rows": {29},
		"changes": [add("/function/inputs/reservedConcurrentExecutions", 5)],
	},
	"a queue that invokes": {
		"rows": {30},
		"changes": [add("/queue", {"type": "aws:lambda/eventSourceMapping:EventSourceMapping", "inputs": {}})],
	},
	"a topic that invokes": {
		"rows": {30, 42},
		"changes": [add("/permission/inputs/principal", "sns.amazonaws.com")],
	},
	"a database": {
		"rows": {31},
		"changes": [add("/database", {"type": "aws:rds/instance:Instance", "inputs": {}})],
	},
	"a package from a bucket": {
		"rows": {32},
		"changes": [remove("/function/inputs/code"), add("/function/inputs/s3Bucket", "b")],
	},
}

test_invocation_violation if {
	unnoticed := {name |
		some name, example in invocation_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
