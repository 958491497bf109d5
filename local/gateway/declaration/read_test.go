package declaration_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/gateway/gatewaytest"
	"account-api/local/graph"
)

func TestReadRefusesByName(t *testing.T) {
	for _, tt := range []struct {
		name     string
		change   func(*gatewaytest.Stack)
		resource string
		property string
		message  string // part of it
	}{
		{"a type that is not modelled", func(s *gatewaytest.Stack) { s.Add("aws:apigateway/model:Model", "model", "", gatewaytest.Inputs{}) }, "model", "", "type is not modelled"},
		{"an API key's type", func(s *gatewaytest.Stack) { s.Add("aws:apigateway/apiKey:ApiKey", "key", "", gatewaytest.Inputs{}) }, "key", "", "API keys are not checked here"},
		{"a component that declares an API in a plugin", func(s *gatewaytest.Stack) {
			s.Add("aws-apigateway:index:RestAPI", "component", "", gatewaytest.Inputs{})
			s.Resources[len(s.Resources)-1].Component = true
		}, "component", "", "declare apigateway.RestApi"},
		{"a container image", func(s *gatewaytest.Stack) { s.Set("books", "packageType", "Image") }, "books", "packageType", "container images"},
		{"a function of another language", func(s *gatewaytest.Stack) { s.Set("books", "runtime", "nodejs22.x") }, "books", "runtime", "only Go functions"},
		{"a file system", func(s *gatewaytest.Stack) { s.Set("books", "fileSystemConfig", gatewaytest.Inputs{"arn": "x"}) }, "books", "fileSystemConfig", "no file system is mounted"},
		{"a value that is not known", func(s *gatewaytest.Stack) {
			s.Set("books", "environment", gatewaytest.Inputs{"variables": gatewaytest.Inputs{"SIZE": graph.Unknown, "TABLE": "t"}})
			s.Add("aws:dynamodb/table:Table", "shelves", "", gatewaytest.Inputs{})
			s.Resources[2].PropertyDependencies = map[string][]string{"environment": {s.Resources[len(s.Resources)-1].URN}}
		}, "books", "environment", "SIZE is computed from an output that cannot be made up, of shelves (aws:dynamodb/table:Table): write that output into local.live.yaml"},
		{"a secret that is encrypted", func(s *gatewaytest.Stack) {
			s.Set("books", "environment", gatewaytest.Inputs{"variables": gatewaytest.Inputs{"KEY": "Basic " + graph.Withheld("library:apiKey")}})
		}, "books", "environment", "KEY contains the secret setting library:apiKey, which only the Pulumi CLI can decrypt: write its value into local.live.yaml"},
		{"a property that is not modelled", func(s *gatewaytest.Stack) { s.Set("get-books-integration", "responseTransferMode", "STREAM") }, "get-books-integration", "responseTransferMode", "not modelled"},
		{"binary media types", func(s *gatewaytest.Stack) { s.Set("api", "binaryMediaTypes", []any{"*/*"}) }, "api", "binaryMediaTypes", "text"},
		{"a resource policy", func(s *gatewaytest.Stack) { s.Set("api", "policy", "{}") }, "api", "policy", "resource policies"},
		{"a resource policy that denies somebody", func(s *gatewaytest.Stack) {
			s.Set("api", "policy", `{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"},
				{"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]}`)
		}, "api", "policy", "resource policies"},
		{"an OpenAPI body", func(s *gatewaytest.Stack) { s.Set("api", "body", "{}") }, "api", "body", "OpenAPI"},
		{"a private API", func(s *gatewaytest.Stack) {
			s.Set("api", "endpointConfiguration", gatewaytest.Inputs{"types": "PRIVATE"})
		}, "api", "endpointConfiguration", "REGIONAL"},
		{"IAM authorization", func(s *gatewaytest.Stack) { s.Set("get-books", "authorization", "AWS_IAM") }, "get-books", "authorization", "NONE or CUSTOM"},
		{"no authorization at all", func(s *gatewaytest.Stack) { s.Set("get-books", "authorization", nil) }, "get-books", "authorization", "missing"},
		{"an authorizer without effect", func(s *gatewaytest.Stack) { s.Set("get-books", "authorization", "NONE") }, "get-books", "authorizerId", "would be open"},
		{"an authorizer that does not exist", func(s *gatewaytest.Stack) { s.Set("get-books", "authorizerId", "other1") }, "get-books", "authorizerId", "names no authorizer"},
		{"an API key", func(s *gatewaytest.Stack) { s.Set("get-books", "apiKeyRequired", true) }, "get-books", "apiKeyRequired", "API keys"},
		{"a verb that HTTP does not know", func(s *gatewaytest.Stack) { s.Set("options-books", "httpMethod", "BREW") }, "options-books", "httpMethod", "expected ANY"},
		{"a REQUEST authorizer", func(s *gatewaytest.Stack) { s.Set("token", "type", "REQUEST") }, "token", "type", "TOKEN"},
		{"another identity source", func(s *gatewaytest.Stack) { s.Set("token", "identitySource", "method.request.querystring.token") }, "token", "identitySource", "expected method.request.header.<name>"},
		{"a TTL beyond an hour", func(s *gatewaytest.Stack) { s.Set("token", "authorizerResultTtlInSeconds", float64(3601)) }, "token", "authorizerResultTtlInSeconds", "0 to 3600"},
		{"a TTL that is a fraction", func(s *gatewaytest.Stack) { s.Set("token", "authorizerResultTtlInSeconds", 0.5) }, "token", "authorizerResultTtlInSeconds", "whole number"},
		{"a look-ahead", func(s *gatewaytest.Stack) { s.Set("token", "identityValidationExpression", `^Bearer (?=x).*$`) }, "token", "identityValidationExpression", `group "(?=x"`},
		{"an authorizer role", func(s *gatewaytest.Stack) { s.Set("token", "authorizerCredentials", "arn:aws:iam::1:role/x") }, "token", "authorizerCredentials", "lambda.Permission"},
		{"a function that is not in the stack", func(s *gatewaytest.Stack) { s.Set("get-books-integration", "uri", gatewaytest.InvokeARN("other")) }, "get-books-integration", "uri", "does not declare"},
		{"a share of the calls to another version", func(s *gatewaytest.Stack) {
			s.Alias("stable").Set("stable", "routingConfig", gatewaytest.Inputs{"additionalVersionWeights": gatewaytest.Inputs{"2": 0.1}})
		}, "stable", "routingConfig", "another version"},
		{"an alias of a version that was published before", func(s *gatewaytest.Stack) { s.Alias("stable").Set("stable", "functionVersion", "7") },
			"get-books-integration", "uri", "calls version 7 of function books, and only the current code is known here, which is version 1"},
		{"an alias that is not in the stack", func(s *gatewaytest.Stack) { s.Alias("stable").Remove("stable") }, "get-books-integration", "uri", "declare a lambda.Alias"},
		{"a version of a function that publishes none", func(s *gatewaytest.Stack) { s.Set("get-books-integration", "uri", gatewaytest.InvokeARN("books:1")) },
			"get-books-integration", "uri", "set Publish to true"},
		{"one function under two names", func(s *gatewaytest.Stack) { s.Alias("stable").Open("root000000", "GET") }, "GET-root000000-integration", "uri", "call it the same way everywhere"},
		{"a URI that is no invoke ARN", func(s *gatewaytest.Stack) { s.Set("get-books-integration", "uri", gatewaytest.FunctionARN("books")) }, "get-books-integration", "uri", "InvokeArn"},
		{"another integration type", func(s *gatewaytest.Stack) { s.Set("get-books-integration", "type", "HTTP_PROXY") }, "get-books-integration", "type", "AWS_PROXY or MOCK"},
		{"an integration timeout beyond the quota", func(s *gatewaytest.Stack) { s.Set("get-books-integration", "timeoutMilliseconds", float64(30000)) }, "get-books-integration", "timeoutMilliseconds", "50 to 29000"},
		{"a method without an integration", func(s *gatewaytest.Stack) { s.Remove("get-books-integration") }, "get-books", "", "no integration"},
		{"VTL in a mock", func(s *gatewaytest.Stack) {
			s.Set("options-books-integration", "requestTemplates", gatewaytest.Inputs{"application/json": "#set($x = 1)"})
		}, "options-books-integration", "requestTemplates", "literal"},
		{"a mapped header that is no literal", func(s *gatewaytest.Stack) {
			s.Set("options-books-integration-response", "responseParameters", gatewaytest.Inputs{"method.response.header.X": "integration.response.header.X"})
		}, "options-books-integration-response", "responseParameters", "literal"},
		{"a gateway response header without quotes", func(s *gatewaytest.Stack) {
			s.Set("unauthorized", "responseParameters", gatewaytest.Inputs{"gatewayresponse.header.WWW-Authenticate": "Bearer"})
		}, "unauthorized", "responseParameters", "'Bearer' in single quotes"},
		{"a header that would end its line", func(s *gatewaytest.Stack) {
			s.Set("unauthorized", "responseParameters", gatewaytest.Inputs{"gatewayresponse.header.X": "'a\r\nb'"})
		}, "unauthorized", "responseParameters", "no header may carry"},
		{"an unknown gateway response", func(s *gatewaytest.Stack) { s.Set("unauthorized", "responseType", "TEAPOT") }, "unauthorized", "responseType", "UNAUTHORIZED"},
		{"a gateway response twice", func(s *gatewaytest.Stack) { s.Response("again", gatewayresponse.Unauthorized, gatewaytest.Inputs{}) }, "again", "responseType", "twice"},
		{"an unknown context variable", func(s *gatewaytest.Stack) {
			s.Set("unauthorized", "responseTemplates", gatewaytest.Inputs{"application/json": "$context.error.nothing"})
		}, "unauthorized", "responseTemplates", "$context.error.nothing"},
		{"a stage twice, once by its deployment", func(s *gatewaytest.Stack) { s.Set("deployment", "stageName", "live") }, "stage", "stageName", "declared twice"},
		{"a stage without its deployment", func(s *gatewaytest.Stack) { s.Set("stage", "deployment", "dep002") }, "stage", "deployment", "names no deployment"},
		{"a stage name that is no path part", func(s *gatewaytest.Stack) { s.Set("stage", "stageName", "a/b") }, "stage", "stageName", "letters"},
		{"response caching", func(s *gatewaytest.Stack) { s.Set("stage", "cacheClusterEnabled", true) }, "stage", "cacheClusterEnabled", "caching"},
		{"no stage", func(s *gatewaytest.Stack) { s.Remove("stage") }, "api", "", "no stage"},
		{"a resource below nothing", func(s *gatewaytest.Stack) { s.Path("orphan", "nowhere000", "x") }, "orphan", "parentId", "names no resource"},
		{"two parameters side by side", func(s *gatewaytest.Stack) { s.Path("a", "root000000", "{a}"); s.Path("b", "root000000", "{b}") }, "b", "pathPart", "sibling"},
		{"something below a greedy parameter", func(s *gatewaytest.Stack) { s.Path("a", "root000000", "{a+}"); s.Path("b", "a", "b") }, "b", "pathPart", "nothing can follow"},
		{"a path part with a slash", func(s *gatewaytest.Stack) { s.Path("a", "root000000", "a/b") }, "a", "pathPart", "expected a path part"},
		{"a property of the wrong type", func(s *gatewaytest.Stack) { s.Set("get-books", "httpMethod", float64(1)) }, "get-books", "httpMethod", "expected a string"},
		{"another API's resource", func(s *gatewaytest.Stack) { s.Set("token", "restApi", "zzzzzzzzzz") }, "token", "restApi", "expected the ID"},
		{"a setting that is not modelled", func(s *gatewaytest.Stack) {
			s.Add(declaration.TypeMethodSettings, "settings", "", gatewaytest.Inputs{"restApi": gatewaytest.API, "stageName": "live", "methodPath": "*/*", "settings": gatewaytest.Inputs{"cachingEnabled": true}})
		}, "settings", "settings", "caching"},
		{"settings for a method that does not exist", func(s *gatewaytest.Stack) {
			s.Add(declaration.TypeMethodSettings, "settings", "", gatewaytest.Inputs{"restApi": gatewaytest.API, "stageName": "live", "methodPath": "/books/GET", "settings": gatewaytest.Inputs{}})
		}, "settings", "methodPath", "without a leading slash"},
		{"a function URL permission", func(s *gatewaytest.Stack) { s.Set("allow-books", "functionUrlAuthType", "NONE") }, "allow-books", "functionUrlAuthType", "function URLs"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gatewaytest.New()
			tt.change(s)
			_, err := declaration.Read(&s.Graph)
			var unsupported *declaration.Unsupported
			if !errors.As(err, &unsupported) {
				t.Fatalf("got %v", err)
			}
			if !slices.ContainsFunc(unsupported.Problems, func(p declaration.Problem) bool {
				return p.Resource == tt.resource && p.Property == tt.property && strings.Contains(p.Message, tt.message)
			}) {
				t.Errorf("no problem %s.%s %q in %v", tt.resource, tt.property, tt.message, err)
			}
		})
	}
}

