package infra

# METADATA
# title: Every method but the preflight is authorised
# description: |
#   A browser asks with OPTIONS and without a token; only a mock may answer it. Methods of an
#   OpenAPI document are not seen here.
# custom:
#   row: 1
#   ids: [AwsSolutions-APIG4, CKV_AWS_59, CKV2_AWS_70, AWS-0004, CT.APIGATEWAY.PR.5]
#   severity: critical
#   how: "`authorization: CUSTOM` with the authorizer"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	open := {problem(method, "set Authorization to CUSTOM and AuthorizerId to the ID of an authorizer of the stack") |
		some method in protected_methods
		not authorised(method)
	}
	unseen := {problem(api, "declare Resource, Method and Integration instead of Body") |
		some api in of_type("apigateway/restApi:RestApi")
		api.inputs.body
	}
	routed := {problem(route, "set AuthorizationType to CUSTOM, JWT or AWS_IAM") |
		some route in of_type("apigatewayv2/route:Route")
		not closed(route)
	}
	answered := {problem(integration, "answer OPTIONS with Type MOCK: it takes no token") |
		some integration in of_type("apigateway/integration:Integration")
		integration.inputs.httpMethod == "OPTIONS"
		not integration.inputs.type == "MOCK"
	}
	problems := ((open | unseen) | routed) | answered
}

# METADATA
# title: Cognito authorizer
# description: Users of a pool of the stack's own would be authorised by Cognito's authorizer.
# custom:
#   row: 2
#   ids: [AwsSolutions-COG4]
#   severity: low
#   unmet: waived
#   how: the issuer is any OpenID Connect provider outside the stack; Cognito's authorizer knows Cognito only
requirements contains optional(annotation, problems, false) if {
	annotation := rego.metadata.rule()
	problems := {problem(pool, "use an authorizer of type COGNITO_USER_POOLS, or keep the pool in another stack") |
		some pool in of_type("cognito/userPool:UserPool")
	}
}

# METADATA
# title: Requests are validated
# description: What a method requires of a request is checked before a function is paid for.
# custom:
#   row: 10
#   ids: [AwsSolutions-APIG2, CKV2_AWS_53]
#   severity: low
#   how: a validator of the parameters; no method takes a body
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	unchecked := {problem(method, "set RequestValidatorId") |
		some method in protected_methods
		not method.inputs.requestValidatorId
	}
	idle := {problem(validator, "set ValidateRequestParameters to true") |
		some validator in of_type("apigateway/requestValidator:RequestValidator")
		not validator.inputs.validateRequestParameters == true
	}
	problems := unchecked | idle
}

# METADATA
# title: Web application firewall
# custom:
#   row: 11
#   ids: [AwsSolutions-APIG3, CKV2_AWS_29, APIGateway.4, APIGWAssociatedWithWAF]
#   severity: medium
#   unmet: config
#   how: set `webAclArn`
requirements contains optional(annotation, problems, count(associations) > 0) if {
	annotation := rego.metadata.rule()
	associations := of_type("wafv2/webAclAssociation:WebAclAssociation")
	problems := {problem(association, "a stage takes a web ACL of scope REGIONAL only: set webAclArn to one") |
		some association in associations
		not regional(association)
	}
}

# METADATA
# title: TLS 1.2 or later on the domain
# custom:
#   row: 14
#   ids: [CKV_AWS_206, AWS-0005, CT.APIGATEWAY.PR.6, APIGATEWAY_DOMAIN_NAME_TLS_CHECK]
#   severity: high
#   unmet: config
#   how: set `domain` and `certificateArn`
requirements contains optional(annotation, problems, count(domains) > 0) if {
	annotation := rego.metadata.rule()
	domains := of_type("apigateway/domainName:DomainName")
	problems := {problem(domain, "set SecurityPolicy to TLS_1_2, or to a newer one such as SecurityPolicy_TLS13_1_3_2025_09") |
		some domain in domains
		not modern(domain)
	}
}

# METADATA
# title: A permission names who may invoke
# description: |
#   Without the source, any API of any account could invoke the function. Stage and
#   method are exact too; only a path parameter is a wildcard.
# custom:
#   row: 16
#   ids: [AWS-0067, CKV_AWS_364, WS1002]
#   severity: critical
#   how: "`sourceArn` names one method of one stage, or one authorizer"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	fix := "set SourceArn to <ExecutionArn>/<stage>/<METHOD>/<path> or <ExecutionArn>/authorizers/<id>"
	problems := {problem(permission, fix) |
		some permission in of_type("lambda/permission:Permission")
		not exact(permission)
	}
}

