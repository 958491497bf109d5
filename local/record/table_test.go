package record_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"account-api/local/gateway/declaration"
	"account-api/local/graph"
	"account-api/local/notice"
	"account-api/local/record"
)

// table is the page that says what a local run does with what a program declares.
const table = "../../docs/local-resources.md"

var update = flag.Bool("update", false, "write "+table+" anew")

// part is any resource of the program under test, with the outputs that others read.
type part struct {
	pulumi.CustomResourceState
	Name           pulumi.StringOutput `pulumi:"name"`
	Arn            pulumi.StringOutput `pulumi:"arn"`
	URL            pulumi.StringOutput `pulumi:"url"`
	Endpoint       pulumi.StringOutput `pulumi:"endpoint"`
	Enabled        pulumi.BoolOutput   `pulumi:"enabled"`
	InvokeArn      pulumi.StringOutput `pulumi:"invokeArn"`
	Version        pulumi.StringOutput `pulumi:"version"`
	ExecutionArn   pulumi.StringOutput `pulumi:"executionArn"`
	RootResourceID pulumi.StringOutput `pulumi:"rootResourceId"`
}

// shape is a program with one method, and what a row changes.
type shape struct {
	change map[string]pulumi.Map // inputs by resource
	beside func(*pulumi.Context, pulumi.StringMap) error
	uri    func(*pulumi.Context, *part) (pulumi.StringInput, error)
}

func register(ctx *pulumi.Context, token, name string, inputs pulumi.Map, options ...pulumi.ResourceOption) (*part, error) {
	p := &part{}
	return p, ctx.RegisterResource(token, name, inputs, p, options...)
}

func (s shape) program(ctx *pulumi.Context) error {
	variables := pulumi.StringMap{}
	if s.beside != nil {
		if err := s.beside(ctx, variables); err != nil {
			return err
		}
	}
	inputs := func(name string, own pulumi.Map) pulumi.Map {
		maps.Copy(own, s.change[name])
		return own
	}
	var errs []error
	declare := func(token, name string, own pulumi.Map) *part {
		p, err := register(ctx, token, name, inputs(name, own))
		errs = append(errs, err)
		return p
	}
	api := declare("aws:apigateway/restApi:RestApi", "api", pulumi.Map{})
	f := declare("aws:lambda/function:Function", "function", pulumi.Map{"runtime": pulumi.String("provided.al2023"), "environment": pulumi.Map{"variables": variables}})
	var uri pulumi.StringInput = f.InvokeArn
	if s.uri != nil {
		var err error
		if uri, err = s.uri(ctx, f); err != nil {
			return err
		}
	}
	own := pulumi.Map{"restApi": api.ID(), "resourceId": api.RootResourceID, "httpMethod": pulumi.String("GET")}
	with := func(more pulumi.Map) pulumi.Map {
		all := maps.Clone(own)
		maps.Copy(all, s.change["both"])
		maps.Copy(all, more)
		return all
	}
	if s.change["resource"] != nil {
		own["resourceId"] = declare("aws:apigateway/resource:Resource", "resource", pulumi.Map{"restApi": api.ID(), "parentId": api.RootResourceID}).ID()
	}
	declare("aws:apigateway/method:Method", "method", with(pulumi.Map{"authorization": pulumi.String("NONE")}))
	declare("aws:apigateway/integration:Integration", "integration", with(pulumi.Map{"type": pulumi.String("AWS_PROXY"), "integrationHttpMethod": pulumi.String("POST"), "uri": uri}))
	if s.change["authorizer"] != nil {
		declare("aws:apigateway/authorizer:Authorizer", "authorizer", pulumi.Map{"restApi": api.ID(), "name": pulumi.String("a"), "authorizerUri": uri})
	}
	if s.change["validator"] != nil {
		declare("aws:apigateway/requestValidator:RequestValidator", "validator", pulumi.Map{"restApi": api.ID()})
	}
	deployment := declare("aws:apigateway/deployment:Deployment", "deployment", pulumi.Map{"restApi": api.ID()})
	declare("aws:apigateway/stage:Stage", "stage", pulumi.Map{"restApi": api.ID(), "deployment": deployment.ID(), "stageName": pulumi.String("live")})
	return errors.Join(errs...)
}

