package findings

import (
	"maps"
	"slices"

	"account-api/local/gateway/declaration"
)

// logging finds stages that may not be able to write execution logs.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
func logging(f *finder) {
	if len(f.graph.OfType(declaration.TypeAccount)) > 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(f.api.Stages)) {
		for _, l := range f.api.Stages[name].Limits {
			if l.Logs {
				f.add(declaration.TypeMethodSettings, l.Declared, `if it has none, declare an apigateway.Account with a CloudwatchRoleArn, or set LoggingLevel to "OFF"`,
					`in an AWS account without a log role for API Gateway, the update fails with "CloudWatch Logs role ARN must be set in account settings to enable logging"`)
			}
		}
	}
}

// endpoint finds an API without an address.
func endpoint(f *finder) {
	for _, r := range f.graph.OfType(declaration.TypeRestAPI) {
		disabled, _ := r.Inputs["disableExecuteApiEndpoint"].(bool)
		if disabled && len(f.graph.OfType(declaration.TypeBasePathMapping)) == 0 {
			f.add(r.Type, r.Name, "declare an apigateway.DomainName and a BasePathMapping, or remove DisableExecuteApiEndpoint",
				"the API cannot be reached: its own endpoint is disabled and no domain is mapped to it")
		}
	}
}
