package findings_test

import (
	"slices"
	"strings"
	"testing"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/findings"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/gateway/gatewaytest"
)

func TestOf(t *testing.T) {
	const response = "options-books-integration-response"
	origin := "gatewayresponse.header.Access-Control-Allow-Origin"
	settings := func(level string) func(*gatewaytest.Stack) {
		return func(s *gatewaytest.Stack) {
			s.Add(declaration.TypeMethodSettings, "settings", "", gatewaytest.Inputs{"restApi": gatewaytest.API, "stageName": "live", "methodPath": "*/*", "settings": gatewaytest.Inputs{"loggingLevel": level}})
		}
	}
	for _, tt := range []struct {
		name     string
		change   func(*gatewaytest.Stack)
		resource string // "" = nothing is found
		problem  string
		fix      string
	}{
		{name: "the stack as it is deployed"},
		{name: "no permission for the authorizer", change: func(s *gatewaytest.Stack) { s.Remove("allow-authorizer") }, resource: "token", problem: `500 {"message":null}`, fix: "/authorizers/%s"},
		{name: "a stale permission for the authorizer", change: func(s *gatewaytest.Stack) {
			s.Set("allow-authorizer", "sourceArn", gatewaytest.ExecutionARN+"/authorizers/old001")
		}, resource: "token", problem: "does not match", fix: "SourceArn"},
		{name: "no permission for the integration", change: func(s *gatewaytest.Stack) { s.Remove("allow-books") }, resource: "get-books-integration", problem: "500 Internal server error", fix: `%s/*/GET/books`},
		{name: "an alias with its permission", change: func(s *gatewaytest.Stack) { s.Alias("stable").Set("allow-books", "qualifier", "stable") }},
		{name: "an alias without a permission of its own", change: func(s *gatewaytest.Stack) { s.Alias("stable") },
			resource: "get-books-integration", problem: "no qualifier", fix: `Qualifier: pulumi.String("stable") and SourceArn`},
		{name: "a permission for another stage", change: func(s *gatewaytest.Stack) {
			s.Set("allow-books", "sourceArn", gatewaytest.ExecutionARN+"/prod/GET/books")
		}, resource: "get-books-integration", problem: "does not match", fix: "SourceArn"},
		{name: "a deployment that does not wait for a method", change: forget("get-books"), resource: "deployment", problem: "get-books (", fix: "add get-books to Triggers"},
		{name: "a deployment that does not wait for an integration", change: forget("get-books-integration"), resource: "deployment", problem: "get-books-integration (", fix: "DependsOn"},
		{name: "a deployment that does not wait for the authorizer", change: forget("token"), resource: "deployment", problem: "token (", fix: "DependsOn"},
		{name: "a deployment that does not wait for a gateway response", change: forget("default-4xx"), resource: "deployment", problem: "default-4xx (", fix: "DependsOn"},
		{name: "a deployment that is never replaced", change: func(s *gatewaytest.Stack) { s.Set("deployment", "triggers", nil) }, resource: "deployment", problem: "not live", fix: "Triggers"},
		{name: "a stage on the deployment", change: func(s *gatewaytest.Stack) { s.Remove("stage").Set("deployment", "stageName", "live") },
			resource: "deployment", problem: "Active stages", fix: "apigateway.Stage"},
		{name: "a preflight that allows ANY", change: func(s *gatewaytest.Stack) {
			s.Set(response, "responseParameters", gatewaytest.Inputs{"method.response.header.Access-Control-Allow-Origin": "'*'",
				"method.response.header.Access-Control-Allow-Methods": "'OPTIONS,ANY'", "method.response.header.Access-Control-Allow-Headers": "'Authorization'"})
		}, resource: response, problem: "ANY is no method", fix: "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"},
		{name: "a specific gateway response without the family's CORS headers", change: func(s *gatewaytest.Stack) {
			s.Set("unauthorized", "responseParameters", gatewaytest.Inputs{"gatewayresponse.header.WWW-Authenticate": "'Bearer'"})
		}, resource: "unauthorized", problem: "lacks Access-Control-Allow-Origin", fix: origin},
		{name: "a preflight with an authorizer", change: func(s *gatewaytest.Stack) {
			s.Set("options-books", "authorization", "CUSTOM").Set("options-books", "authorizerId", "auth01")
		}, resource: "options-books", problem: "401", fix: "NONE"},
		{name: "no preflight at all", change: func(s *gatewaytest.Stack) {
			s.Remove("options-books").Remove("options-books-integration").Remove("options-books-response").Remove(response)
		}, resource: "get-books", problem: "preflight is answered 403", fix: "declare OPTIONS"},
		{name: "an undeclared header", change: func(s *gatewaytest.Stack) {
			s.Set("options-books-response", "responseParameters", gatewaytest.Inputs{"method.response.header.Access-Control-Allow-Origin": true, "method.response.header.Access-Control-Allow-Methods": true})
		}, resource: response, problem: "Access-Control-Allow-Headers", fix: "options-books-response"},
		{name: "an undeclared status", change: func(s *gatewaytest.Stack) { s.Set("options-books-response", "statusCode", "200") }, resource: response, problem: "no response 204", fix: `StatusCode "204"`},
		{name: "Allow-Headers that does not name Authorization", change: func(s *gatewaytest.Stack) {
			s.Set(response, "responseParameters", gatewaytest.Inputs{"method.response.header.Access-Control-Allow-Origin": "'*'", "method.response.header.Access-Control-Allow-Headers": "'*'"})
		}, resource: response, problem: "does not name Authorization", fix: "'Authorization'"},
		{name: "a star with credentials in the preflight", change: func(s *gatewaytest.Stack) {
			s.Set("options-books-response", "responseParameters", gatewaytest.Inputs{"method.response.header.Access-Control-Allow-Origin": true, "method.response.header.Access-Control-Allow-Headers": true, "method.response.header.Access-Control-Allow-Credentials": true})
			s.Set(response, "responseParameters", gatewaytest.Inputs{"method.response.header.Access-Control-Allow-Origin": "'*'", "method.response.header.Access-Control-Allow-Headers": "'Authorization'", "method.response.header.Access-Control-Allow-Credentials": "'true'"})
		}, resource: response, problem: "Credentials", fix: "name the origin"},
		{name: "a star with credentials in a gateway response", change: func(s *gatewaytest.Stack) {
			s.Set("default-5xx", "responseParameters", gatewaytest.Inputs{origin: "'*'", "gatewayresponse.header.Access-Control-Allow-Credentials": "'true'"})
		}, resource: "default-5xx", problem: "Credentials", fix: "name the origin"},
		{name: "execution logging without the account's role", change: settings("ERROR"), resource: "settings", problem: "CloudWatch Logs role ARN", fix: "apigateway.Account"},
		{name: "execution logging with the account's role", change: func(s *gatewaytest.Stack) {
			settings("INFO")(s)
			s.Add(declaration.TypeAccount, "account", "", gatewaytest.Inputs{})
		}},
		{name: "execution logging that is off", change: settings("OFF")},
		{name: "a function that is called with GET", change: func(s *gatewaytest.Stack) { s.Set("get-books-integration", "integrationHttpMethod", "GET") }, resource: "get-books-integration", problem: "500", fix: `"POST"`},
		{name: "a mock template without a status", change: func(s *gatewaytest.Stack) {
			s.Set("options-books-integration", "requestTemplates", gatewaytest.Inputs{"application/json": "{}"})
		}, resource: "options-books-integration", problem: "no integer statusCode", fix: `{"statusCode": 200}`},
		{name: "an endpoint that is disabled", change: func(s *gatewaytest.Stack) { s.Set("api", "disableExecuteApiEndpoint", true) }, resource: "api", problem: "cannot be reached", fix: "BasePathMapping"},
		{name: "a gateway response that says success", change: func(s *gatewaytest.Stack) { s.Set("default-4xx", "statusCode", "200") }, resource: "default-4xx", problem: "answered 200", fix: "StatusCode"},
		{name: "a gateway response that cannot be customised", change: func(s *gatewaytest.Stack) {
			s.Response("413", gatewayresponse.RequestTooLarge, gatewaytest.Inputs{"responseParameters": gatewaytest.Inputs{origin: "'*'"}})
			wait(s, "413")
		}, resource: "413", problem: "no effect", fix: "remove it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gatewaytest.New()
			if tt.change != nil {
				tt.change(s)
			}
			found := of(t, s)
			if tt.resource == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if !slices.ContainsFunc(found, func(f findings.Finding) bool {
				return f.Resource == tt.resource && strings.Contains(f.Problem, tt.problem) && strings.Contains(f.Fix, tt.fix)
			}) {
				t.Errorf("%s %q %q is not among %v", tt.resource, tt.problem, tt.fix, found)
			}
		})
	}
}