// happens is what a local run does with a program: why it refuses it, or what it says of
// it, or "" if it runs all of it.
func happens(t *testing.T, s shape, values string) string {
	t.Helper()
	g, err := record.Run(local(t, encrypted, values), s.program)
	if err == nil {
		g, err = g.Select("")
	}
	if err == nil {
		_, err = declaration.Read(g)
	}
	var unsupported *declaration.Unsupported
	switch {
	case errors.As(err, &unsupported):
		var all []string
		for _, p := range unsupported.Problems {
			all = append(all, p.String())
		}
		return "refused: " + strings.Join(all, "; ")
	case err != nil:
		return "refused: " + strings.Join(strings.Fields(err.Error()), " ")
	}
	return strings.Join(notice.Of(g), "; ")
}

// reading is a resource whose outputs a function reads.
func reading(token string, inputs pulumi.Map, variables func(*part) pulumi.StringMap) shape {
	return shape{beside: func(ctx *pulumi.Context, environment pulumi.StringMap) error {
		p, err := register(ctx, token, "own", inputs)
		if variables != nil {
			maps.Copy(environment, variables(p))
		}
		return err
	}}
}

func name(p *part) pulumi.StringMap { return pulumi.StringMap{"NAME": p.Name} }
func arn(p *part) pulumi.StringMap  { return pulumi.StringMap{"ARN": p.Arn} }
func id(p *part) pulumi.StringMap   { return pulumi.StringMap{"ID": p.ID().ToStringOutput()} }

func changing(resource string, inputs pulumi.Map) shape {
	return shape{change: map[string]pulumi.Map{resource: inputs}}
}

func lookup(call func(*pulumi.Context) (string, error)) shape {
	return shape{beside: func(ctx *pulumi.Context, environment pulumi.StringMap) error {
		answer, err := call(ctx)
		environment["ANSWER"] = pulumi.String(answer)
		return err
	}}
}

func getParameter(ctx *pulumi.Context) (string, error) {
	var result struct {
		Value string `pulumi:"value"`
	}
	err := ctx.Invoke("aws:ssm/getParameter:getParameter", &struct {
		Name string `pulumi:"name"`
	}{"/db/host"}, &result)
	return result.Value, err
}

func stackReference(ctx *pulumi.Context, environment pulumi.StringMap) error {
	other, err := pulumi.NewStackReference(ctx, "acme/network/prod", nil)
	if err == nil {
		environment["SUBNET"] = other.GetStringOutput(pulumi.String("subnet"))
	}
	return err
}

func alias(inputs pulumi.Map) shape {
	return shape{
		change: map[string]pulumi.Map{"function": {"publish": pulumi.Bool(true)}},
		uri: func(ctx *pulumi.Context, f *part) (pulumi.StringInput, error) {
			all := pulumi.Map{"name": pulumi.String("live"), "functionName": f.Name, "functionVersion": f.Version}
			maps.Copy(all, inputs)
			a, err := register(ctx, "aws:lambda/alias:Alias", "alias", all)
			return a.InvokeArn, err
		},
	}
}

const open = `{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}]}`

