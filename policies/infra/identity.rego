package infra

# METADATA
# title: No wildcard in a policy
# description: |
#   The streams of a log group may be, and other parts of one resource. Exactly two sets of
#   actions know no resource: sending traces, and API Gateway's logging for all APIs of the
#   account.
# custom:
#   row: 18
#   ids: [AwsSolutions-IAM5, CKV_AWS_62, CKV_AWS_63, CKV_AWS_355, CKV_AWS_286, CKV_AWS_290, AWS-0057, WS1003]
#   severity: high
#   how: a function may write its own log group; only `xray:Put*` has the resource `*`, as X-Ray offers no other
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(policy, "name the actions and the resources of each statement") |
		some policy in of_type("iam/policy:Policy")
		some statement in statements(policy)
		not narrow(statement)
	}
}

# METADATA
# title: No policy managed by AWS
# description: They allow more than one function needs, and change without notice.
# custom:
#   row: 19
#   ids: [AwsSolutions-IAM4]
#   severity: medium
#   how: a policy of the stack's own for each role
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	attached := {problem(attachment, "attach an iam.Policy of the stack") |
		some attachment in of_type("iam/rolePolicyAttachment:RolePolicyAttachment")
		not own_policy(attachment)
	}
	elsewhere := {problem(attachment, "attach an iam.Policy of the stack with iam.RolePolicyAttachment") |
		some attachment in resources
		attachment.type in {
			"iam/policyAttachment:PolicyAttachment",
			"iam/userPolicyAttachment:UserPolicyAttachment", "iam/groupPolicyAttachment:GroupPolicyAttachment",
		}
		not own_policy(attachment)
	}
	listed := {problem(role, "attach policies with iam.RolePolicyAttachment") |
		some role in of_type("iam/role:Role")
		count(object.get(role.inputs, "managedPolicyArns", [])) > 0
	}
	problems := (attached | elsewhere) | listed
}

# METADATA
# title: No inline policies
# custom:
#   row: 20
#   ids: [IAMNoInlinePolicy]
#   severity: low
#   how: "`iam.Policy` and an attachment"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	inline := {problem(policy, "declare an iam.Policy and an iam.RolePolicyAttachment instead") |
		some policy in resources
		policy.type in {"iam/rolePolicy:RolePolicy", "iam/userPolicy:UserPolicy", "iam/groupPolicy:GroupPolicy"}
	}
	nested := {problem(role, "declare an iam.Policy instead of InlinePolicies") |
		some role in of_type("iam/role:Role")
		count(object.get(role.inputs, "inlinePolicies", [])) > 0
	}
	problems := inline | nested
}

# METADATA
# title: One service assumes a role
# custom:
#   row: 21
#   ids: [CKV_AWS_60, CKV_AWS_61]
#   severity: high
#   how: "`lambda.amazonaws.com`, or API Gateway for the account's log role"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(role, "trust one service, such as lambda.amazonaws.com") |
		some role in of_type("iam/role:Role")
		some statement in statements(role)
		not from_github(statement)
		not from_service(statement)
	}
}

# METADATA
# title: A role for workflows names the repository
# description: Without a subject, every repository on GitHub may assume the role.
# custom:
#   row: 34
#   ids: [GithubActionsOIDCTrustPolicy]
#   severity: critical
#   how: the documented trust policies have it; the stack declares no such role
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	fix := "add a condition on token.actions.githubusercontent.com:sub, such as repo:OWNER/NAME:environment:prod"
	problems := {problem(role, fix) |
		some role in of_type("iam/role:Role")
		some statement in statements(role)
		from_github(statement)
		not names_repository(statement)
	}
}

# METADATA
# title: Nobody else may use what the stack has
# description: A policy of a log, a table, a key, a bucket, a secret, a topic or a queue names who may use it.
# custom:
#   row: 43
#   ids: [CKV_AWS_70, CKV_AWS_168, CKV_AWS_169]
#   severity: critical
#   how: the stack declares no policy of a resource
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(resource, "name the Principal of each statement, or add a Condition on its account") |
		some type, property in resource_policy
		some resource in of_type(type)
		resource.inputs[property]
		some statement in statements(resource)
		not names_user(statement)
	}
}

# METADATA
# title: Does a statement say who may use the resource?
names_user(statement) if statement.Effect == "Deny"

names_user(statement) if count(statement.Condition) > 0

names_user(statement) if {
	principals := [principal | some of_kind in statement.Principal; some principal in as_list(of_kind)]
	count(principals) > 0
	not "*" in principals
}

# METADATA
# title: Does a statement name what it allows?
narrow(statement) if statement.Effect == "Deny"

narrow(statement) if {
	every action in as_list(statement.Action) {
		not regex.match(`[*?]`, action)
	}
	every resource in as_list(statement.Resource) {
		named(resource)
	}
}

narrow(statement) if {
	{action | some action in as_list(statement.Action)} in actions_without_resource
}

# METADATA
# title: Is a resource one that the statement names, or a part of one?
named(resource) if not regex.match(`[*?]`, resource)

named(resource) if {
	some part in parts
	regex.match(part, resource)
}

# METADATA
# title: What a policy cannot name one by one
# description: The streams of a log group, the indexes of a table, the objects of a bucket.
parts := {
	`^arn:aws[a-z-]*:logs:[a-z0-9-]+:[0-9]{12}:log-group:[^*?]+:\*$`,
	`^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[^*?]+/index/\*$`,
	`^arn:aws[a-z-]*:s3:::[^*?/]+/([^*?]+/)?\*$`,
}

# METADATA
# title: The actions that AWS offers no resource for
# description: An action that is added here needs a line in the service authorization reference that says so.
# related_resources:
#   - ref: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
#   - ref: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
actions_without_resource := {
	{"xray:PutTraceSegments", "xray:PutTelemetryRecords"},
	{
		"logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
		"logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents",
	},
}

# METADATA
# title: Is an attached policy the account's own?
own_policy(attachment) if attachment.inputs.policyArn == unknown

own_policy(attachment) if regex.match(`^arn:aws[a-z-]*:iam::[0-9]{12}:policy/`, attachment.inputs.policyArn)

# METADATA
# title: Does a statement trust one AWS service and nobody else?
from_service(statement) if {
	object.keys(statement.Principal) == {"Service"}
	endswith(statement.Principal.Service, ".amazonaws.com")
}

# METADATA
# title: Does a statement trust GitHub's workflows?
from_github(statement) if {
	object.keys(statement.Principal) == {"Federated"}
	endswith(statement.Principal.Federated, ":oidc-provider/token.actions.githubusercontent.com")
}

# METADATA
# title: Does every subject that a statement trusts belong to one repository?
names_repository(statement) if {
	subjects := [subject |
		some operator in ["StringEquals", "StringLike"]
		some subject in as_list(statement.Condition[operator]["token.actions.githubusercontent.com:sub"])
	]
	count(subjects) > 0
	every subject in subjects {
		regex.match(`^repo:[^*?/:]+/[^*?/:]+:.`, subject)
	}
}
