package infra_test

import data.infra

# What a resource's own policy opens: what breaks a rule, and the rows that the change breaks.
resource_violations := {
	"a log that anyone may read": {"rows": {43}, "changes": [readable({"Principal": "*"})]},
	"a log that any account may read": {"rows": {43}, "changes": [readable({"Principal": {"AWS": "*"}})]},
	"a log that anyone may read, among others": {
		"rows": {43},
		"changes": [readable({"Principal": {"AWS": ["123456789012", "*"]}})],
	},
	"a log that all but one may read": {
		"rows": {43},
		"changes": [readable({"NotPrincipal": {"AWS": "123456789012"}})],
	},
	"a policy that is none": {
		"rows": {43},
		"changes": [add("/readers", {
			"type": "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
			"inputs": {"policyDocument": "x"},
		})],
	},
}

readable(statement) := add("/readers", {
	"type": "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
	"inputs": {"policyDocument": policy(object.union(
		{"Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": "arn:aws:logs:eu-central-1:123456789012:log-group:f"},
		statement,
	))},
})

# What opens nothing.
closed := {
	"a log for one service": [readable({"Principal": {"Service": "delivery.logs.amazonaws.com"}})],
	"a log for one account's roles": [readable({
		"Principal": "*",
		"Condition": {"StringEquals": {"aws:PrincipalAccount": "123456789012"}},
	})],
	"a log that nobody may read": [readable({"Effect": "Deny", "Principal": "*"})],
	"a policy that is not known yet": [add("/readers", {
		"type": "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
		"inputs": {"policyDocument": infra.unknown},
	})],
	"a key with the policy that AWS gives it": [add("/key", {"type": "aws:kms/key:Key", "inputs": {}})],
}

test_resource_violation if {
	unnoticed := {name |
		some name, example in resource_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
	refused := {name |
		some name, changes in closed
		violated != set() with input as captured(changes)
	}
	refused == set()
}

# What roles may do: what breaks a rule, and the rows that the change breaks.
policy_violations := {
	"every action": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": "logs:*",
			"Resource": "arn:aws:logs:::x",
		}))],
	},
	"every resource": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": "logs:PutLogEvents",
			"Resource": "*",
		}))],
	},
	"traces next to another action on every resource": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": ["xray:PutTraceSegments", "logs:PutLogEvents"],
			"Resource": "*",
		}))],
	},
	"every function, as if its name were a log group's": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": "lambda:InvokeFunction",
			"Resource": "arn:aws:lambda:eu-central-1:123456789012:function:*",
		}))],
	},
	"every table": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": "dynamodb:GetItem",
			"Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/*",
		}))],
	},
	"an action with a wildcard for one letter": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"Action": "dynamodb:?utItem",
			"Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/t",
		}))],
	},
	"everything but some actions": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", policy({
			"Effect": "Allow",
			"NotAction": "iam:*",
			"Resource": "arn:aws:s3:::x",
		}))],
	},
	"a policy that is none": {
		"rows": {18},
		"changes": [add("/policy/inputs/policy", "{")],
	},
	"a policy of AWS's": {
		"rows": {19},
		"changes": [add("/attachment/inputs/policyArn", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")],
	},
	"a policy of AWS's, attached in another way": {
		"rows": {19},
		"changes": [add("/admin", {
			"type": "aws:iam/policyAttachment:PolicyAttachment",
			"inputs": {"policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
		})],
	},
	"policies of AWS's on the role": {
		"rows": {19},
		"changes": [add("/role/inputs/managedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"])],
	},
	"an inline policy": {
		"rows": {20},
		"changes": [add("/inline", {"type": "aws:iam/rolePolicy:RolePolicy", "inputs": {}})],
	},
	"an inline policy on the role": {
		"rows": {20},
		"changes": [add("/role/inputs/inlinePolicies", [{"name": "p"}])],
	},
	"an attachment of nothing": {
		"rows": {19},
		"changes": [remove("/attachment/inputs/policyArn")],
	},
	"a policy that says nothing": {
		"rows": {18},
		"changes": [remove("/policy/inputs/policy")],
	},
}

test_policy_violation if {
	unnoticed := {name |
		some name, example in policy_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}

# Who may be a role: what breaks a rule, and the rows that the change breaks.
trust_violations := {
	"a role for anyone": {
		"rows": {21},
		"changes": [trust({"Principal": "*"})],
	},
	"a role for an account": {
		"rows": {21},
		"changes": [trust({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}})],
	},
	"a role for two services": {
		"rows": {21},
		"changes": [trust({"Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}})],
	},
	"a role for every repository": {
		"rows": {34},
		"changes": [github({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}})],
	},
	"a role for every repository of an owner": {
		"rows": {34},
		"changes": [github({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:owner/*"}})],
	},
	"a role that trusts nobody knows whom": {
		"rows": {21},
		"changes": [remove("/role/inputs/assumeRolePolicy")],
	},
	"a role for a service and an account": {
		"rows": {21},
		"changes": [trust({"Principal": {"Service": "lambda.amazonaws.com", "AWS": "*"}})],
	},
	"a role for no service of AWS": {
		"rows": {21},
		"changes": [trust({"Principal": {"Service": "example.com"}})],
	},
	"a role for users of another provider": {
		"rows": {21},
		"changes": [trust({"Principal": {"Federated": "cognito-identity.amazonaws.com"}})],
	},
	"a role for a repository and an account": {
		"rows": {21},
		"changes": [trust({"Principal": object.union(github_provider, {"AWS": "*"})})],
	},
}

test_trust_violation if {
	unnoticed := {name |
		some name, example in trust_violations
		violated != example.rows with input as captured(example.changes)
	}
	unnoticed == set()
}
