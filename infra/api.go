package infra

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// stack is a stack while it is being declared.
type stack struct {
	ctx       *pulumi.Context
	config    Config
	bundle    Bundler
	endpoints []endpoint

	api                *apigateway.RestApi
	validator          *apigateway.RequestValidator
	authorizer         *apigateway.Authorizer
	authorizerFunction *lambda.Function
	functions          map[string]*lambda.Function     // by handler directory
	paths              map[string]*apigateway.Resource // by path
	stage              *apigateway.Stage
	logs               map[string]*cloudwatch.LogGroup // by logical name
	published          []publication
}

// name is the physical name of a part of the stack: project, stack, part.
func (s *stack) name(part ...string) string {
	return strings.Join(append([]string{s.ctx.Project(), s.ctx.Stack()}, part...), "-")
}

func (s *stack) tags() pulumi.StringMap {
	return pulumi.StringMap{
		"project": pulumi.String(s.ctx.Project()),
		"stack":   pulumi.String(s.ctx.Stack()),
	}
}

func (s *stack) declareAPI() error {
	s.functions = map[string]*lambda.Function{}
	s.paths = map[string]*apigateway.Resource{}
	s.logs = map[string]*cloudwatch.LogGroup{}
	var err error
	s.api, err = apigateway.NewRestApi(s.ctx, "account", &apigateway.RestApiArgs{
		Name:        pulumi.String(s.name()),
		Description: pulumi.String("Account API: bearer tokens checked by an authorizer, access decided by Rego"),
		// Regional: clients reach the stack's region without a CloudFront hop, and a
		// custom domain needs no certificate in us-east-1.
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Tags:                  s.tags(),
	})
	if err != nil {
		return err
	}
	// No endpoint takes a body that a model could describe; a parameter that a method
	// declares as required is refused by the gateway when it is missing.
	args := &apigateway.RequestValidatorArgs{
		RestApi:                   s.api.ID(),
		Name:                      pulumi.String("parameters"),
		ValidateRequestParameters: pulumi.Bool(true),
		ValidateRequestBody:       pulumi.Bool(false),
	}
	s.validator, err = apigateway.NewRequestValidator(s.ctx, "parameters", args)
	if err != nil {
		return err
	}
	s.publish("request validator", s.validator, args)
	return nil
}

// declareEndpoint declares the method, the function behind it, and the permission
// for exactly this method of exactly this stage to invoke it.
func (s *stack) declareEndpoint(e endpoint) error {
	resource, err := s.declarePath(e.path)
	if err != nil {
		return err
	}
	function, err := s.declareHandler(e)
	if err != nil {
		return err
	}
	methodArgs := &apigateway.MethodArgs{
		RestApi:            s.api.ID(),
		ResourceId:         resource.ID(),
		HttpMethod:         pulumi.String(e.method),
		Authorization:      pulumi.String("CUSTOM"),
		AuthorizerId:       s.authorizer.ID(),
		RequestValidatorId: s.validator.ID(),
	}
	method, err := apigateway.NewMethod(s.ctx, e.name(), methodArgs)
	if err != nil {
		return err
	}
	s.publish("method "+e.name(), method, methodArgs)

	integrationArgs := &apigateway.IntegrationArgs{
		RestApi:    s.api.ID(),
		ResourceId: resource.ID(),
		HttpMethod: method.HttpMethod,
		Type:       pulumi.String("AWS_PROXY"),
		// Lambda is invoked by POST, whatever the method's own verb.
		IntegrationHttpMethod: pulumi.String("POST"),
		Uri:                   function.InvokeArn,
	}
	integration, err := apigateway.NewIntegration(s.ctx, e.name(), integrationArgs)
	if err != nil {
		return err
	}
	s.publish("integration "+e.name(), integration, integrationArgs)

	_, err = lambda.NewPermission(s.ctx, e.name(), &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  function.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: pulumi.Sprintf("%s/%s/%s", s.api.ExecutionArn, s.ctx.Stack(), e.source()),
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

// declarePath declares the resource of a path below those of its parents, once for
// all methods and all longer paths.
func (s *stack) declarePath(whole string) (*apigateway.Resource, error) {
	if r, declared := s.paths[whole]; declared {
		return r, nil
	}
	parent := s.api.RootResourceId
	above, part := path.Split(whole)
	if above != "" {
		r, err := s.declarePath(strings.TrimSuffix(above, "/"))
		if err != nil {
			return nil, err
		}
		parent = r.ID().ToStringOutput()
	}
	args := &apigateway.ResourceArgs{
		RestApi:  s.api.ID(),
		ParentId: parent,
		PathPart: pulumi.String(part),
	}
	r, err := apigateway.NewResource(s.ctx, resourceName(whole), args)
	if err != nil {
		return nil, err
	}
	s.publish("resource "+resourceName(whole), r, args)
	s.paths[whole] = r
	return r, nil
}

// export names what people and scripts need of a deployed stack.
// export tells where the stack is. The output named readme is what Pulumi Cloud shows
// on the stack's page, with the other outputs filled in:
// https://www.pulumi.com/docs/iac/concepts/stacks/#stack-readme
func (s *stack) export(url pulumi.StringOutput) error {
	const file = "Pulumi.README.md"
	readme, err := os.ReadFile(filepath.Join(s.ctx.RootDirectory(), file))
	if err != nil {
		return err
	}
	s.ctx.Export("readme", pulumi.String(readme))
	s.ctx.Export("url", url)
	s.ctx.Export("apiId", s.api.ID())
	s.ctx.Export("authorizerFunction", s.authorizerFunction.Name)
	for handler, f := range s.functions {
		s.ctx.Export(path.Base(handler)+"Function", f.Name)
	}
	return nil
}
