// Package gatewaytest has a stack for the tests of the gateway and its rooms: an API of
// their own, which no deployed program declares. Tests change it, one property at a time.
package gatewaytest

import (
	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/graph"
)

// The API that is under construction, as AWS would name it.
const (
	Region       = "eu-west-2"
	Account      = "123456789012"
	API          = "abcdefghij"
	ExecutionARN = "arn:aws:execute-api:" + Region + ":" + Account + ":" + API
)

// FunctionARN is the ARN of a function of the stack.
func FunctionARN(name string) string {
	return "arn:aws:lambda:" + Region + ":" + Account + ":function:" + name
}

// InvokeARN is how an integration or an authorizer names a function.
func InvokeARN(name string) string {
	return "arn:aws:apigateway:" + Region + ":lambda:path/2015-03-31/functions/" + FunctionARN(name) + "/invocations"
}

// Inputs are the declared properties of a resource.
type Inputs = map[string]any

// Stack is a graph under construction.
type Stack struct{ graph.Graph }

// New returns a stack with one protected method, GET /books, its preflight and its
// gateway responses.
func New() *Stack {
	s := &Stack{graph.Graph{Project: "library", Stack: "live", Region: Region, Account: Account}}
	s.Add(declaration.TypeRestAPI, "api", API, Inputs{"name": "library", "endpointConfiguration": Inputs{"types": "REGIONAL"}})
	for _, name := range []string{"authorizer", "books"} {
		s.Add(declaration.TypeFunction, name, name, Inputs{"name": name, "environment": Inputs{"variables": Inputs{}}})
	}
	s.Add(declaration.TypeResource, "books-resource", "res001", Inputs{"restApi": API, "parentId": "root000000", "pathPart": "books"})
	s.Add(declaration.TypeAuthorizer, "token", "auth01", Inputs{"restApi": API, "name": "token", "type": "TOKEN",
		"authorizerUri": InvokeARN("authorizer"), "identitySource": "method.request.header.Authorization",
		"identityValidationExpression": `^Bearer [-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`,
		"authorizerResultTtlInSeconds": float64(0)})
	s.Method("get-books", "res001", "GET", Inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
	s.Method("options-books", "res001", "OPTIONS", Inputs{"authorization": "NONE"})
	s.Proxy("get-books-integration", "res001", "GET", "books")
	s.Add(declaration.TypeIntegration, "options-books-integration", "", Inputs{"restApi": API, "resourceId": "res001", "httpMethod": "OPTIONS",
		"type": "MOCK", "requestTemplates": Inputs{"application/json": `{"statusCode": 204}`}, "passthroughBehavior": "WHEN_NO_MATCH"})
	s.Add(declaration.TypeMethodResponse, "options-books-response", "", Inputs{"restApi": API, "resourceId": "res001", "httpMethod": "OPTIONS", "statusCode": "204",
		"responseParameters": Inputs{"method.response.header.Access-Control-Allow-Origin": true,
			"method.response.header.Access-Control-Allow-Methods": true, "method.response.header.Access-Control-Allow-Headers": true}})
	s.Add(declaration.TypeIntegrationResponse, "options-books-integration-response", "", Inputs{"restApi": API, "resourceId": "res001", "httpMethod": "OPTIONS", "statusCode": "204",
		"responseParameters": Inputs{"method.response.header.Access-Control-Allow-Origin": "'*'",
			"method.response.header.Access-Control-Allow-Methods": "'GET'", "method.response.header.Access-Control-Allow-Headers": "'Authorization'"}})
	template := Inputs{"application/json": `{"message":$context.error.messageString}`}
	origin := "gatewayresponse.header.Access-Control-Allow-Origin"
	s.Response("default-4xx", gatewayresponse.Default4XX, Inputs{"responseParameters": Inputs{origin: "'*'"}, "responseTemplates": template})
	s.Response("default-5xx", gatewayresponse.Default5XX, Inputs{"responseParameters": Inputs{origin: "'*'"}, "responseTemplates": template})
	s.Response("unauthorized", gatewayresponse.Unauthorized, Inputs{"responseTemplates": template,
		"responseParameters": Inputs{origin: "'*'", "gatewayresponse.header.WWW-Authenticate": "'Bearer'"}})
	s.Permit("allow-authorizer", "authorizer", ExecutionARN+"/authorizers/auth01")
	s.Permit("allow-books", "books", ExecutionARN+"/*/GET/books")
	s.Add(declaration.TypeDeployment, "deployment", "dep001", Inputs{"restApi": API, "triggers": Inputs{"hash": "x"}})
	s.Add(declaration.TypeStage, "stage", "", Inputs{"restApi": API, "deployment": "dep001", "stageName": "live"})
	return s
}

// Add declares a resource. The deployment waits for all that was added before it.
func (s *Stack) Add(token, name, id string, in Inputs) {
	r := graph.Resource{URN: "urn:pulumi:live::library::" + token + "::" + name, Type: token, Name: name, ID: id, Inputs: in, Outputs: Inputs{}}
	switch token {
	case declaration.TypeFunction:
		r.Outputs = Inputs{"arn": FunctionARN(name), "name": name, "invokeArn": InvokeARN(name), "version": graph.Latest}
	case declaration.TypeAlias:
		r.Outputs = in
	case declaration.TypeRestAPI:
		r.Outputs = Inputs{"executionArn": ExecutionARN, "rootResourceId": "root000000"}
	case declaration.TypeDeployment:
		for _, other := range s.Resources {
			r.Dependencies = append(r.Dependencies, other.URN)
		}
	}
	s.Resources = append(s.Resources, r)
}

// Method declares a method without an integration.
func (s *Stack) Method(name, resourceID, verb string, in Inputs) {
	in["restApi"], in["resourceId"], in["httpMethod"] = API, resourceID, verb
	s.Add(declaration.TypeMethod, name, "", in)
}

// Proxy declares a method's Lambda proxy integration.
func (s *Stack) Proxy(name, resourceID, verb, function string) {
	s.Add(declaration.TypeIntegration, name, "", Inputs{"restApi": API, "resourceId": resourceID, "httpMethod": verb,
		"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": InvokeARN(function)})
}

// Open declares an unprotected method with its integration, on the books function.
func (s *Stack) Open(resourceID, verb string) {
	s.Method(verb+"-"+resourceID, resourceID, verb, Inputs{"authorization": "NONE"})
	s.Proxy(verb+"-"+resourceID+"-integration", resourceID, verb, "books")
}

// Path declares a resource.
func (s *Stack) Path(id, parent, part string) {
	s.Add(declaration.TypeResource, id, id, Inputs{"restApi": API, "parentId": parent, "pathPart": part})
}

// Response declares a gateway response.
func (s *Stack) Response(name string, kind gatewayresponse.Type, in Inputs) {
	in["restApiId"], in["responseType"] = API, string(kind)
	s.Add(declaration.TypeGatewayResponse, name, "", in)
}

// Alias publishes the books function as version 1 and calls it by an alias.
func (s *Stack) Alias(name string) *Stack {
	for i := range s.Resources {
		if s.Resources[i].Type == declaration.TypeFunction {
			s.Resources[i].Outputs["version"] = "1"
		}
	}
	s.Add(declaration.TypeAlias, name, FunctionARN("books")+":"+name, Inputs{"name": name, "functionName": "books", "functionVersion": "1"})
	return s.Set("get-books-integration", "uri", InvokeARN("books:"+name))
}

// Permit lets the API call a function for one source ARN.
func (s *Stack) Permit(name, function, source string) {
	s.Add(declaration.TypePermission, name, "", Inputs{"action": "lambda:InvokeFunction", "function": function,
		"principal": "apigateway.amazonaws.com", "sourceArn": source})
}

// PermitAll lets the API call the books function from every method.
func (s *Stack) PermitAll() *Stack {
	s.Permit("allow-all", "books", ExecutionARN+"/*")
	return s
}

// Set changes one input of a declared resource; nil removes it.
func (s *Stack) Set(name, property string, value any) *Stack {
	for i := range s.Resources {
		if s.Resources[i].Name == name {
			s.Resources[i].Inputs[property] = value
			if value == nil {
				delete(s.Resources[i].Inputs, property)
			}
			return s
		}
	}
	panic("no resource " + name)
}

// Remove takes a resource out.
func (s *Stack) Remove(name string) *Stack {
	kept := s.Resources[:0]
	for _, r := range s.Resources {
		if r.Name != name {
			kept = append(kept, r)
		}
	}
	s.Resources = kept
	return s
}

// Bare removes the gateway responses, so that the built-in ones show.
func (s *Stack) Bare() *Stack {
	return s.Remove("default-4xx").Remove("default-5xx").Remove("unauthorized")
}
