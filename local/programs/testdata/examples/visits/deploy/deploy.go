// Package deploy declares what many projects have beside their API: a component, a table,
// a queue, a schedule, a published version with an alias, a provider of another region, a
// secret setting, and values of another stack.
package deploy

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// table stands for dynamodb.Table, and queue for sqs.Queue, whose packages take long to
// compile.
type table struct {
	pulumi.CustomResourceState
	Name pulumi.StringOutput `pulumi:"name"`
	Arn  pulumi.StringOutput `pulumi:"arn"`
}

type queue struct {
	pulumi.CustomResourceState
	URL pulumi.StringOutput `pulumi:"url"`
}

// store is a component: a table with its queue.
type store struct {
	pulumi.ResourceState
	table table
	queue queue
}

func newStore(ctx *pulumi.Context) (*store, error) {
	s := &store{}
	if err := ctx.RegisterComponentResource("visits:index:Store", "store", s); err != nil {
		return nil, err
	}
	if err := ctx.RegisterResource("aws:dynamodb/table:Table", "visits", pulumi.Map{"hashKey": pulumi.String("page")}, &s.table, pulumi.Parent(s)); err != nil {
		return nil, err
	}
	return s, ctx.RegisterResource("aws:sqs/queue:Queue", "visits", pulumi.Map{}, &s.queue, pulumi.Parent(s))
}

// Program declares the stack.
func Program(ctx *pulumi.Context) error {
	network, err := pulumi.NewStackReference(ctx, "acme/network/dev", nil)
	if err != nil {
		return err
	}
	if _, err := aws.NewProvider(ctx, "global", &aws.ProviderArgs{Region: pulumi.String("us-east-1")}); err != nil {
		return err
	}
	s, err := newStore(ctx)
	if err != nil {
		return err
	}
	counter, err := lambda.NewFunction(ctx, "counter", &lambda.FunctionArgs{
		Runtime: pulumi.String("provided.al2023"), Role: pulumi.String("arn:aws:iam::123456789012:role/r"), Publish: pulumi.Bool(true),
		Code: pulumi.NewFileArchive("out/counter.zip"), VpcConfig: &lambda.FunctionVpcConfigArgs{
			SubnetIds: pulumi.StringArray{network.GetStringOutput(pulumi.String("subnet"))}, SecurityGroupIds: pulumi.StringArray{},
		},
		Environment: &lambda.FunctionEnvironmentArgs{Variables: pulumi.StringMap{
			"TABLE": s.table.Name, "QUEUE": s.queue.URL, "SALT": config.RequireSecret(ctx, "salt"),
		}},
	})
	if err != nil {
		return err
	}
	live, err := lambda.NewAlias(ctx, "live", &lambda.AliasArgs{Name: pulumi.String("live"), FunctionName: counter.Name, FunctionVersion: counter.Version})
	if err != nil {
		return err
	}
	if _, err := lambda.NewFunction(ctx, "nightly", &lambda.FunctionArgs{
		Runtime: pulumi.String("python3.13"), Role: pulumi.String("arn:aws:iam::123456789012:role/r"), Code: pulumi.NewFileArchive("nightly"),
	}); err != nil {
		return err
	}
	if _, err := cloudwatch.NewEventRule(ctx, "nightly", &cloudwatch.EventRuleArgs{ScheduleExpression: pulumi.String("rate(1 day)")}); err != nil {
		return err
	}
	return serve(ctx, live)
}

// serve declares the API in front of the alias.
func serve(ctx *pulumi.Context, live *lambda.Alias) error {
	api, err := apigateway.NewRestApi(ctx, "visits", nil)
	if err != nil {
		return err
	}
	page, err := apigateway.NewResource(ctx, "page", &apigateway.ResourceArgs{RestApi: api.ID(), ParentId: api.RootResourceId, PathPart: pulumi.String("visits")})
	if err != nil {
		return err
	}
	method, err := apigateway.NewMethod(ctx, "visit", &apigateway.MethodArgs{
		RestApi: api.ID(), ResourceId: page.ID(), HttpMethod: pulumi.String("GET"), Authorization: pulumi.String("NONE"),
	})
	if err != nil {
		return err
	}
	integration, err := apigateway.NewIntegration(ctx, "visit", &apigateway.IntegrationArgs{
		RestApi: api.ID(), ResourceId: page.ID(), HttpMethod: method.HttpMethod,
		IntegrationHttpMethod: pulumi.String("POST"), Type: pulumi.String("AWS_PROXY"), Uri: live.InvokeArn,
	})
	if err != nil {
		return err
	}
	if _, err := lambda.NewPermission(ctx, "visit", &lambda.PermissionArgs{
		Action: pulumi.String("lambda:InvokeFunction"), Function: live.FunctionName, Qualifier: live.Name,
		Principal: pulumi.String("apigateway.amazonaws.com"), SourceArn: pulumi.Sprintf("%s/*/GET/visits", api.ExecutionArn),
	}); err != nil {
		return err
	}
	deployment, err := apigateway.NewDeployment(ctx, "visits", &apigateway.DeploymentArgs{
		RestApi: api.ID(), Triggers: pulumi.StringMap{"uri": integration.Uri.Elem()},
	}, pulumi.DependsOn([]pulumi.Resource{method, integration}))
	if err != nil {
		return err
	}
	_, err = apigateway.NewStage(ctx, "visits", &apigateway.StageArgs{RestApi: api.ID(), Deployment: deployment.ID(), StageName: pulumi.String("v1")})
	return err
}
