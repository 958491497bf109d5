package gateway

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"account-api/local/graph"
)

func TestNewRefusesByName(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(*stack)
		resource string
		property string
		message  string // part of it
	}{
		{"a type that is not modelled", func(s *stack) { s.add("aws:apigateway/apiKey:ApiKey", "key", "", inputs{}) }, "key", "", "type is not modelled"},
		{"a property that is not modelled", func(s *stack) { s.set("get-books-integration", "responseTransferMode", "STREAM") }, "get-books-integration", "responseTransferMode", "not modelled"},
		{"binary media types", func(s *stack) { s.set("api", "binaryMediaTypes", []any{"*/*"}) }, "api", "binaryMediaTypes", "text"},
		{"a resource policy", func(s *stack) { s.set("api", "policy", "{}") }, "api", "policy", "resource policies"},
		{"an OpenAPI body", func(s *stack) { s.set("api", "body", "{}") }, "api", "body", "OpenAPI"},
		{"a private API", func(s *stack) { s.set("api", "endpointConfiguration", inputs{"types": "PRIVATE"}) }, "api", "endpointConfiguration", "REGIONAL"},
		{"IAM authorization", func(s *stack) { s.set("get-books", "authorization", "AWS_IAM") }, "get-books", "authorization", "NONE or CUSTOM"},
		{"no authorization at all", func(s *stack) { s.set("get-books", "authorization", nil) }, "get-books", "authorization", "missing"},
		{"an authorizer without effect", func(s *stack) { s.set("get-books", "authorization", "NONE") }, "get-books", "authorizerId", "would be open"},
		{"an authorizer that does not exist", func(s *stack) { s.set("get-books", "authorizerId", "other1") }, "get-books", "authorizerId", "names no authorizer"},
		{"an API key", func(s *stack) { s.set("get-books", "apiKeyRequired", true) }, "get-books", "apiKeyRequired", "API keys"},
		{"a verb that HTTP does not know", func(s *stack) { s.set("options-books", "httpMethod", "BREW") }, "options-books", "httpMethod", "expected ANY"},
		{"a REQUEST authorizer", func(s *stack) { s.set("token", "type", "REQUEST") }, "token", "type", "TOKEN"},
		{"another identity source", func(s *stack) { s.set("token", "identitySource", "method.request.querystring.token") }, "token", "identitySource", "one header"},
		{"a TTL beyond an hour", func(s *stack) { s.set("token", "authorizerResultTtlInSeconds", float64(3601)) }, "token", "authorizerResultTtlInSeconds", "0 to 3600"},
		{"a TTL that is a fraction", func(s *stack) { s.set("token", "authorizerResultTtlInSeconds", 0.5) }, "token", "authorizerResultTtlInSeconds", "whole number"},
		{"a look-ahead", func(s *stack) { s.set("token", "identityValidationExpression", `^Bearer (?=x).*$`) }, "token", "identityValidationExpression", `group "(?=x"`},
		{"an authorizer role", func(s *stack) { s.set("token", "authorizerCredentials", "arn:aws:iam::1:role/x") }, "token", "authorizerCredentials", "lambda.Permission"},
		{"a function that is not in the stack", func(s *stack) { s.set("get-books-integration", "uri", invokeARN("other")) }, "get-books-integration", "uri", "does not declare"},
		{"a URI that is no invoke ARN", func(s *stack) { s.set("get-books-integration", "uri", functionARN("books")) }, "get-books-integration", "uri", "InvokeArn"},
		{"another integration type", func(s *stack) { s.set("get-books-integration", "type", "HTTP_PROXY") }, "get-books-integration", "type", "AWS_PROXY or MOCK"},
		{"an integration timeout beyond the quota", func(s *stack) { s.set("get-books-integration", "timeoutMilliseconds", float64(30000)) }, "get-books-integration", "timeoutMilliseconds", "50 to 29000"},
		{"a method without an integration", func(s *stack) { s.remove("get-books-integration") }, "get-books", "", "no integration"},
		{"VTL in a mock", func(s *stack) {
			s.set("options-books-integration", "requestTemplates", inputs{"application/json": "#set($x = 1)"})
		}, "options-books-integration", "requestTemplates", "literal"},
		{"a mapped header that is no literal", func(s *stack) {
			s.set("options-books-integration-response", "responseParameters", inputs{"method.response.header.X": "integration.response.header.X"})
		}, "options-books-integration-response", "responseParameters", "literal"},
		{"a gateway response header without quotes", func(s *stack) {
			s.set("unauthorized", "responseParameters", inputs{"gatewayresponse.header.WWW-Authenticate": "Bearer"})
		}, "unauthorized", "responseParameters", "'Bearer' in single quotes"},
		{"a header that would end its line", func(s *stack) {
			s.set("unauthorized", "responseParameters", inputs{"gatewayresponse.header.X": "'a\r\nb'"})
		}, "unauthorized", "responseParameters", "no header may carry"},
		{"an unknown gateway response", func(s *stack) { s.set("unauthorized", "responseType", "TEAPOT") }, "unauthorized", "responseType", "UNAUTHORIZED"},
		{"a gateway response twice", func(s *stack) { s.response("again", unauthorized, inputs{}) }, "again", "responseType", "twice"},
		{"an unknown context variable", func(s *stack) {
			s.set("unauthorized", "responseTemplates", inputs{"application/json": "$context.error.nothing"})
		}, "unauthorized", "responseTemplates", "$context.error.nothing"},
		{"a stage on the deployment", func(s *stack) { s.set("deployment", "stageName", "live") }, "deployment", "stageName", "apigateway.Stage"},
		{"a stage without its deployment", func(s *stack) { s.set("stage", "deployment", "dep002") }, "stage", "deployment", "names no deployment"},
		{"a stage name that is no path part", func(s *stack) { s.set("stage", "stageName", "a/b") }, "stage", "stageName", "letters"},
		{"response caching", func(s *stack) { s.set("stage", "cacheClusterEnabled", true) }, "stage", "cacheClusterEnabled", "caching"},
		{"no stage", func(s *stack) { s.remove("stage") }, "library", "", "no stage"},
		{"a resource below nothing", func(s *stack) { s.path("orphan", "nowhere000", "x") }, "orphan", "parentId", "names no resource"},
		{"two parameters side by side", func(s *stack) { s.path("a", "root000000", "{a}"); s.path("b", "root000000", "{b}") }, "b", "pathPart", "sibling"},
		{"something below a greedy parameter", func(s *stack) { s.path("a", "root000000", "{a+}"); s.path("b", "a", "b") }, "b", "pathPart", "nothing can follow"},
		{"a path part with a slash", func(s *stack) { s.path("a", "root000000", "a/b") }, "a", "pathPart", "expected a path part"},
		{"a property of the wrong type", func(s *stack) { s.set("get-books", "httpMethod", float64(1)) }, "get-books", "httpMethod", "expected a string"},
		{"another API's resource", func(s *stack) { s.set("token", "restApi", "zzzzzzzzzz") }, "token", "restApi", "expected the ID"},
		{"a setting that is not modelled", func(s *stack) {
			s.add(typeMethodSettings, "settings", "", inputs{"restApi": testAPI, "stageName": "live", "methodPath": "*/*", "settings": inputs{"cachingEnabled": true}})
		}, "settings", "settings", "caching"},
		{"settings for a method that does not exist", func(s *stack) {
			s.add(typeMethodSettings, "settings", "", inputs{"restApi": testAPI, "stageName": "live", "methodPath": "/books/GET", "settings": inputs{}})
		}, "settings", "methodPath", "without a leading slash"},
		{"a function URL permission", func(s *stack) { s.set("allow-books", "functionUrlAuthType", "NONE") }, "allow-books", "functionUrlAuthType", "function URLs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStack()
			tt.change(s)
			_, err := New(&s.Graph, Options{Functions: newFakes()})
			var unsupported *Unsupported
			if !errors.As(err, &unsupported) {
				t.Fatalf("got %v", err)
			}
			if !slices.ContainsFunc(unsupported.Problems, func(p Problem) bool {
				return p.Resource == tt.resource && p.Property == tt.property && strings.Contains(p.Message, tt.message)
			}) {
				t.Errorf("no problem %s.%s %q in %v", tt.resource, tt.property, tt.message, err)
			}
		})
	}
}

