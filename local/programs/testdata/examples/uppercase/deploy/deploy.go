// Package deploy declares one function behind every path of an API, in the style of the
// example aws-go-lambda-gateway of github.com/pulumi/examples.
package deploy

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Program declares the stack.
func Program(ctx *pulumi.Context) error {
	account, err := aws.GetCallerIdentity(ctx, nil)
	if err != nil {
		return err
	}
	region, err := aws.GetRegion(ctx, nil)
	if err != nil {
		return err
	}
	role, err := iam.NewRole(ctx, "role", &iam.RoleArgs{AssumeRolePolicy: pulumi.String(`{"Statement": []}`)})
	if err != nil {
		return err
	}
	if _, err := iam.NewRolePolicy(ctx, "logs", &iam.RolePolicyArgs{Role: role.Name, Policy: pulumi.String(`{"Statement": []}`)}); err != nil {
		return err
	}
	function, err := lambda.NewFunction(ctx, "upper", &lambda.FunctionArgs{
		Handler: pulumi.String("handler"), Role: role.Arn, Runtime: pulumi.String("go1.x"), Code: pulumi.NewFileArchive("./handler/handler.zip"),
	})
	if err != nil {
		return err
	}
	api, err := apigateway.NewRestApi(ctx, "upper", &apigateway.RestApiArgs{Policy: pulumi.String(`{"Statement": [
		{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
		{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]}`)})
	if err != nil {
		return err
	}
	every, err := apigateway.NewResource(ctx, "every", &apigateway.ResourceArgs{
		RestApi: api.ID(), ParentId: api.RootResourceId, PathPart: pulumi.String("{proxy+}"),
	})
	if err != nil {
		return err
	}
	if _, err := apigateway.NewMethod(ctx, "any", &apigateway.MethodArgs{
		RestApi: api.ID(), ResourceId: every.ID(), HttpMethod: pulumi.String("ANY"), Authorization: pulumi.String("NONE"),
	}); err != nil {
		return err
	}
	if _, err := apigateway.NewIntegration(ctx, "upper", &apigateway.IntegrationArgs{
		RestApi: api.ID(), ResourceId: every.ID(), HttpMethod: pulumi.String("ANY"),
		IntegrationHttpMethod: pulumi.String("POST"), Type: pulumi.String("AWS_PROXY"), Uri: function.InvokeArn,
	}); err != nil {
		return err
	}
	if _, err := lambda.NewPermission(ctx, "api", &lambda.PermissionArgs{
		Action: pulumi.String("lambda:InvokeFunction"), Function: function.Name, Principal: pulumi.String("apigateway.amazonaws.com"),
		SourceArn: pulumi.Sprintf("arn:aws:execute-api:%s:%s:%s/*/*/*", region.Name, account.AccountId, api.ID()),
	}); err != nil {
		return err
	}
	_, err = apigateway.NewDeployment(ctx, "prod", &apigateway.DeploymentArgs{
		RestApi: api.ID(), StageName: pulumi.String("prod"), StageDescription: pulumi.String("Production"),
	})
	return err
}
