# METADATA
# title: Guard rails for a stack
# description: |
#   Audit tools check the same requirements: cdk-nag, checkov, trivy, serverless-rules,
#   Security Hub. Each rule here checks one of them, on what the Pulumi program declares,
#   before anything is deployed.
#
#   The input is either the graph that `go run ./local/capture -stack dev` writes or the
#   document of `pulumi preview --json --show-sames`. `make guard STACK=dev` makes such a
#   preview, checks that it succeeded, and evaluates the rules.
#
#   A resource complies only if it declares so: an absent property is a violation.
#   Therefore a predicate takes the whole resource. With an absent property as argument,
#   a negated call would be undefined instead of true, and the violation would be missed.
#   A policy that a preview does not know yet is not judged, and is listed as unjudged.
# scope: package
# related_resources:
#   - ref: https://github.com/cdklabs/cdk-nag/blob/main/RULES.md
#   - ref: https://www.checkov.io/5.Policy%20Index/all.html
#   - ref: https://avd.aquasec.com/misconfig/aws/
#   - ref: https://awslabs.github.io/serverless-rules/rules/
package infra

# METADATA
# title: The stack's resources
# description: In one form for both kinds of input. Types are without their prefix aws.
resources contains resource if {
	some declared in input.resources
	resource := normal(declared, declared.name)
}

resources contains resource if {
	some step in input.steps
	resource := normal(step.newState, split(step.newState.urn, "::")[3])
}

# METADATA
# title: One resource in that form
# description: Undefined for resources of other providers and for the stack itself.
normal(declared, name) := {
	"type": trim_prefix(declared.type, "aws:"),
	"name": name,
	"urn": declared.urn,
	"inputs": object.get(declared, "inputs", {}),
	"dependencies": object.get(declared, "dependencies", []),
	"sources": object.get(declared, "propertyDependencies", {}),
} if {
	startswith(declared.type, "aws:")
}

# METADATA
# title: The stack's resources by their types
by_type[resource.type] contains resource if some resource in resources

# METADATA
# title: The resources of one type
of_type(type) := object.get(by_type, type, set())

# METADATA
# title: The stack's name
name := split(min({resource.urn | some resource in resources}), "::")[0]

# METADATA
# title: What a preview writes for a value that only a deployment makes known
# description: UnknownStringValue of Pulumi's SDK, sdk/go/common/resource/plugin/rpc.go.
unknown := "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

# METADATA
# title: The properties that hold an IAM policy, by type of resource
policy_property := object.union(resource_policy, {"iam/policy:Policy": "policy", "iam/role:Role": "assumeRolePolicy"})

# METADATA
# title: The properties that hold the policy of a resource itself
# description: The API's own is none of them, as its clients are anyone until a method authorises them.
resource_policy := {
	"cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
	"dynamodb/resourcePolicy:ResourcePolicy": "policy",
	"kms/key:Key": "policy",
	"kms/keyPolicy:KeyPolicy": "policy",
	"s3/bucketPolicy:BucketPolicy": "policy",
	"secretsmanager/secretPolicy:SecretPolicy": "policy",
	"sns/topicPolicy:TopicPolicy": "policy",
	"sqs/queuePolicy:QueuePolicy": "policy",
}

# METADATA
# title: The policies that a preview does not know yet
# description: They name resources that are not created yet. A captured graph has them all.
unjudged contains resource.urn if {
	some resource in resources
	resource.inputs[policy_property[resource.type]] == unknown
}

# METADATA
# title: The statements of a resource's policy
# description: |
#   A single statement need not be in a list. Text that is no policy yields an empty
#   statement, which violates every rule about statements.
statements(resource) := [statement |
	not unjudged[resource.urn]
	some statement in as_list(object.get(document(resource), "Statement", [{}]))
]

# METADATA
# title: The policy of a resource as a document
# scope: document
default document(_) := {}

document(resource) := json.unmarshal(resource.inputs[policy_property[resource.type]])

# METADATA
# title: A value, or the values that there are, as a list
as_list(value) := value if is_array(value)

as_list(value) := [value] if not is_array(value)
