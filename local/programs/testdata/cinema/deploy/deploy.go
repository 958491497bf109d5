// Package deploy declares a REST API with two endpoints of one function, and an
// authorizer.
package deploy

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// stageName differs from the stack's name.
const stageName = "v1"

// Program declares the stack. Bundle makes a package of the command in a directory.
func Program(bundle func(dir, zip string) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		maxAge := config.GetInt(ctx, "maxAge")
		if maxAge < 1 {
			return fmt.Errorf("maxAge: expected at least 1 second, got %d", maxAge)
		}
		if err := ctx.Log.Warn("the programme changes on Thursday", nil); err != nil {
			return err
		}
		api, err := apigateway.NewRestApi(ctx, "cinema", &apigateway.RestApiArgs{})
		if err != nil {
			return err
		}
		role, err := iam.NewRole(ctx, "function", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(`{
			"Version": "2012-10-17",
			"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
		}`)})
		if err != nil {
			return err
		}
		function := func(name string) (*lambda.Function, error) {
			zip := "out/" + name + ".zip"
			if err := bundle("cmd/"+name, zip); err != nil {
				return nil, err
			}
			return lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
				Name:    pulumi.String("cinema-" + name),
				Runtime: pulumi.String("provided.al2023"), Handler: pulumi.String("bootstrap"),
				Architectures: pulumi.ToStringArray([]string{"arm64"}),
				Code:          pulumi.NewFileArchive(zip), Role: role.Arn,
			})
		}
		allow := func(name string, f *lambda.Function, source pulumi.StringInput) error {
			_, err := lambda.NewPermission(ctx, name, &lambda.PermissionArgs{
				Action: pulumi.String("lambda:InvokeFunction"), Function: f.Name,
				Principal: pulumi.String("apigateway.amazonaws.com"), SourceArn: source,
			})
			return err
		}
		door, err := function("door")
		if err != nil {
			return err
		}
		authorizer, err := apigateway.NewAuthorizer(ctx, "door", &apigateway.AuthorizerArgs{
			RestApi: api.ID(), Type: pulumi.String("TOKEN"), AuthorizerUri: door.InvokeArn,
			IdentitySource:               pulumi.String("method.request.header.X-Ticket"),
			AuthorizerResultTtlInSeconds: pulumi.Int(0),
		})
		if err != nil {
			return err
		}
		if err := allow("door", door, pulumi.Sprintf("%s/authorizers/%s", api.ExecutionArn, authorizer.ID())); err != nil {
			return err
		}
		seats, err := function("seats")
		if err != nil {
			return err
		}
		var published []pulumi.Resource
		parent := api.RootResourceId
		for _, part := range []string{"seats", "{seat}"} {
			resource, err := apigateway.NewResource(ctx, part, &apigateway.ResourceArgs{
				RestApi: api.ID(), ParentId: parent, PathPart: pulumi.String(part),
			})
			if err != nil {
				return err
			}
			parent = resource.ID().ToStringOutput()
			method, err := apigateway.NewMethod(ctx, part, &apigateway.MethodArgs{
				RestApi: api.ID(), ResourceId: resource.ID(), HttpMethod: pulumi.String("GET"),
				Authorization: pulumi.String("CUSTOM"), AuthorizerId: authorizer.ID(),
			})
			if err != nil {
				return err
			}
			integration, err := apigateway.NewIntegration(ctx, part, &apigateway.IntegrationArgs{
				RestApi: api.ID(), ResourceId: resource.ID(), HttpMethod: method.HttpMethod,
				IntegrationHttpMethod: pulumi.String("POST"), Type: pulumi.String("AWS_PROXY"), Uri: seats.InvokeArn,
			})
			if err != nil {
				return err
			}
			published = append(published, method, integration)
		}
		if err := allow("seats", seats, pulumi.Sprintf("%s/*/GET/*", api.ExecutionArn)); err != nil {
			return err
		}
		response, err := apigateway.NewResponse(ctx, "missing", &apigateway.ResponseArgs{
			RestApiId: api.ID(), ResponseType: pulumi.String("UNAUTHORIZED"),
			ResponseParameters: pulumi.StringMap{"gatewayresponse.header.Cache-Control": pulumi.String(fmt.Sprintf("'max-age=%d'", maxAge))},
		})
		if err != nil {
			return err
		}
		deployment, err := apigateway.NewDeployment(ctx, "cinema", &apigateway.DeploymentArgs{
			RestApi: api.ID(), Triggers: pulumi.StringMap{"maxAge": pulumi.Sprintf("%d", maxAge)},
		}, pulumi.DependsOn(append(published, response)))
		if err != nil {
			return err
		}
		_, err = apigateway.NewStage(ctx, "cinema", &apigateway.StageArgs{
			RestApi: api.ID(), Deployment: deployment.ID(), StageName: pulumi.String(stageName),
		})
		return err
	}
}
