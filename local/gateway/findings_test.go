package gateway

import (
	"slices"
	"strings"
	"testing"
)

func TestFindings(t *testing.T) {
	const response = "options-books-integration-response"
	origin := "gatewayresponse.header.Access-Control-Allow-Origin"
	settings := func(level string) func(*stack) {
		return func(s *stack) {
			s.add(typeMethodSettings, "settings", "", inputs{"restApi": testAPI, "stageName": "live", "methodPath": "*/*", "settings": inputs{"loggingLevel": level}})
		}
	}
	for _, tt := range []struct {
		name     string
		change   func(*stack)
		resource string // "" = nothing is found
		problem  string
		fix      string
	}{
		{name: "the stack as it is deployed"},
		{name: "no permission for the authorizer", change: func(s *stack) { s.remove("allow-authorizer") }, resource: "token", problem: `500 {"message":null}`, fix: "/authorizers/%s"},
		{name: "a stale permission for the authorizer", change: func(s *stack) { s.set("allow-authorizer", "sourceArn", executeARN+"/authorizers/old001") }, resource: "token", problem: "does not match", fix: "SourceArn"},
		{name: "no permission for the integration", change: func(s *stack) { s.remove("allow-books") }, resource: "get-books-integration", problem: "500 Internal server error", fix: `%s/*/GET/books`},
		{name: "a permission for another stage", change: func(s *stack) { s.set("allow-books", "sourceArn", executeARN+"/prod/GET/books") }, resource: "get-books-integration", problem: "does not match", fix: "SourceArn"},
		{name: "a deployment that does not wait for a method", change: forget("get-books"), resource: "deployment", problem: "get-books (", fix: "add get-books to Triggers"},
		{name: "a deployment that does not wait for an integration", change: forget("get-books-integration"), resource: "deployment", problem: "get-books-integration (", fix: "DependsOn"},
		{name: "a deployment that does not wait for the authorizer", change: forget("token"), resource: "deployment", problem: "token (", fix: "DependsOn"},
		{name: "a deployment that does not wait for a gateway response", change: forget("default-4xx"), resource: "deployment", problem: "default-4xx (", fix: "DependsOn"},
		{name: "a deployment that is never replaced", change: func(s *stack) { s.set("deployment", "triggers", nil) }, resource: "deployment", problem: "not live", fix: "Triggers"},
		{name: "a cached policy for one method", change: func(s *stack) { s.set("token", "authorizerResultTtlInSeconds", float64(300)) }, resource: "token", problem: "cached for 300 s", fix: "POLICY_SCOPE"},
		{name: "a cached policy for the API", change: func(s *stack) {
			s.set("token", "authorizerResultTtlInSeconds", float64(300))
			s.set("authorizer", "environment", inputs{"variables": inputs{"POLICY_SCOPE": "api"}})
		}},
		{name: "a specific gateway response without the family's CORS headers", change: func(s *stack) {
			s.set("unauthorized", "responseParameters", inputs{"gatewayresponse.header.WWW-Authenticate": "'Bearer'"})
		}, resource: "unauthorized", problem: "lacks Access-Control-Allow-Origin", fix: origin},
		{name: "a preflight with an authorizer", change: func(s *stack) {
			s.set("options-books", "authorization", "CUSTOM").set("options-books", "authorizerId", "auth01")
		}, resource: "options-books", problem: "401", fix: "NONE"},
		{name: "no preflight at all", change: func(s *stack) {
			s.remove("options-books").remove("options-books-integration").remove("options-books-response").remove(response)
		}, resource: "get-books", problem: "preflight is answered 403", fix: "declare OPTIONS"},
		{name: "an undeclared header", change: func(s *stack) {
			s.set("options-books-response", "responseParameters", inputs{"method.response.header.Access-Control-Allow-Origin": true, "method.response.header.Access-Control-Allow-Methods": true})
		}, resource: response, problem: "Access-Control-Allow-Headers", fix: "options-books-response"},
		{name: "an undeclared status", change: func(s *stack) { s.set("options-books-response", "statusCode", "200") }, resource: response, problem: "no response 204", fix: `StatusCode "204"`},
		{name: "Allow-Headers that does not name Authorization", change: func(s *stack) {
			s.set(response, "responseParameters", inputs{"method.response.header.Access-Control-Allow-Origin": "'*'", "method.response.header.Access-Control-Allow-Headers": "'*'"})
		}, resource: response, problem: "does not name Authorization", fix: "'Authorization'"},
		{name: "a star with credentials in the preflight", change: func(s *stack) {
			s.set("options-books-response", "responseParameters", inputs{"method.response.header.Access-Control-Allow-Origin": true, "method.response.header.Access-Control-Allow-Headers": true, "method.response.header.Access-Control-Allow-Credentials": true})
			s.set(response, "responseParameters", inputs{"method.response.header.Access-Control-Allow-Origin": "'*'", "method.response.header.Access-Control-Allow-Headers": "'Authorization'", "method.response.header.Access-Control-Allow-Credentials": "'true'"})
		}, resource: response, problem: "Credentials", fix: "name the origin"},
		{name: "a star with credentials in a gateway response", change: func(s *stack) {
			s.set("default-5xx", "responseParameters", inputs{origin: "'*'", "gatewayresponse.header.Access-Control-Allow-Credentials": "'true'"})
		}, resource: "default-5xx", problem: "Credentials", fix: "name the origin"},
		{name: "execution logging without the account's role", change: settings("ERROR"), resource: "settings", problem: "CloudWatch Logs role ARN", fix: "apigateway.Account"},
		{name: "execution logging with the account's role", change: func(s *stack) { settings("INFO")(s); s.add(typeAccount, "account", "", inputs{}) }},
		{name: "execution logging that is off", change: settings("OFF")},
		{name: "a function that is called with GET", change: func(s *stack) { s.set("get-books-integration", "integrationHttpMethod", "GET") }, resource: "get-books-integration", problem: "500", fix: `"POST"`},
		{name: "a mock template without a status", change: func(s *stack) {
			s.set("options-books-integration", "requestTemplates", inputs{"application/json": "{}"})
		}, resource: "options-books-integration", problem: "no integer statusCode", fix: `{"statusCode": 200}`},
		{name: "an endpoint that is disabled", change: func(s *stack) { s.set("api", "disableExecuteApiEndpoint", true) }, resource: "api", problem: "cannot be reached", fix: "BasePathMapping"},
		{name: "a gateway response that says success", change: func(s *stack) { s.set("default-4xx", "statusCode", "200") }, resource: "default-4xx", problem: "answered 200", fix: "StatusCode"},
		{name: "a gateway response that cannot be customised", change: func(s *stack) {
			s.response("413", requestTooLarge, inputs{"responseParameters": inputs{origin: "'*'"}})
			s.wait("413")
		}, resource: "413", problem: "no effect", fix: "remove it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStack()
			if tt.change != nil {
				tt.change(s)
			}
			g, err := New(&s.Graph, Options{Functions: newFakes()})
			if err != nil {
				t.Fatal(err)
			}
			found := g.Findings()
			if tt.resource == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if !slices.ContainsFunc(found, func(f Finding) bool {
				return f.Resource == tt.resource && strings.Contains(f.Problem, tt.problem) && strings.Contains(f.Fix, tt.fix)
			}) {
				t.Errorf("%s %q %q is not among %v", tt.resource, tt.problem, tt.fix, found)
			}
		})
	}
}

