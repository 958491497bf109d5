package infra_test

import data.infra

test_a_compliant_stack_has_no_violations if {
	violated == set() with input as captured([])
}

test_a_preview_is_judged_as_a_graph if {
	changes := [remove("/method/inputs/authorizerId")]
	expected := infra.rows with input as captured(changes)
	expected == infra.rows with input as preview(changes)
	problems := infra.violations with input as captured(changes)
	problems == infra.violations with input as preview(changes)
	count(problems) == 1
}

test_a_compliant_preview_has_no_violations if {
	count(infra.violations) == 0 with input as preview([])
}

test_there_is_a_row_for_each_requirement if {
	listed := [row.row | some row in infra.rows with input as captured([])]
	listed == numbers.range(1, 44)
}

test_what_is_not_required_is_config_or_waived if {
	unmet := {row.row: row.status |
		some row in infra.rows with input as captured([])
		row.status != "pass"
	}
	unmet == {
		2: "waived", 11: "config", 12: "waived", 13: "waived", 14: "config", 24: "config", 26: "waived",
		29: "config", 30: "waived", 31: "waived", 32: "waived", 33: "config",
	}
}

# What makes an unmet row pass, for some of them by one configuration key.
keys := {
	11: [add("/firewall", {"type": "aws:wafv2/webAclAssociation:WebAclAssociation", "inputs": {
		"webAclArn": "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/w/1",
	}})],
	12: [add("/stage/inputs/clientCertificateId", "c1")],
	14: [add("/domain", {
		"type": "aws:apigateway/domainName:DomainName",
		"inputs": {"securityPolicy": "TLS_1_2", "tags": tags},
	})],
	24: [add("/logs/inputs/kmsKeyId", "k"), add("/more-logs/inputs/kmsKeyId", "k")],
	26: [add("/function/inputs/kmsKeyArn", "k"), add("/other/inputs/kmsKeyArn", "k")],
	29: [add("/function/inputs/reservedConcurrentExecutions", 5), add("/other/inputs/reservedConcurrentExecutions", 5)],
	30: [add("/function/inputs/deadLetterConfig", {"a": 1}), add("/other/inputs/deadLetterConfig", {"a": 1})],
	31: [add("/function/inputs/vpcConfig", {"a": 1}), add("/other/inputs/vpcConfig", {"a": 1})],
	32: [add("/function/inputs/codeSigningConfigArn", "c"), add("/other/inputs/codeSigningConfigArn", "c")],
	33: [add("/alarm/inputs/alarmActions", ["t"]), add("/throttles/inputs/alarmActions", ["t"])],
}

test_a_key_makes_its_row_pass if {
	without_effect := {number |
		some number, changes in keys
		statuses := {row.row: row.status | some row in infra.rows with input as captured(changes)}
		[statuses[number], "violated" in {status | some status in statuses}] != ["pass", false]
	}
	without_effect == set()
}

test_a_violation_says_where_and_what_to_do if {
	violations := infra.violations with input as captured([remove("/stage/inputs/xrayTracingEnabled")])
	violations == {{
		"row": 7,
		"severity": "low",
		"resource": "apigateway/stage:Stage stage",
		"message": "set XrayTracingEnabled to true",
	}}
}

# What a failed command leaves behind, and a preview of another stack.
without_an_api := {
	"an empty object": {},
	"no resources": {"resources": []},
	"no steps": {"steps": []},
	"text": "error: no stack named 'dev' found",
	"nothing": null,
	"the diagnostics of a failed preview": {"diagnostics": [{"message": "failed", "severity": "error"}]},
	"a stack without an API": {"steps": [{"op": "create", "newState": {
		"type": "aws:s3/bucket:Bucket",
		"urn": urn("bucket", "aws:s3/bucket:Bucket"),
		"inputs": {},
	}}]},
}

test_an_input_without_an_api_does_not_comply if {
	unnoticed := {name |
		some name, document in without_an_api
		violated != {39} with input as document
	}
	unnoticed == set()
}