func TestReadCollectsAllProblems(t *testing.T) {
	s := gatewaytest.New().Set("api", "policy", "{}").Set("stage", "cacheClusterEnabled", true).Set("token", "type", "REQUEST")
	_, err := declaration.Read(&s.Graph)
	for _, want := range []string{"3 problem(s)", "api (aws:apigateway/restApi:RestApi), property policy", "stage (", "token ("} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestReadAcceptsWhatHasNoEffect(t *testing.T) {
	s := gatewaytest.New()
	for _, token := range []string{"pulumi:pulumi:Stack", "pulumi:providers:aws", "aws:iam/role:Role", "aws:iam/policy:Policy", "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
		"aws:dynamodb/table:Table", "aws:s3/bucket:Bucket", "aws:cloudwatch/eventRule:EventRule", "pulumi:providers:random", "random:index/randomPassword:RandomPassword",
		declaration.TypeAccount, "aws:wafv2/webAclAssociation:WebAclAssociation", "aws:apigateway/domainName:DomainName", declaration.TypeBasePathMapping,
		"aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/dashboard:Dashboard"} {
		s.Add(token, "x"+token, "", gatewaytest.Inputs{"anything": "goes"})
	}
	s.Set("api", "policy", `{"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
		{"Effect": "Allow", "Principal": {"AWS": ["*"]}, "Action": ["execute-api:*"], "Resource": "*"}]}`)
	s.Set("books", "vpcConfig", gatewaytest.Inputs{"subnetIds": []any{"subnet-1"}}).Set("books", "runtime", "provided.al2023")
	s.Set("books", "role", graph.Unknown).Set("books", "vpcConfig", gatewaytest.Inputs{"subnetIds": []any{graph.Unknown}}).Set("books", "description", graph.Withheld("k"))
	s.Add(declaration.TypeFunction, "worker", "", gatewaytest.Inputs{"runtime": "python3.13", "packageType": "Image"})
	s.Set("stage", "accessLogSettings", gatewaytest.Inputs{"format": "{}"}).Set("stage", "xrayTracingEnabled", true).Set("api", "binaryMediaTypes", []any{})
	if _, err := declaration.Read(&s.Graph); err != nil {
		t.Error(err)
	}
}

func TestReadNeedsAnAPI(t *testing.T) {
	if _, err := declaration.Read(&graph.Graph{}); err == nil || !strings.Contains(err.Error(), "expected one REST API in the stack, got 0") {
		t.Errorf("got %v", err)
	}
}

func TestDefaultTTL(t *testing.T) { // 1.16
	api, err := declaration.Read(&gatewaytest.New().Set("token", "authorizerResultTtlInSeconds", nil).Graph)
	if err != nil {
		t.Fatal(err)
	}
	if got := api.Authorizers[0].TTL; got != 300*time.Second {
		t.Errorf("got %s", got)
	}
}

func TestDeploymentMakesItsStage(t *testing.T) {
	api, err := declaration.Read(&gatewaytest.New().Remove("stage").Set("deployment", "stageName", "v2").Set("deployment", "variables", gatewaytest.Inputs{"x": "y"}).Graph)
	if err != nil {
		t.Fatal(err)
	}
	if s := api.Stages["v2"]; s == nil || s.DeploymentID != "dep001" || s.Variables["x"] != "y" {
		t.Errorf("expected the stage v2 of dep001, got %+v", s)
	}
}

func TestReadNamesAnAPIOfAnotherKind(t *testing.T) {
	g := &graph.Graph{Resources: []graph.Resource{{Name: "http", Type: "aws:apigatewayv2/api:Api"}}}
	if _, err := declaration.Read(g); err == nil || !strings.Contains(err.Error(), "http (aws:apigatewayv2/api:Api) is of another kind: declare it as apigateway.RestApi") {
		t.Errorf("got %v", err)
	}
}