// forget makes the deployment not wait for a resource.
func forget(name string) func(*stack) {
	return func(s *stack) {
		for i := range s.Resources {
			s.Resources[i].Dependencies = slices.DeleteFunc(s.Resources[i].Dependencies, func(urn string) bool { return strings.HasSuffix(urn, "::"+name) })
		}
	}
}

// wait makes the deployment wait for a resource.
func (s *stack) wait(name string) {
	urn := ""
	for _, r := range s.Resources {
		if r.Name == name {
			urn = r.URN
		}
	}
	for i := range s.Resources {
		if s.Resources[i].Type == typeDeployment {
			s.Resources[i].Dependencies = append(s.Resources[i].Dependencies, urn)
		}
	}
}

func TestDeploymentWaitsThroughOthersAndThroughProperties(t *testing.T) {
	s := newStack()
	forget("token")(s)
	forget("books-resource")(s)
	for i := range s.Resources {
		switch s.Resources[i].Name {
		case "get-books":
			s.Resources[i].Dependencies = []string{"urn:pulumi:live::library::" + typeAuthorizer + "::token"}
		case "deployment":
			s.Resources[i].PropertyDependencies = map[string][]string{"triggers": {"urn:pulumi:live::library::" + typeResource + "::books-resource"}}
		}
	}
	g, err := New(&s.Graph, Options{Functions: newFakes()})
	if err != nil {
		t.Fatal(err)
	}
	if found := g.Findings(); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}
