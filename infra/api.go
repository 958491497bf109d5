package infra

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// stack is what every declaration is made for. It does not change.
type stack struct {
	ctx    *pulumi.Context
	config Config
	bundle Bundler
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

// api is the REST API, without any method yet.
type api struct {
	*apigateway.RestApi
	validator *apigateway.RequestValidator
	published published
}

func (s *stack) newAPI() (*api, error) {
	a := &api{}
	var err error
	a.RestApi, err = apigateway.NewRestApi(s.ctx, "account", &apigateway.RestApiArgs{
		Name:        pulumi.String(s.name()),
		Description: pulumi.String("Account API: bearer tokens checked by an authorizer, access decided by Rego"),
		// Regional: clients reach the stack's region without a CloudFront hop, and a
		// custom domain needs no certificate in us-east-1.
		EndpointConfiguration: &apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
		Tags:                  s.tags(),
	})
	if err != nil {
		return nil, err
	}
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