// rows are what programs declare. A row without a remark is run as AWS runs it, and says how.
var rows = []struct {
	name, run string
	shape     shape
	values    string
}{
	{"`dynamodb.Table` whose name a function reads", "", reading("aws:dynamodb/table:Table", nil, name), ""},
	{"`s3.Bucket` whose name a function reads", "", reading("aws:s3/bucketV2:BucketV2", nil, id), ""},
	{"`sqs.Queue` whose URL a function reads", "", reading("aws:sqs/queue:Queue", nil, func(p *part) pulumi.StringMap { return pulumi.StringMap{"URL": p.URL} }), ""},
	{"`sns.Topic`", "", reading("aws:sns/topic:Topic", nil, arn), ""},
	{"`ssm.Parameter`", "", reading("aws:ssm/parameter:Parameter", pulumi.Map{"name": pulumi.String("/db/host")}, arn), ""},
	{"`secretsmanager.Secret`", "", reading("aws:secretsmanager/secret:Secret", nil, arn), ""},
	{"`kms.Key`", "", reading("aws:kms/key:Key", nil, arn), ""},
	{"`rds.Instance`", "", reading("aws:rds/instance:Instance", pulumi.Map{"engine": pulumi.String("postgres")}, func(p *part) pulumi.StringMap { return pulumi.StringMap{"DB": p.Endpoint} }), ""},
	{"`cognito.UserPool`", "", reading("aws:cognito/userPool:UserPool", nil, id), ""},
	{"`sfn.StateMachine`", "", reading("aws:sfn/stateMachine:StateMachine", nil, arn), ""},
	{"`kinesis.Stream`", "", reading("aws:kinesis/stream:Stream", nil, arn), ""},
	{"`ec2.Vpc`", "", reading("aws:ec2/vpc:Vpc", nil, nil), ""},
	{"`cloudwatch.EventRule`, a schedule", "", reading("aws:cloudwatch/eventRule:EventRule", nil, nil), ""},
	{"`scheduler.Schedule`", "", reading("aws:scheduler/schedule:Schedule", nil, nil), ""},
	{"`lambda.EventSourceMapping`", "", reading("aws:lambda/eventSourceMapping:EventSourceMapping", nil, nil), ""},
	{"`lambda.FunctionUrl`", "", reading("aws:lambda/functionUrl:FunctionUrl", nil, nil), ""},
	{"`lambda.LayerVersion`", "", reading("aws:lambda/layerVersion:LayerVersion", pulumi.Map{"layerName": pulumi.String("tools")}, nil), ""},
	{"`iam.Role`", "", reading("aws:iam/role:Role", nil, nil), ""},
	{"`cloudwatch.LogGroup`", "", reading("aws:cloudwatch/logGroup:LogGroup", nil, nil), ""},
	{"`cloudwatch.MetricAlarm`", "", reading("aws:cloudwatch/metricAlarm:MetricAlarm", nil, nil), ""},
	{"`wafv2.WebAclAssociation`", "", reading("aws:wafv2/webAclAssociation:WebAclAssociation", nil, nil), ""},
	{"`apigateway.DomainName`", "", reading("aws:apigateway/domainName:DomainName", pulumi.Map{"domainName": pulumi.String("api.example.com")}, nil), ""},
	{"`apigatewayv2.Api` beside the REST API", "", reading("aws:apigatewayv2/api:Api", nil, nil), ""},
	{"a resource of another provider (`random.RandomUuid`)", "", reading("random:index/randomUuid:RandomUuid", nil, id), ""},
	{"a type that has no rule of its own (`neptune.Cluster`)", "", reading("aws:neptune/cluster:Cluster", nil, name), ""},
	{"an output that cannot be made up, read by a function", "", reading("aws:neptune/cluster:Cluster", nil, func(p *part) pulumi.StringMap { return pulumi.StringMap{"ON": pulumi.Sprintf("%t", p.Enabled)} }), ""},
	{"the same, given in `outputs`", "", reading("aws:neptune/cluster:Cluster", nil, func(p *part) pulumi.StringMap { return pulumi.StringMap{"ON": pulumi.Sprintf("%t", p.Enabled)} }), "outputs: {own: {enabled: true}}"},
	{"an existing table (`dynamodb.GetTable`)", "", shape{beside: func(ctx *pulumi.Context, v pulumi.StringMap) error {
		p := &part{}
		err := ctx.ReadResource("aws:dynamodb/table:Table", "own", pulumi.ID("theirs"), nil, p)
		v["TABLE"] = p.ID().ToStringOutput()
		return err
	}}, ""},
	{"an existing function (`lambda.GetFunction`)", "", shape{beside: func(ctx *pulumi.Context, _ pulumi.StringMap) error {
		return ctx.ReadResource("aws:lambda/function:Function", "own", pulumi.ID("theirs"), nil, &part{})
	}}, ""},
	{"a component (`pulumi.ComponentResource`)", "its resources are recorded like any others", shape{beside: func(ctx *pulumi.Context, _ pulumi.StringMap) error {
		return ctx.RegisterComponentResource("sample:index:Site", "site", &struct{ pulumi.ResourceState }{})
	}}, ""},
	{"a component of a plugin (`aws-apigateway` `RestAPI`)", "", shape{beside: func(ctx *pulumi.Context, _ pulumi.StringMap) error {
		return ctx.RegisterRemoteComponentResource("aws-apigateway:index:RestAPI", "api", pulumi.Map{}, &struct{ pulumi.ResourceState }{})
	}}, ""},
	{"`aws.NewProvider` with a region", "ARNs of its resources have its region", shape{beside: func(ctx *pulumi.Context, _ pulumi.StringMap) error {
		_, err := aws.NewProvider(ctx, "far", &aws.ProviderArgs{Region: pulumi.String("us-east-1")})
		return err
	}}, ""},
	{"`pulumi.StackReference`", "", shape{beside: stackReference}, ""},
	{"the same, given in `stackReferences`", "has the output of the file", shape{beside: stackReference}, "stackReferences: {acme/network/prod: {subnet: s-1}}"},
	{"a secret setting that a function gets", "", shape{beside: secretSetting}, ""},
	{"the same, given in `secrets`", "the function has the value of the file", shape{beside: secretSetting}, "secrets: {token: x}"},

	{"`aws.GetRegion`", "answered: the provider's region", lookup(func(ctx *pulumi.Context) (string, error) { _, err := aws.GetRegion(ctx, nil); return "", err }), ""},
	{"`aws.GetCallerIdentity`", "answered: account 123456789012, or that of the export in OUTPUTS", lookup(func(ctx *pulumi.Context) (string, error) { _, err := aws.GetCallerIdentity(ctx, nil); return "", err }), ""},
	{"`aws.GetPartition`", "answered: aws", lookup(func(ctx *pulumi.Context) (string, error) { _, err := aws.GetPartition(ctx, nil); return "", err }), ""},
	{"`iam.GetPolicyDocument`", "answered: the JSON of the statements", lookup(func(ctx *pulumi.Context) (string, error) {
		_, err := iam.GetPolicyDocument(ctx, &iam.GetPolicyDocumentArgs{Statements: []iam.GetPolicyDocumentStatement{{Actions: []string{"s3:*"}, Resources: []string{"*"}}}})
		return "", err
	}), ""},
	{"another look-up (`ssm.GetParameter`)", "", lookup(getParameter), ""},
	{"the same, given in `invokes`", "has the result of the file", lookup(getParameter), "invokes: [{function: aws:ssm/getParameter:getParameter, arguments: {name: /db/host}, result: {value: h}}]"},

	{"`{proxy+}`", "matches every path below", changing("resource", pulumi.Map{"pathPart": pulumi.String("{proxy+}")}), ""},
	{"method `ANY`", "answers every verb; a permission needs `/*/` in its source ARN", changing("both", pulumi.Map{"httpMethod": pulumi.String("ANY")}), ""},
	{"Lambda proxy integration", "invokes the function", shape{}, ""},
	{"`HTTP_PROXY` integration", "", changing("integration", pulumi.Map{"type": pulumi.String("HTTP_PROXY")}), ""},
	{"TOKEN authorizer", "invokes the authorizer's function, caches and evaluates its policy", changing("authorizer", pulumi.Map{"type": pulumi.String("TOKEN")}), ""},
	{"REQUEST authorizer", "", changing("authorizer", pulumi.Map{"type": pulumi.String("REQUEST")}), ""},
	{"request validator for parameters", "answers 400 without a required parameter", changing("validator", pulumi.Map{"validateRequestParameters": pulumi.Bool(true)}), ""},
	{"request models", "", changing("method", pulumi.Map{"requestModels": pulumi.StringMap{"application/json": pulumi.String("m")}}), ""},
	{"binary media types", "", changing("api", pulumi.Map{"binaryMediaTypes": pulumi.ToStringArray([]string{"image/*"})}), ""},
	{"`apiKeyRequired`", "", changing("method", pulumi.Map{"apiKeyRequired": pulumi.Bool(true)}), ""},
	{"`apigateway.ApiKey`", "", reading("aws:apigateway/apiKey:ApiKey", nil, nil), ""},
	{"`apigateway.UsagePlan`", "", reading("aws:apigateway/usagePlan:UsagePlan", nil, nil), ""},
	{"a resource policy that is open to all", "changes no answer", changing("api", pulumi.Map{"policy": pulumi.String(open)}), ""},
	{"another resource policy", "", changing("api", pulumi.Map{"policy": pulumi.String(strings.Replace(open, "Allow", "Deny", 1))}), ""},
	{"a second REST API", "", reading("aws:apigateway/restApi:RestApi", nil, nil), ""},
	{"a published version behind an alias", "runs the current code as version 1", alias(nil), ""},
	{"an alias with `routingConfig`", "", alias(pulumi.Map{"routingConfig": pulumi.Map{"additionalVersionWeights": pulumi.Map{"2": pulumi.Float64(0.1)}}}), ""},
	{"`vpcConfig` of a function", "", changing("function", pulumi.Map{"vpcConfig": pulumi.Map{"subnetIds": pulumi.ToStringArray([]string{"subnet-1"})}}), ""},
	{"`layers` of a function", "", changing("function", pulumi.Map{"layers": pulumi.ToStringArray([]string{"arn"})}), ""},
	{"`ephemeralStorage` of a function", "", changing("function", pulumi.Map{"ephemeralStorage": pulumi.Map{"size": pulumi.Int(1024)}}), ""},
	{"`fileSystemConfig` of a function", "", changing("function", pulumi.Map{"fileSystemConfig": pulumi.Map{"arn": pulumi.String("arn")}}), ""},
	{"a container image that the API calls", "", changing("function", pulumi.Map{"packageType": pulumi.String("Image")}), ""},
	{"a function of another language that the API calls", "", changing("function", pulumi.Map{"runtime": pulumi.String("nodejs22.x")}), ""},
	{"a function of another language that the API does not call", "", reading("aws:lambda/function:Function", pulumi.Map{"runtime": pulumi.String("nodejs22.x")}, nil), ""},
}

func secretSetting(ctx *pulumi.Context, environment pulumi.StringMap) error {
	environment["TOKEN"] = config.RequireSecret(ctx, "token")
	return nil
}

func TestLocalResources(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# What a local run does with what a program declares

Generated by ` + "`make docs`" + `: each row is a program that was recorded and read. How to write a file of local values:
[local/README.md](../local/README.md).

| declared | what happens |
|---|---|
`)
	for _, row := range rows {
		what := happens(t, row.shape, row.values)
		if (what == "") == (row.run == "") {
			t.Errorf("%s: expected a remark of the run or of the row, got %q and %q", row.name, what, row.run)
		}
		if strings.Contains(what, graph.Unknown) {
			t.Errorf("%s: expected no unknown value to be shown, got %s", row.name, what)
		}
		fmt.Fprintf(&page, "| %s | %s |\n", row.name, strings.ReplaceAll(what+row.run, "|", `\|`))
	}
	if len(rows) < 30 {
		t.Errorf("expected at least 30 rows, got %d", len(rows))
	}
	if *update {
		if err := os.WriteFile(table, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(table); err != nil || string(written) != page.String() {
		t.Errorf("expected %s as it is generated: make docs (%v)", table, err)
	}
}