func of(t *testing.T, s *gatewaytest.Stack) []findings.Finding {
	t.Helper()
	api, err := declaration.Read(&s.Graph)
	if err != nil {
		t.Fatal(err)
	}
	return findings.Of(&s.Graph, api)
}

// forget makes the deployment not wait for a resource.
func forget(name string) func(*gatewaytest.Stack) {
	return func(s *gatewaytest.Stack) {
		for i := range s.Resources {
			s.Resources[i].Dependencies = slices.DeleteFunc(s.Resources[i].Dependencies, func(urn string) bool { return strings.HasSuffix(urn, "::"+name) })
		}
	}
}

// wait makes the deployment wait for a resource.
func wait(s *gatewaytest.Stack, name string) {
	urn := ""
	for _, r := range s.Resources {
		if r.Name == name {
			urn = r.URN
		}
	}
	for i := range s.Resources {
		if s.Resources[i].Type == declaration.TypeDeployment {
			s.Resources[i].Dependencies = append(s.Resources[i].Dependencies, urn)
		}
	}
}

func TestDeploymentWaitsThroughOthersAndThroughProperties(t *testing.T) {
	s := gatewaytest.New()
	forget("token")(s)
	forget("books-resource")(s)
	for i := range s.Resources {
		switch s.Resources[i].Name {
		case "get-books":
			s.Resources[i].Dependencies = []string{"urn:pulumi:live::library::" + declaration.TypeAuthorizer + "::token"}
		case "deployment":
			s.Resources[i].PropertyDependencies = map[string][]string{"triggers": {"urn:pulumi:live::library::" + declaration.TypeResource + "::books-resource"}}
		}
	}
	if found := of(t, s); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}
