package infra

# No audit tool has these requirements. Each prevents a fault that is hard to find later.

# METADATA
# title: Everything taggable is tagged
# custom:
#   row: 35
#   ids: []
#   severity: low
#   how: "`project` and `stack` on every resource that takes tags"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(resource, "set Tags with project and stack") |
		some resource in resources
		resource.type in taggable
		not tagged(resource)
	}
}

# METADATA
# title: A deployment waits for all that it publishes
# description: A snapshot that is taken too early lacks what is declared later.
# custom:
#   row: 36
#   ids: []
#   severity: high
#   how: the trigger hashes the API, its methods, integrations, responses and the authorizer
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(deployment, sprintf("add %s %s to Triggers and DependsOn", [part.type, part.name])) |
		some deployment in of_type("apigateway/deployment:Deployment")
		some part in resources
		part.type in published
		not part.urn in deployment.dependencies
	}
}

# METADATA
# title: A log group exists before its function
# description: Lambda would create it on the first invocation, and keep it forever.
# custom:
#   row: 37
#   ids: []
#   severity: medium
#   how: a function names its log group and waits for it
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	groups := {group.urn | some group in log_groups}
	problems := {problem(function, "set LoggingConfig.LogGroup to the name of a log group of the stack") |
		some function in functions
		count(groups & {urn | some urn in function.dependencies}) == 0
	}
}

# METADATA
# title: No alarm counts refused tokens as errors
# description: An authorizer refuses a token with an error, so Lambda's Errors counts expired tokens.
# custom:
#   row: 38
#   ids: []
#   severity: medium
#   how: alarms are on metrics that the functions' own log lines make
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(alarm, "set an alarm on a metric filter of the function's log instead") |
		some alarm in alarms
		alarm.inputs.namespace == "AWS/Lambda"
		alarm.inputs.metricName == "Errors"
	}
}

# METADATA
# title: There is an API to check
# description: Most rules hold for every resource of a type, and so for an input without resources.
# custom:
#   row: 39
#   ids: []
#   severity: critical
#   how: a REST API with a stage, and a method that takes a token
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	missing := {"apigateway/restApi:RestApi", "apigateway/stage:Stage"} - object.keys(by_type)
	fix := "pass a preview that succeeded (pulumi preview --json --show-sames) or the output of go run ./local/capture"
	absent := {{"resource": "stack", "message": sprintf("expected one of type %s, found none; %s", [type, fix])} |
		some type in missing
	}
	idle := {{"resource": "stack", "message": sprintf("expected a method other than OPTIONS, found none; %s", [fix])} |
		count(protected_methods) == 0
	}
	problems := absent | idle
}

# METADATA
# title: No function logs claims or the messages of errors
# description: make run sets EXPLAIN_DENIALS and REVEAL_ERRORS. What they add to a log may hold the claims of a caller.
# custom:
#   row: 40
#   ids: []
#   severity: high
#   how: no function declares EXPLAIN_DENIALS or REVEAL_ERRORS
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, sprintf("remove %s from its environment: it is for the local run only", [variable])) |
		some function in functions
		some variable in {"EXPLAIN_DENIALS", "REVEAL_ERRORS"}
		variable in object.keys(variables(function))
	}
}

# METADATA
# title: Does a resource name its project and its stack?
tagged(resource) if {
	resource.inputs.tags.project
	resource.inputs.tags.stack
}

# METADATA
# title: The types that take tags
taggable := {
	"apigateway/domainName:DomainName", "apigateway/restApi:RestApi", "apigateway/stage:Stage",
	"cloudwatch/logGroup:LogGroup", "cloudwatch/metricAlarm:MetricAlarm",
	"iam/policy:Policy", "iam/role:Role", "lambda/function:Function",
}

# METADATA
# title: The types that only a new deployment makes live
published := {
	"apigateway/authorizer:Authorizer", "apigateway/integration:Integration",
	"apigateway/integrationResponse:IntegrationResponse", "apigateway/method:Method",
	"apigateway/methodResponse:MethodResponse", "apigateway/model:Model",
	"apigateway/requestValidator:RequestValidator", "apigateway/resource:Resource",
	"apigateway/response:Response", "apigateway/restApi:RestApi", "apigateway/restApiPolicy:RestApiPolicy",
}