# METADATA
# title: No function is public
# custom:
#   row: 17
#   ids: [CKV_AWS_301, CKV_AWS_258, LambdaFunctionUrlAuth, Lambda.1]
#   severity: critical
#   how: only `apigateway.amazonaws.com` may invoke; there is no function URL
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	anyone := {problem(permission, "set Principal to one service, such as apigateway.amazonaws.com") |
		some permission in of_type("lambda/permission:Permission")
		not for_service(permission)
	}
	address := {problem(url, "set AuthorizationType to AWS_IAM") |
		some url in of_type("lambda/functionUrl:FunctionUrl")
		not url.inputs.authorizationType == "AWS_IAM"
	}
	problems := anyone | address
}

# METADATA
# title: An authorizer is asked about bearer tokens, and each time
# description: |
#   API Gateway refuses what does not match the expression without an invocation. It keeps an
#   answer for 300 seconds if nothing is declared, and a revoked token passes as long.
# related_resources:
#   - ref: https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html
# custom:
#   row: 44
#   ids: []
#   severity: medium
#   how: "`identityValidationExpression` takes three parts after `Bearer`; `authorizerTtl` is 0 unless the stack sets it"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	loose := {problem(authorizer, "set IdentityValidationExpression to one that takes a bearer token and nothing else") |
		some authorizer in of_type("apigateway/authorizer:Authorizer")
		authorizer.inputs.type == "TOKEN"
		not takes_tokens_only(authorizer)
	}
	kept := {problem(authorizer, "set AuthorizerResultTtlInSeconds") |
		some authorizer in of_type("apigateway/authorizer:Authorizer")
		not keeps_as_declared(authorizer)
	}
	problems := loose | kept
}

# METADATA
# title: Does an authorizer's expression tell a bearer token from anything else?
takes_tokens_only(authorizer) if {
	expression := authorizer.inputs.identityValidationExpression
	regex.is_valid(expression)
	regex.match(expression, "Bearer e30.e30.c2ln")
	every other in ["", "Bearer", "Bearer e30", "Basic e30.e30.c2ln", "Bearer e30.e30.c2ln, Bearer e30.e30.c2ln"] {
		not regex.match(expression, other)
	}
}

# METADATA
# title: Does an authorizer say how long an answer is kept?
keeps_as_declared(authorizer) if is_number(authorizer.inputs.authorizerResultTtlInSeconds)

# METADATA
# title: Does a route of an HTTP API ask who calls?
closed(route) if route.inputs.authorizationType in {"CUSTOM", "JWT", "AWS_IAM"}

# METADATA
# title: Does a method ask an authorizer?
authorised(method) if {
	method.inputs.authorization == "CUSTOM"
	method.inputs.authorizerId != ""
	some authorizer in of_type("apigateway/authorizer:Authorizer")
	authorizer.urn in object.get(method.sources, "authorizerId", [])
}

# METADATA
# title: The methods that take a token
protected_methods contains method if {
	some method in of_type("apigateway/method:Method")
	not method.inputs.httpMethod == "OPTIONS"
}

# METADATA
# title: Is an association with a web ACL that stages take?
regional(association) if contains(association.inputs.webAclArn, ":regional/webacl/")

# METADATA
# title: Does a domain refuse TLS 1.1 and earlier?
# related_resources:
#   - ref: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
modern(domain) if regex.match(`^(TLS_1_2|SecurityPolicy_TLS1[23]_.+)$`, domain.inputs.securityPolicy)

# METADATA
# title: Does a permission name one method or one authorizer?
exact(permission) if permission.inputs.sourceArn == unknown

exact(permission) if {
	source := `^arn:aws[a-z-]*:execute-api:[a-z0-9-]+:[0-9]{12}:[a-z0-9]+/[A-Za-z0-9_-]+/[A-Za-z0-9]+(/[^/]+)*$`
	regex.match(source, permission.inputs.sourceArn)
}

# METADATA
# title: Does a permission let one AWS service in?
for_service(permission) if endswith(permission.inputs.principal, ".amazonaws.com")
