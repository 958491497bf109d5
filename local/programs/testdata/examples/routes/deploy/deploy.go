// Package deploy declares an API by a component of a plugin, in the style of the example
// aws-apigateway-go-routes of github.com/pulumi/examples, beside an API with keys.
package deploy

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// restAPI stands for RestAPI of github.com/pulumi/pulumi-aws-apigateway.
type restAPI struct {
	pulumi.ResourceState
	URL pulumi.StringOutput `pulumi:"url"`
}

// Program declares the stack.
func Program(ctx *pulumi.Context) error {
	var routes restAPI
	if err := ctx.RegisterRemoteComponentResource("aws-apigateway:index:RestAPI", "api", pulumi.Map{
		"routes": pulumi.Array{pulumi.Map{"path": pulumi.String("static"), "localPath": pulumi.String("www")}},
	}, &routes); err != nil {
		return err
	}
	api, err := apigateway.NewRestApi(ctx, "keyed", nil)
	if err != nil {
		return err
	}
	if _, err := apigateway.NewApiKey(ctx, "partner", nil); err != nil {
		return err
	}
	if _, err := apigateway.NewUsagePlan(ctx, "partner", nil); err != nil {
		return err
	}
	if _, err := apigateway.NewMethod(ctx, "get", &apigateway.MethodArgs{
		RestApi: api.ID(), ResourceId: api.RootResourceId, HttpMethod: pulumi.String("GET"), Authorization: pulumi.String("NONE"), ApiKeyRequired: pulumi.Bool(true),
	}); err != nil {
		return err
	}
	_, err = apigateway.NewIntegration(ctx, "get", &apigateway.IntegrationArgs{
		RestApi: api.ID(), ResourceId: api.RootResourceId, HttpMethod: pulumi.String("GET"),
		IntegrationHttpMethod: pulumi.String("GET"), Type: pulumi.String("HTTP_PROXY"), Uri: pulumi.String("https://www.example.com"),
	})
	return err
}
