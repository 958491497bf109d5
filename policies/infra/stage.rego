package infra

# METADATA
# title: Throttling is not the account's
# description: Without limits of its own, one stack can use up what all APIs of the account share.
# custom:
#   row: 9
#   ids: [ES2003]
#   severity: medium
#   how: "`throttleRate` and `throttleBurst` for each stack"
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(stage, "declare MethodSettings for */* with ThrottlingRateLimit and ThrottlingBurstLimit") |
		some stage in of_type("apigateway/stage:Stage")
		every settings in settings_of(stage) {
			not throttled(settings)
		}
	}
}

# METADATA
# title: Client certificate for the back end
# custom:
#   row: 12
#   ids: [CKV2_AWS_51, APIGateway.2, APIGWSSLEnabled]
#   severity: low
#   unmet: waived
#   how: the back ends are functions, which IAM protects; a certificate is for HTTP back ends
requirements contains optional(annotation, problems, all_have(stages, "clientCertificateId")) if {
	annotation := rego.metadata.rule()
	stages := of_type("apigateway/stage:Stage")
	problems := {problem(integration, "set ClientCertificateId on the stage: this back end speaks HTTP") |
		not all_have(stages, "clientCertificateId")
		some integration in of_type("apigateway/integration:Integration")
		integration.inputs.type in {"HTTP", "HTTP_PROXY"}
	}
}

# METADATA
# title: Response cache, encrypted
# custom:
#   row: 13
#   ids: [CKV_AWS_120, CKV_AWS_225, CKV_AWS_308, AWS-0190, AWS-0002, CT.APIGATEWAY.PR.3]
#   severity: low
#   unmet: waived
#   how: every answer is for one caller; a shared cache would hand it to others
requirements contains optional(annotation, problems, false) if {
	annotation := rego.metadata.rule()
	sized_cache := {problem(stage, "remove CacheClusterEnabled") |
		some stage in of_type("apigateway/stage:Stage")
		stage.inputs.cacheClusterEnabled
	}
	used_cache := {problem(settings, "remove CachingEnabled") |
		some settings in of_type("apigateway/methodSettings:MethodSettings")
		settings.inputs.settings.cachingEnabled
	}
	problems := sized_cache | used_cache
}

# METADATA
# title: A replacement is created before the old one goes
# description: A deployment that owns its stage cannot be deleted while the stage is in use.
# custom:
#   row: 15
#   ids: [CKV_AWS_217, CKV_AWS_237]
#   severity: medium
#   how: Pulumi's order, and a stage that is no part of its deployment
requirements contains required(annotation, problems) if {
	annotation := rego.metadata.rule()
	problems := {problem(deployment, "remove StageName and declare an apigateway.Stage") |
		some deployment in of_type("apigateway/deployment:Deployment")
		deployment.inputs.stageName
	}
}

# METADATA
# title: Do settings limit both the average and the burst?
throttled(settings) if {
	settings.inputs.settings.throttlingRateLimit > 0
	settings.inputs.settings.throttlingBurstLimit > 0
}