test_what_a_preview_cannot_know_is_named if {
	changes := [add("/policy/inputs/policy", infra.unknown), add("/permission/inputs/sourceArn", infra.unknown)]
	violated == set() with input as captured(changes)
	unjudged := infra.unjudged with input as captured(changes)
	unjudged == {urn("policy", "aws:iam/policy:Policy")}
}

test_only_the_resources_of_aws_are_judged if {
	types := {resource.type | some resource in infra.resources} with input as preview([])
	types == {trim_prefix(resource.type, "aws:") | some resource in compliant}
}

test_what_holds_for_all_of_none_is_not_met if {
	statuses := {row.row: row.status |
		some row in infra.rows with input as captured([remove("/function"), remove("/other")])
	}
	statuses[29] == "config"
}

test_an_unknown_policy_of_aws_cannot_be_told if {
	violated == set() with input as captured([add("/attachment/inputs/policyArn", infra.unknown)])
}

test_there_is_an_example_for_every_row if {
	examples := [
		method_violations, exposure_violations, logging_violations, retention_violations, policy_violations,
		trust_violations, environment_violations, invocation_violations, stage_violations, ours_violations,
		release_violations, resource_violations, authorizer_violations,
	]
	shown := {row | some row in examples[_][_].rows}
	shown == {row | some row in numbers.range(1, 44)}
}

# What looks like a violation and is none.
accepted := {
	"an alarm on the errors of something else": [add("/throttles/inputs", {
		"namespace": "AWS/SES",
		"metricName": "Errors",
		"tags": tags,
	})],
	"something else that names a topic's service": [add("/share", {
		"type": "aws:ram/principalAssociation:PrincipalAssociation",
		"inputs": {"principal": "sns.amazonaws.com"},
	})],
	"a statement that denies everything": [add(
		"/policy/inputs/policy",
		policy({"Effect": "Deny", "Action": "*", "Resource": "*"}),
	)],
	"the parts of one resource": [add("/policy/inputs/policy", policy({
		"Effect": "Allow",
		"Action": ["dynamodb:Query", "s3:GetObject"],
		"Resource": [
			"arn:aws:dynamodb:eu-central-1:123456789012:table/t",
			"arn:aws:dynamodb:eu-central-1:123456789012:table/t/index/*",
			"arn:aws:s3:::bucket/*",
			"arn:aws:s3:::bucket/reports/*",
		],
	}))],
	"API Gateway's own logging role": [
		add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": [
				"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
				"logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents",
			],
			"Resource": "*",
		})),
		trust({"Principal": {"Service": "apigateway.amazonaws.com"}}),
	],
	"a role for one repository": [github({
		"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:owner/name:environment:prod"},
		"StringLike": {"token.actions.githubusercontent.com:sub": [
			"repo:owner/name:ref:refs/tags/*",
			"repo:owner@12/name@34:ref:refs/tags/*",
		]},
	})],
	"settings of a stage whose name is not known yet": [add(
		"/settings/inputs/stageName",
		"04da6b54-80e4-46f7-96ec-b56ff0331ba9",
	)],
	"a domain that takes TLS 1.3 only": [add("/domain", {
		"type": "aws:apigateway/domainName:DomainName",
		"inputs": {"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09", "tags": tags},
	})],
	"a route of an HTTP API that takes tokens": [add("/route", {
		"type": "aws:apigatewayv2/route:Route",
		"inputs": {"routeKey": "GET /x", "authorizationType": "JWT"},
	})],
	"an integration with a queue": [add("/mock/inputs", {
		"httpMethod": "POST",
		"type": "AWS",
		"uri": "arn:aws:apigateway:eu-central-1:sqs:path/123456789012/q",
	})],
	"execution logs of everything": [add("/settings/inputs/settings/loggingLevel", "INFO")],
}

test_accepted if {
	refused := {name |
		some name, changes in accepted
		violated != set() with input as captured(changes)
	}
	refused == set()
}

test_logs_are_kept_as_short_as_one_likes_outside_production if {
	changed := captured([add("/logs/inputs/retentionInDays", 7)])
	elsewhere := json.unmarshal(replace(json.marshal(changed), ":prod::", ":dev::"))
	count(infra.violations) == 0 with input as elsewhere
	count(infra.violations) == 1 with input as changed
}
