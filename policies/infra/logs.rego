package infra

# METADATA
# title: Access logs
# custom:
#   row: 3
#   ids: [AwsSolutions-APIG1, ES2000, CKV_AWS_76, AWS-0001]
#   severity: high
#   how: the stage logs every request to a log group of the stack
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(stage, "set AccessLogSettings with the ARN of a log group of the stack") |
		some stage in of_type("apigateway/stage:Stage")
		not stage.inputs.accessLogSettings.destinationArn
	}
}

# METADATA
# title: The access log is JSON, complete, and without tokens
# description: Headers can carry a token; the path and the query can carry anything.
# custom:
#   row: 4
#   ids: [WS2001]
#   severity: high
#   how: one JSON object a line, whose members are the gateway's own variables
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	stages := of_type("apigateway/stage:Stage")
	unreadable := {problem(stage, "make AccessLogSettings.Format one JSON object") |
		some stage in stages
		not json.is_valid(access_log_format(stage))
	}
	incomplete := {problem(stage, sprintf("add %s to the format", [variable])) |
		some stage in stages
		some variable in logged_variables
		not contains(access_log_format(stage), sprintf(`"%s"`, [variable]))
	}
	unsafe := {problem(stage, sprintf("remove what matches %s from the format", [pattern])) |
		some stage in stages
		some pattern in unsafe_variables
		regex.match(pattern, access_log_format(stage))
	}
	problems := (unreadable | incomplete) | unsafe
}

# METADATA
# title: Execution logs of errors
# custom:
#   row: 5
#   ids: [AwsSolutions-APIG6, CKV2_AWS_4, APIGateway.1, CT.APIGATEWAY.PR.1, APIGWExecutionLoggingEnabled]
#   severity: medium
#   how: "`loggingLevel: ERROR` for all methods, with the account's role (`manageApiGatewayAccount`)"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(stage, "declare MethodSettings for */* with LoggingLevel ERROR or INFO") |
		some stage in of_type("apigateway/stage:Stage")
		every settings in settings_of(stage) {
			not logs_errors(settings)
		}
	}
}

# METADATA
# title: No trace of the data
# description: It writes whole requests to the log, with bearer tokens.
# custom:
#   row: 6
#   ids: [CKV_AWS_276]
#   severity: critical
#   how: "`dataTraceEnabled: false`"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(settings, "set DataTraceEnabled to false") |
		some settings in of_type("apigateway/methodSettings:MethodSettings")
		not settings.inputs.settings.dataTraceEnabled == false
	}
}

# METADATA
# title: X-Ray on the stage
# custom:
#   row: 7
#   ids: [CKV_AWS_73, AWS-0003, APIGWXrayEnabled, CT.APIGATEWAY.PR.2, APIGateway.3]
#   severity: low
#   how: "`xrayTracingEnabled: true`"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(stage, "set XrayTracingEnabled to true") |
		some stage in of_type("apigateway/stage:Stage")
		not stage.inputs.xrayTracingEnabled == true
	}
}

# METADATA
# title: X-Ray on the functions
# custom:
#   row: 8
#   ids: [CKV_AWS_50, AWS-0066, WS1000]
#   severity: low
#   how: "`tracingConfig.mode: Active`, and a role that may send traces"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(function, "set TracingConfig.Mode to Active") |
		some function in functions
		not function.inputs.tracingConfig.mode == "Active"
	}
}

# METADATA
# title: Logs are not kept forever
# custom:
#   row: 22
#   ids: [CKV_AWS_66, WS1004]
#   severity: medium
#   how: "`retentionInDays` on every log group, API Gateway's own included"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(group, "set RetentionInDays: 0 and nothing mean forever") |
		some group in log_groups
		not kept_for(group, 1)
	}
}

# METADATA
# title: Production logs are kept for a year
# custom:
#   row: 23
#   ids: [CKV_AWS_338]
#   severity: medium
#   how: 365 days or more in stacks named prod or production; shorter elsewhere
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(group, "set logRetentionDays to 365 or more in a production stack") |
		regex.match(`:prod(uction)?$`, name)
		some group in log_groups
		not kept_for(group, 365)
	}
}

# METADATA
# title: Logs are encrypted with a key of one's own
# custom:
#   row: 24
#   ids: [CKV_AWS_158, AWS-0017, CloudWatchLogGroupEncrypted]
#   severity: low
#   unmet: config
#   how: set `kmsKeyArn`; CloudWatch encrypts with a key of its own without it
requirements contains optional(annotation, problems, all_have(log_groups, "kmsKeyId")) if {
	annotation := rego.metadata.rule()
	problems := {problem(group, "set KmsKeyId, as other log groups of the stack do") |
		some group in forgotten(log_groups, "kmsKeyId")
	}
}

# METADATA
# title: Alarms notify somebody
# custom:
#   row: 33
#   ids: [CKV_AWS_319, CloudWatchAlarmAction]
#   severity: medium
#   unmet: config
#   how: set `alarmTopicArn`; the alarms themselves are there without it
requirements contains optional(annotation, problems, all_have(alarms, "alarmActions")) if {
	annotation := rego.metadata.rule()
	silent := {problem(alarm, "set AlarmActions, as other alarms of the stack do") |
		some alarm in forgotten(alarms, "alarmActions")
	}
	none := {problem(stage, "declare a MetricAlarm on the stage's 5XXError") |
		some stage in of_type("apigateway/stage:Stage")
		not "5XXError" in {alarm.inputs.metricName | some alarm in alarms}
	}
	problems := silent | none
}

# METADATA
# title: A stage's access log format
access_log_format(stage) := object.get(stage.inputs, ["accessLogSettings", "format"], "")

# METADATA
# title: The variables that every line of the access log needs
logged_variables := {
	"$context.requestId",
	"$context.status",
	"$context.error.responseType",
	"$context.error.message",
	"$context.authorizer.error",
	"$context.authorizer.latency",
	"$context.authorizer.principalId",
	"$context.integration.latency",
}

# METADATA
# title: The variables that a client can write to, or that can hold a token
unsafe_variables := {
	`(?i)header`,
	`\$input`,
	`\$context\.path\b`,
	`(?i)userAgent`,
	`(?i)apiKey`,
	`\$context\.authorizer\.claims`,
}

# METADATA
# title: Do settings log errors at least?
logs_errors(settings) if settings.inputs.settings.loggingLevel in {"ERROR", "INFO"}

# METADATA
# title: The settings that hold for all methods of a stage
settings_of(stage) := {settings |
	some settings in of_type("apigateway/methodSettings:MethodSettings")
	settings.inputs.methodPath == "*/*"
	settings.inputs.stageName in {stage.inputs.stageName, unknown}
}

# METADATA
# title: Are the lines of a log group kept for some days, and not forever?
kept_for(group, days) if group.inputs.retentionInDays >= days

# METADATA
# title: The stack's log groups
log_groups := of_type("cloudwatch/logGroup:LogGroup")

# METADATA
# title: The stack's alarms
alarms := of_type("cloudwatch/metricAlarm:MetricAlarm")
