package infra

import (
	"fmt"
	"path"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// endpoint is one method of one path, answered by one handler.
type endpoint struct {
	method, path string // "GET", "profile": one path segment
	handler      string // directory of the handler's main package
	description  string
}

// endpoints are the API. A further endpoint is one more entry, its handler and its
// Rego package.
var endpoints = []endpoint{
	{
		method:      "GET",
		path:        "profile",
		handler:     "handlers/profile",
		description: "Answers with the caller's profile if the policy allows it",
	},
}

// stack is a stack while it is being declared.
type stack struct {
	ctx    *pulumi.Context
	config Config
	bundle Bundler

	api                *apigateway.RestApi
	authorizer         *apigateway.Authorizer
	authorizerFunction *lambda.Function
	functions          map[string]*lambda.Function     // by handler directory
	paths              map[string]*apigateway.Resource // by path
	published          []publication
}

func (s *stack) tags() pulumi.StringMap {
	return pulumi.StringMap{
		"project": pulumi.String(s.ctx.Project()),
		"stack":   pulumi.String(s.ctx.Stack()),
	}
}

func (s *stack) declareAPI() error {
	api, err := apigateway.NewRestApi(s.ctx, "account", &apigateway.RestApiArgs{
		Name:        pulumi.Sprintf("%s-%s", s.ctx.Project(), s.ctx.Stack()),
		Description: pulumi.String("Account API: bearer tokens checked by an authorizer, access decided by Rego"),
		// Regional: clients reach the stack's region without a CloudFront hop, and a
		// custom domain needs no certificate in us-east-1.
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Tags:                  s.tags(),
	})
	s.api = api
	s.functions = map[string]*lambda.Function{}
	s.paths = map[string]*apigateway.Resource{}
	return err
}

// declareEndpoint declares the method, the function behind it, and the permission
// for exactly this method of exactly this stage to invoke it.
func (s *stack) declareEndpoint(e endpoint) error {
	name := fmt.Sprintf("%s-%s", e.method, e.path)
	resource, err := s.declarePath(e.path)
	if err != nil {
		return err
	}
	function, err := s.declareHandler(e)
	if err != nil {
		return err
	}
	methodArgs := &apigateway.MethodArgs{
		RestApi:       s.api.ID(),
		ResourceId:    resource.ID(),
		HttpMethod:    pulumi.String(e.method),
		Authorization: pulumi.String("CUSTOM"),
		AuthorizerId:  s.authorizer.ID(),
	}
	method, err := apigateway.NewMethod(s.ctx, name, methodArgs)
	if err != nil {
		return err
	}
	s.publish("method "+name, method, methodArgs)

	integrationArgs := &apigateway.IntegrationArgs{
		RestApi:    s.api.ID(),
		ResourceId: resource.ID(),
		HttpMethod: method.HttpMethod,
		Type:       pulumi.String("AWS_PROXY"),
		// Lambda is invoked by POST, whatever the method's own verb.
		IntegrationHttpMethod: pulumi.String("POST"),
		Uri:                   function.InvokeArn,
	}
	integration, err := apigateway.NewIntegration(s.ctx, name, integrationArgs)
	if err != nil {
		return err
	}
	s.publish("integration "+name, integration, integrationArgs)

	_, err = lambda.NewPermission(s.ctx, name, &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  function.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: pulumi.Sprintf("%s/%s/%s/%s", s.api.ExecutionArn, s.ctx.Stack(), e.method, e.path),
	})
	return err
}

// declareHandler declares the endpoint's function, once for all the endpoints that
// share a handler.
func (s *stack) declareHandler(e endpoint) (*lambda.Function, error) {
	if f, declared := s.functions[e.handler]; declared {
		return f, nil
	}
	f, err := s.declareFunction(functionSpec{
		handler:     e.handler,
		description: e.description,
		environment: pulumi.StringMap{"ALLOWED_ORIGIN": pulumi.String(s.config.AllowedOrigin)},
	})
	s.functions[e.handler] = f
	return f, err
}

// declarePath declares the resource of a path, once for all its methods.
func (s *stack) declarePath(part string) (*apigateway.Resource, error) {
	if r, declared := s.paths[part]; declared {
		return r, nil
	}
	args := &apigateway.ResourceArgs{
		RestApi:  s.api.ID(),
		ParentId: s.api.RootResourceId,
		PathPart: pulumi.String(part),
	}
	r, err := apigateway.NewResource(s.ctx, part, args)
	if err != nil {
		return nil, err
	}
	s.publish("resource "+part, r, args)
	s.paths[part] = r
	return r, nil
}

// methodsOf lists the methods of a path, in alphabetical order.
func methodsOf(part string) []string {
	var methods []string
	for _, e := range endpoints {
		if e.path == part {
			methods = append(methods, e.method)
		}
	}
	slices.Sort(methods)
	return methods
}

func (s *stack) export(stage *apigateway.Stage) {
	s.ctx.Export("url", pulumi.Sprintf("%s/%s", stage.InvokeUrl, endpoints[0].path))
	s.ctx.Export("apiId", s.api.ID())
	s.ctx.Export("authorizerFunction", s.authorizerFunction.Name)
	for handler, f := range s.functions {
		s.ctx.Export(path.Base(handler)+"Function", f.Name)
	}
}
