package infra

import (
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// stack is what every declaration is made for. It does not change.
type stack struct {
	ctx    *pulumi.Context
	config Config
	bundle Bundler
	within []pulumi.ResourceOption // of every resource that is declared
}

// component is the stack whose resources are shown below one node of a preview's tree.
func (s *stack) component(kind, name string) (*stack, error) {
	var node struct{ pulumi.ResourceState }
	if err := s.ctx.RegisterComponentResource("infra:index:"+kind, name, &node); err != nil {
		return nil, err
	}
	below := *s
	below.within = []pulumi.ResourceOption{
		pulumi.Parent(&node),
		// Stacks that were deployed before there were components have the resources at the
		// root. Without the alias they would be replaced.
		pulumi.Aliases([]pulumi.Alias{{NoParent: pulumi.Bool(true)}}),
	}
	return &below, nil
}

// options are those of a resource, with its place in the tree.
func (s *stack) options(further ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return append(slices.Clone(s.within), further...)
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

// kept are the options of what a destroyed stack could not get back: the API with its ID,
// and the logs. Not RetainOnDelete: names are fixed, so the next update would fail on what
// was left behind. https://www.pulumi.com/docs/iac/concepts/options/protect/
func (s *stack) kept() []pulumi.ResourceOption {
	return []pulumi.ResourceOption{pulumi.Protect(s.config.Protect)}
}

// api is the REST API, without any method yet.
type api struct {
	*apigateway.RestApi
	validator *apigateway.RequestValidator
	published published
}

func (s *stack) newAPI() (*api, error) {
	a := &api{}
	args := &apigateway.RestApiArgs{
		Name:        pulumi.String(s.name()),
		Description: pulumi.String("Account API: bearer tokens checked by an authorizer, access decided by Rego"),
		// Regional: clients reach the stack's region without a CloudFront hop, and a
		// custom domain needs no certificate in us-east-1.
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Tags:                  s.tags(),
	}
	if s.config.DisableExecuteAPIEndpoint {
		args.DisableExecuteApiEndpoint = pulumi.Bool(true)
	}
	var err error
	if a.RestApi, err = apigateway.NewRestApi(s.ctx, "account", args, s.kept()...); err != nil {
		return nil, err
	}
	a.published = published{{"rest api", a.RestApi, deployedArgs(*args)}}
	// No endpoint has a model for its body. API Gateway refuses a request without a
	// parameter that a method requires.
	a.validator, err = publish(s, &a.published, apigateway.NewRequestValidator, "request validator", "parameters", &apigateway.RequestValidatorArgs{
		RestApi:                   a.ID(),
		Name:                      pulumi.String("parameters"),
		ValidateRequestParameters: pulumi.Bool(true),
		ValidateRequestBody:       pulumi.Bool(false),
	})
	return a, err
}

// deployedArgs are the API's own properties that only a new deployment makes live, such
// as its policy, its binary media types and disableExecuteApiEndpoint:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/updating-api.html
func deployedArgs(args apigateway.RestApiArgs) apigateway.RestApiArgs {
	args.Name, args.Description, args.Tags, args.EndpointConfiguration = nil, nil, nil, nil
	return args
}
