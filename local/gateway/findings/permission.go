package findings

import (
	"fmt"
	"maps"
	"slices"

	"account-api/local/gateway/declaration"
)

// permissions finds functions that API Gateway may not invoke: their requests are a 500.
func permissions(f *finder) {
	for _, a := range f.api.Authorizers {
		if why := f.api.Forbids(a.Function, f.api.AuthorizerARN(a)); why != "" {
			f.add(declaration.TypeAuthorizer, a.Declared, fmt.Sprintf(`declare a lambda.Permission with %sSourceArn: pulumi.Sprintf("%%s/authorizers/%%s", api.ExecutionArn, authorizer.ID())`, qualified(a.Function)),
				`every request to a protected method is answered 500 {"message":null}: %s`, why)
		}
	}
	for _, m := range f.api.Methods {
		if m.Integration.Mock == nil {
			permission(f, m)
		}
	}
}

// permission finds the first stage and verb whose requests may not invoke the function.
func permission(f *finder, m *declaration.Method) {
	verbs, permitted := []string{m.Verb}, m.Verb
	if m.Verb == "ANY" {
		verbs, permitted = declaration.Verbs, "*"
	}
	for _, stage := range slices.Sorted(maps.Keys(f.api.Stages)) {
		for _, verb := range verbs {
			if why := f.api.Forbids(m.Integration.Function, f.api.SourceARN(stage, verb, m)); why != "" {
				f.add(declaration.TypeIntegration, m.Integration.Declared, fmt.Sprintf(`declare a lambda.Permission with %sSourceArn: pulumi.Sprintf("%%s/*/%s%s", api.ExecutionArn)`,
					qualified(m.Integration.Function), permitted, m.SourcePath()),
					"%s %s is answered 500 Internal server error: %s", verb, m.Path, why)
				return
			}
		}
	}
}

// qualified is what a permission has to say of the version or alias that the API calls.
func qualified(f *declaration.Function) string {
	if f.Qualifier == "" {
		return ""
	}
	return fmt.Sprintf("Qualifier: pulumi.String(%q) and ", f.Qualifier)
}