func TestNewCollectsAllProblems(t *testing.T) {
	s := newStack().set("api", "policy", "{}").set("stage", "cacheClusterEnabled", true).set("token", "type", "REQUEST")
	_, err := New(&s.Graph, Options{Functions: newFakes()})
	for _, want := range []string{"3 problem(s)", "api (aws:apigateway/restApi:RestApi), property policy", "stage (", "token ("} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestNewAcceptsWhatHasNoEffect(t *testing.T) {
	s := newStack()
	for _, token := range append(slices.Clone(withoutEffect), "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/dashboard:Dashboard") {
		if token != typeFunction {
			s.add(token, "x"+token, "", inputs{"anything": "goes"})
		}
	}
	s.set("stage", "accessLogSettings", inputs{"format": "{}"}).set("stage", "xrayTracingEnabled", true).set("api", "binaryMediaTypes", []any{})
	if _, err := New(&s.Graph, Options{Functions: newFakes()}); err != nil {
		t.Error(err)
	}
}

func TestNewNeedsAnAPIAndFunctions(t *testing.T) {
	if _, err := New(&graph.Graph{}, Options{Functions: newFakes()}); err == nil || !strings.Contains(err.Error(), "expected one REST API in the stack, got 0") {
		t.Errorf("an empty stack: %v", err)
	}
	if _, err := New(&newStack().Graph, Options{}); err == nil || !strings.Contains(err.Error(), "Functions is nil") {
		t.Errorf("without functions: %v", err)
	}
}

func TestGraphThatWasWrittenAndReadIsServedAlike(t *testing.T) {
	s := newStack()
	var text strings.Builder
	if err := s.Graph.Write(&text); err != nil {
		t.Fatal(err)
	}
	read, err := graph.Read(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	srv := serve(t, &stack{*read}, newFakes())
	if got := srv.get("Authorization", bearer); got.status != 200 || got.body != `{"title":"Añil"}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
