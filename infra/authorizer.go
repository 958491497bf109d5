package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// bearerToken is what the Authorization header must look like before API Gateway
// invokes the authorizer: "Bearer", one space, and three base64url segments
// (RFC 7515 section 3.1). Anything else is a 401 that costs no invocation.
const bearerToken = `^Bearer [-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`

// authorizer turns a bearer token into claims, or into a 401.
type authorizer struct {
	*apigateway.Authorizer
	function   *function
	published  published
	permission pulumi.Resource
}

// newAuthorizer declares the function, the authorizer that invokes it, and the
// permission for exactly this authorizer to do so.
func (s *stack) newAuthorizer(a *api) (*authorizer, error) {
	s, err := s.component("Authorizer", "authorizer")
	if err != nil {
		return nil, err
	}
	auth := &authorizer{}
	auth.function, err = s.newFunction("handlers/authorizer", "Authenticates a bearer token and passes its claims on", settings{environment: stringMap(s.config.environment())})
	if err != nil {
		return nil, err
	}
	auth.Authorizer, err = publish(s, &auth.published, apigateway.NewAuthorizer, "authorizer", "authorizer", &apigateway.AuthorizerArgs{
		RestApi:                      a.ID(),
		Name:                         pulumi.String("bearer-token"),
		Type:                         pulumi.String("TOKEN"),
		AuthorizerUri:                auth.function.alias.InvokeArn,
		IdentitySource:               pulumi.String("method.request.header.Authorization"),
		IdentityValidationExpression: pulumi.String(bearerToken),
		AuthorizerResultTtlInSeconds: pulumi.Int(s.config.AuthorizerTTL),
	})
	if err != nil {
		return nil, err
	}
	auth.permission, err = s.newPermission("authorizer", auth.function, pulumi.Sprintf("%s/authorizers/%s", a.ExecutionArn, auth.ID()))
	return auth, err
}
