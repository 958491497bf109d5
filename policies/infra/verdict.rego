package infra

# METADATA
# title: What is wrong, and how to put it right
# description: Empty means that the stack complies.
# entrypoint: true
violations contains violation if {
	some requirement in requirements
	some problem in requirement.problems
	violation := {
		"row": requirement.row,
		"severity": requirement.severity,
		"resource": problem.resource,
		"message": problem.message,
	}
}

# METADATA
# title: The table of all requirements in their order
# description: |
#   Each with its status: pass, config (one configuration key adds it), waived (with the
#   reason) or violated.
# entrypoint: true
rows := [object.remove(numbered[1], ["problems"]) |
	some numbered in sort([[requirement.row, requirement] | some requirement in requirements])
]

# METADATA
# title: A requirement that has to hold in every stack
required(annotation, problems) := optional(annotation, problems, true)

# METADATA
# title: A requirement that a stack need not meet, for the reason that its rule names
# description: |
#   The status of an unmet one is that of the rule's annotation, config or waived. With a
#   problem it is violated: half of it was declared, or the reason does not hold.
optional(annotation, problems, met) := {
	"row": annotation.custom.row,
	"requirement": annotation.title,
	"ids": annotation.custom.ids,
	"severity": annotation.custom.severity,
	"how": annotation.custom.how,
	"status": status(problems, met, object.get(annotation.custom, "unmet", "violated")),
	"problems": problems,
}

# METADATA
# title: What became of a requirement
status(problems, _, _) := "violated" if count(problems) > 0

status(problems, true, _) := "pass" if count(problems) == 0

status(problems, false, unmet) := unmet if count(problems) == 0

# METADATA
# title: A problem of one resource
problem(resource, message) := {"resource": sprintf("%s %s", [resource.type, resource.name]), "message": message}

# METADATA
# title: Do all of these resources have the property?
# description: None at all is not all of them.
# scope: document
default all_have(_, _) := false

all_have(some_resources, property) if {
	count(some_resources) > 0
	every resource in some_resources {
		resource.inputs[property]
	}
}

# METADATA
# title: Does one of these resources have the property?
# scope: document
default one_has(_, _) := false

one_has(some_resources, property) if {
	some resource in some_resources
	resource.inputs[property]
}

# METADATA
# title: The resources without a property that others of them have
# description: A property of some resources and not of others was probably forgotten.
forgotten(some_resources, property) := {resource |
	one_has(some_resources, property)
	some resource in some_resources
	not resource.inputs[property]
}
