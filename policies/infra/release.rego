package infra

# METADATA
# title: Code and settings of a function go live together
# description: |
#   A published version never changes. An alias without routing moves all callers to one
#   version at once; with routing, access decisions would differ from request to request.
# custom:
#   row: 41
#   ids: []
#   severity: medium
#   how: every function publishes its versions, and an alias names one of them
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	unpublished := {problem(function, "set Publish to true") |
		some function in functions
		not function.inputs.publish == true
	}
	unfixed := {problem(alias, "set FunctionVersion to the Version of a function of the stack") |
		some alias in aliases
		not follows(alias)
	}
	routed := {problem(alias, "remove RoutingConfig") |
		some alias in aliases
		alias.inputs.routingConfig
	}
	problems := (unpublished | unfixed) | routed
}

# METADATA
# title: API Gateway invokes an alias, and may invoke it
# description: |
#   A function's own URI runs code that is not released yet. A permission without the
#   alias as its qualifier does not cover the alias: the call fails with a 500.
# related_resources:
#   - ref: https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
# custom:
#   row: 42
#   ids: []
#   severity: high
#   how: each integration and the authorizer name the alias `live`, whose permission has the same qualifier
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	direct := {problem(caller, "set the URI to the InvokeArn of an alias of the stack") |
		some caller in callers
		count(called(caller)) == 0
	}
	forbidden := {problem(caller, sprintf("declare a Permission with Qualifier %v for the function", [alias.inputs.name])) |
		some caller in callers
		some alias in called(caller)
		not invocable(alias, caller)
	}
	shared := {problem(caller, "set AuthorizerUri to an alias of the authorizer's function, which answers no method") |
		some caller in callers
		caller.target == "authorizerUri"
		some other in callers
		other.target == "uri"
		count(called(caller) & called(other)) > 0
	}
	problems := (direct | forbidden) | shared
}

# METADATA
# title: The stack's aliases
aliases := of_type("lambda/alias:Alias")

# METADATA
# title: Does an alias name the version that an update publishes?
# description: It would keep a version that is written out, and with it access that is revoked since.
follows(alias) if {
	not alias.inputs.functionVersion == "$LATEST"
	some function in functions
	function.urn in object.get(alias.sources, "functionVersion", [])
}

# METADATA
# title: What invokes a function, with the property that names it
callers contains object.union(caller, {"target": "authorizerUri"}) if {
	some caller in of_type("apigateway/authorizer:Authorizer")
	not caller.inputs.type == "COGNITO_USER_POOLS"
}

callers contains object.union(caller, {"target": "uri"}) if {
	some caller in of_type("apigateway/integration:Integration")
	caller.inputs.type == "AWS_PROXY"
}

callers contains object.union(caller, {"target": "uri"}) if {
	some caller in of_type("apigateway/integration:Integration")
	contains(caller.inputs.uri, ":lambda:path/")
}

# METADATA
# title: The aliases that a caller's property is made of
# description: A preview does not know the URI yet, but it knows the resource that it comes from.
called(caller) := {alias |
	some alias in aliases
	alias.urn in object.get(caller.sources, caller.target, [])
}

# METADATA
# title: May API Gateway invoke an alias for a caller?
invocable(alias, caller) if {
	some permission in of_type("lambda/permission:Permission")
	permission.inputs.principal == "apigateway.amazonaws.com"
	permission.inputs.qualifier == alias.inputs.name
	permission.inputs.function == alias.inputs.functionName
	covers(permission, caller)
}

# METADATA
# title: Is a permission for an authorizer, or for a method, as its caller is?
covers(permission, _) if permission.inputs.sourceArn == unknown

covers(permission, caller) if {
	caller.target == "authorizerUri"
	contains(permission.inputs.sourceArn, "/authorizers/")
}

covers(permission, caller) if {
	caller.target == "uri"
	not contains(object.get(permission.inputs, "sourceArn", ""), "/authorizers/")
}
