package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// bearerToken is what the Authorization header must look like before API Gateway
// invokes the authorizer: "Bearer", one space, and three base64url segments
// (RFC 7515 section 3.1). Anything else is a 401 that costs no invocation.
const bearerToken = `^Bearer [-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`

// declareAuthorizer declares the function that turns a bearer token into claims,
// or into a 401, and tells API Gateway to ask it.
func (s *stack) declareAuthorizer() error {
	environment := pulumi.StringMap{
		"JWKS_URI":     pulumi.String(s.config.JWKSURI),
		"TOKEN_ISSUER": pulumi.String(s.config.Issuer),
		"AUDIENCE":     pulumi.String(s.config.Audience),
	}
	if s.config.AuthorizerTTL > 0 {
		// A cached answer is applied to every method that the token is used for. If it
		// named only the method that was called first, all others would answer 403:
		// https://repost.aws/knowledge-center/api-gateway-lambda-authorization-errors
		environment["POLICY_SCOPE"] = pulumi.String("api")
	}
	function, err := s.declareFunction(functionSpec{
		handler:     "handlers/authorizer",
		description: "Authenticates a bearer token and passes its claims on",
		environment: environment,
	})
	if err != nil {
		return err
	}
	args := &apigateway.AuthorizerArgs{
		RestApi:                      s.api.ID(),
		Name:                         pulumi.String("bearer-token"),
		Type:                         pulumi.String("TOKEN"),
		AuthorizerUri:                function.InvokeArn,
		IdentitySource:               pulumi.String("method.request.header.Authorization"),
		IdentityValidationExpression: pulumi.String(bearerToken),
		AuthorizerResultTtlInSeconds: pulumi.Int(s.config.AuthorizerTTL),
	}
	authorizer, err := apigateway.NewAuthorizer(s.ctx, "authorizer", args)
	if err != nil {
		return err
	}
	s.publish("authorizer", authorizer, args)
	s.authorizer, s.authorizerFunction = authorizer, function
	_, err = lambda.NewPermission(s.ctx, "authorizer", &lambda.PermissionArgs{
		Action:    pulumi.String("lambda:InvokeFunction"),
		Function:  function.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: pulumi.Sprintf("%s/authorizers/%s", s.api.ExecutionArn, authorizer.ID()),
	})
	return err
}
