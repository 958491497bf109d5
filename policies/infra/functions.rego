package infra

# METADATA
# title: No secrets in the environment
# custom:
#   row: 25
#   ids: [CKV_AWS_45]
#   severity: critical
#   how: issuer, audience and the address of the keys are public
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, sprintf("take %s out of the environment: it looks like a secret", [variable])) |
		some function in functions
		some variable in secrets(function)
	}
}

# METADATA
# title: The environment is encrypted with a key of one's own
# custom:
#   row: 26
#   ids: [CKV_AWS_173]
#   severity: low
#   unmet: waived
#   how: nothing in it is secret (25), and Lambda encrypts it with a key of its own
requirements contains optional(annotation, problems, all_have(functions, "kmsKeyArn")) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, "set KmsKeyArn, or take the secret out of the environment") |
		some function in functions
		count(secrets(function)) > 0
		not function.inputs.kmsKeyArn
	}
}

# METADATA
# title: Current runtime
# custom:
#   row: 27
#   ids: [AwsSolutions-L1, LambdaLatestVersion, Lambda.2]
#   severity: medium
#   how: "`provided.al2023`, the only current one for Go"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, "set Runtime to provided.al2023") |
		some function in functions
		not function.inputs.runtime == "provided.al2023"
	}
}

# METADATA
# title: Memory and timeout are explicit
# description: A caller waits for the function. 10 seconds are too long.
# custom:
#   row: 28
#   ids: [ES1005, ES1006]
#   severity: low
#   how: "`memorySize` and a `timeout` below 10 s on every function"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, "set MemorySize, and Timeout to less than 10 seconds") |
		some function in functions
		not sized(function)
	}
}

# METADATA
# title: Concurrency is limited
# custom:
#   row: 29
#   ids: [CKV_AWS_115, LambdaConcurrency]
#   severity: low
#   unmet: config
#   how: set `reservedConcurrency`; an account with the initial quota of 10 cannot
requirements contains optional(annotation, problems, all_have(functions, reserved)) if {
	annotation := rego.metadata.rule()
	reserved := "reservedConcurrentExecutions"
	without := {problem(function, "set ReservedConcurrentExecutions, as other functions of the stack do") |
		some function in forgotten(functions, reserved)
	}
	stopped := {problem(function, "set ReservedConcurrentExecutions to 1 or more: with 0 the function never runs") |
		some function in functions
		function.inputs[reserved] == 0
	}
	problems := without | stopped
}

# METADATA
# title: Dead letters
# custom:
#   row: 30
#   ids: [CKV_AWS_116, LambdaDLQ, ES1007]
#   severity: low
#   unmet: waived
#   how: only API Gateway invokes, and waits for the answer; a queue is for asynchronous invocations
requirements contains optional(annotation, problems, all_have(functions, "deadLetterConfig")) if {
	annotation := rego.metadata.rule()
	problems := {problem(resource, "set DeadLetterConfig on the functions: they are invoked asynchronously") |
		not all_have(functions, "deadLetterConfig")
		some resource in resources
		asynchronous(resource)
	}
}

# METADATA
# title: Functions in a VPC
# custom:
#   row: 31
#   ids: [CKV_AWS_117, LambdaInsideVPC, Lambda.3]
#   severity: low
#   unmet: waived
#   how: there is no private data to reach, and the provider's keys would take a NAT gateway
requirements contains optional(annotation, problems, all_have(functions, "vpcConfig")) if {
	annotation := rego.metadata.rule()
	problems := {problem(store, "set VpcConfig on the functions: there is private data now") |
		not all_have(functions, "vpcConfig")
		some store in resources
		regex.match(`^(rds|elasticache|docdb|neptune|redshift|memorydb|efs)/`, store.type)
	}
}

# METADATA
# title: Code signing
# custom:
#   row: 32
#   ids: [CKV_AWS_272]
#   severity: low
#   unmet: waived
#   how: the program builds every package from this checkout, byte for byte reproducibly, and uploads it itself
requirements contains optional(annotation, problems, all_have(functions, "codeSigningConfigArn")) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, "set CodeSigningConfigArn, or Code to a package that the program builds") |
		some function in functions
		not function.inputs.code.path
		not function.inputs.codeSigningConfigArn
	}
}

# METADATA
# title: The stack's functions
functions := of_type("lambda/function:Function")

# METADATA
# title: The environment variables of a function
variables(function) := object.get(function.inputs, ["environment", "variables"], {})

# METADATA
# title: The variables that look like secrets, by name or by value
# description: Pulumi shows its own secrets as [secret].
secrets(function) := {variable |
	some variable, value in variables(function)
	some looks in [
		regex.match(`(?i)(secret|passw(or)?d|private_?key|api_?key|access_?key|credentials?|token)$`, variable),
		regex.match(`(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN |eyJ[A-Za-z0-9_-]+\.eyJ|\[secret\]`, value),
		regex.match(`\bgh[a-z]_[A-Za-z0-9]{36}|\bxox[a-z]-|://[^/@:\s]*:[^/@\s]+@`, value),
	]
	looks
}

# METADATA
# title: Does a function declare memory and timeout?
sized(function) if {
	function.inputs.memorySize >= 128
	function.inputs.timeout >= 1
	function.inputs.timeout < 10
}

# METADATA
# title: Does a resource invoke functions without waiting for them?
asynchronous(resource) if {
	resource.type in {
		"lambda/eventSourceMapping:EventSourceMapping",
		"lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
	}
}

asynchronous(resource) if {
	resource.type == "lambda/permission:Permission"
	resource.inputs.principal in {
		"events.amazonaws.com", "s3.amazonaws.com",
		"scheduler.amazonaws.com", "sns.amazonaws.com",
	}
}
