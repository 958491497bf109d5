# METADATA
# title: What an operations team asks of a stack
# description: |
#   Audits run the same few questions over every stack: cdk-nag, checkov, trivy,
#   serverless-rules, Security Hub. Each rule here is one of these questions, asked of
#   what the Pulumi program declares, before anything is deployed.
#
#   The input is either the graph that `go run ./local/capture -stack dev` writes or
#   the document of `pulumi preview --json --show-sames`:
#
#     pulumi preview --json --show-sames | opa eval -d policies/infra -I --fail-defined 'data.infra.violations[_]'
#
#   A rule looks for proof, not for guilt: what does not say that it complies does not.
#   So a predicate takes the whole resource. Given a property that is absent, a negated
#   call would be undefined instead of true, and the violation would go unnoticed.
#   Only what a preview cannot know yet is left open, and listed as unjudged.
# scope: package
# related_resources:
#   - ref: https://github.com/cdklabs/cdk-nag/blob/main/RULES.md
#   - ref: https://www.checkov.io/5.Policy%20Index/all.html
#   - ref: https://avd.aquasec.com/misconfig/aws/
#   - ref: https://awslabs.github.io/serverless-rules/rules/
package infra

# METADATA
# title: The stack's resources
# description: One form for both kinds of input, with the type's aws prefix left out.
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
# description: Undefined for what is not AWS's, such as the stack itself.
normal(declared, name) := {
	"type": trim_prefix(declared.type, "aws:"),
	"name": name,
	"urn": declared.urn,
	"inputs": object.get(declared, "inputs", {}),
	"dependencies": object.get(declared, "dependencies", []),
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
policy_property := {"iam/policy:Policy": "policy", "iam/role:Role": "assumeRolePolicy"}

# METADATA
# title: The policies that a preview cannot judge
# description: They name what is not there yet. The captured graph knows them all.
unjudged contains resource.urn if {
	some resource in resources
	resource.inputs[policy_property[resource.type]] == unknown
}

# METADATA
# title: The statements of a resource's policy
# description: |
#   One statement need not be in a list. What is no policy yields an empty statement,
#   which complies with nothing.
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
