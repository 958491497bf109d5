package record_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/local/graph"
	"account-api/local/record"
)

// thing stands for a resource of any type: it has the outputs that programs read.
type thing struct {
	pulumi.CustomResourceState
	Arn     pulumi.StringOutput      `pulumi:"arn"`
	Name    pulumi.StringOutput      `pulumi:"name"`
	URL     pulumi.StringOutput      `pulumi:"url"`
	Address pulumi.StringOutput      `pulumi:"address"`
	Port    pulumi.IntOutput         `pulumi:"port"`
	Wide    pulumi.BoolOutput        `pulumi:"wide"`
	Label   pulumi.StringOutput      `pulumi:"label"`
	Comment pulumi.StringPtrOutput   `pulumi:"comment"`
	Subnet  pulumi.StringArrayOutput `pulumi:"subnetIds"`
	Tags    pulumi.StringMapOutput   `pulumi:"tagsAll"`
}

// bucket has its name in another property.
type bucket struct {
	pulumi.CustomResourceState
	Bucket pulumi.StringOutput `pulumi:"bucket"`
	Arn    pulumi.StringOutput `pulumi:"arn"`
}

// environment declares a function with some variables.
func environment(ctx *pulumi.Context, variables pulumi.StringMap) error {
	_, err := lambda.NewFunction(ctx, "f", &lambda.FunctionArgs{
		Role: pulumi.String("arn:aws:iam::123456789012:role/r"), Environment: &lambda.FunctionEnvironmentArgs{Variables: variables},
	})
	return err
}

// variables runs a program, and returns the variables of its function.
func variables(t *testing.T, s record.Stack, program pulumi.RunFunc) map[string]string {
	t.Helper()
	g, err := record.Run(s, program)
	if err != nil {
		t.Fatal(err)
	}
	f, err := g.One("aws:lambda/function:Function")
	if err != nil {
		t.Fatal(err)
	}
	return f.Environment()
}

// made is what a program reads of a resource of a type.
func made(token string, inputs pulumi.Map) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		if strings.HasPrefix(token, "aws:s3/") {
			var b bucket
			if err := ctx.RegisterResource(token, "Photos", inputs, &b); err != nil {
				return err
			}
			return environment(ctx, pulumi.StringMap{"ID": b.ID().ToStringOutput(), "ARN": b.Arn, "NAME": b.Bucket})
		}
		var r thing
		if err := ctx.RegisterResource(token, "profiles", inputs, &r); err != nil {
			return err
		}
		return environment(ctx, pulumi.StringMap{
			"ID": r.ID().ToStringOutput(), "ARN": r.Arn, "NAME": r.Name, "URL": r.URL, "ADDRESS": r.Address,
			"PORT": pulumi.Sprintf("%d", r.Port), "LABEL": r.Label, "WIDE": pulumi.Sprintf("%t", r.Wide), "SUBNET": r.Subnet.Index(pulumi.Int(0)),
		})
	}
}

func TestOutputsAreMadeUp(t *testing.T) {
	s := record.Stack{Root: write(t, good), Name: "test"}
	for name, row := range map[string]struct {
		token  string
		inputs pulumi.Map
		want   map[string]string // a regular expression each
	}{
		"a table":            {"aws:dynamodb/table:Table", nil, map[string]string{"NAME": "profiles-[0-9a-f]{7}", "ID": "profiles-[0-9a-f]{7}", "ARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/profiles-[0-9a-f]{7}"}},
		"a named table":      {"aws:dynamodb/table:Table", pulumi.Map{"name": pulumi.String("p")}, map[string]string{"NAME": "p", "ARN": ".*:table/p"}},
		"a bucket":           {"aws:s3/bucketV2:BucketV2", nil, map[string]string{"NAME": "photos-[0-9a-f]{7}", "ID": "photos-[0-9a-f]{7}", "ARN": "arn:aws:s3:::photos-[0-9a-f]{7}"}},
		"a queue":            {"aws:sqs/queue:Queue", nil, map[string]string{"URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/profiles-[0-9a-f]{7}", "ID": "https://sqs.*"}},
		"a FIFO queue":       {"aws:sqs/queue:Queue", pulumi.Map{"fifoQueue": pulumi.Bool(true)}, map[string]string{"NAME": "profiles-[0-9a-f]{7}.fifo"}},
		"a prefix":           {"aws:sqs/queue:Queue", pulumi.Map{"namePrefix": pulumi.String("p_")}, map[string]string{"NAME": "p_[0-9a-f]{7}"}},
		"a parameter":        {"aws:ssm/parameter:Parameter", pulumi.Map{"name": pulumi.String("/db/host")}, map[string]string{"ID": "/db/host", "ARN": ".*:parameter/db/host"}},
		"a database":         {"aws:rds/instance:Instance", pulumi.Map{"engine": pulumi.String("postgres"), "identifier": pulumi.String("db")}, map[string]string{"ADDRESS": "db.[0-9a-z]{12}.eu-central-1.rds.amazonaws.com", "PORT": "5432"}},
		"a secret":           {"aws:secretsmanager/secret:Secret", nil, map[string]string{"ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:profiles-[0-9a-f]{7}-[0-9a-z]{6}"}},
		"an unknown one":     {"aws:neptune/cluster:Cluster", nil, map[string]string{"NAME": "profiles-[0-9a-f]{7}", "ARN": "arn:aws:neptune:eu-central-1:123456789012:cluster/profiles-[0-9a-f]{7}", "URL": "https://.+", "SUBNET": "subnet-[0-9a-f]{17}"}},
		"what has no form":   {"aws:neptune/cluster:Cluster", nil, map[string]string{"PORT": regexp.QuoteMeta(graph.Unknown), "LABEL": regexp.QuoteMeta(graph.Unknown), "WIDE": regexp.QuoteMeta(graph.Unknown)}},
		"another provider's": {"random:index/randomUuid:RandomUuid", nil, map[string]string{"ID": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := variables(t, s, made(row.token, row.inputs))
			for variable, form := range row.want {
				if !regexp.MustCompile("^(?:" + form + ")$").MatchString(got[variable]) {
					t.Errorf("%s: expected %s, got %q", variable, form, got[variable])
				}
			}
			for variable, value := range got {
				if value == "" {
					t.Errorf("%s is empty", variable)
				}
			}
			again := variables(t, s, made(row.token, row.inputs))
			for variable, value := range got {
				if again[variable] != value {
					t.Errorf("%s: expected the same in every run, got %q and %q", variable, value, again[variable])
				}
			}
		})
	}
}

// A resource of a component and another one of the same name are two resources.
func TestComponents(t *testing.T) {
	type site struct{ pulumi.ResourceState }
	s := record.Stack{Root: write(t, good), Name: "test"}
	got := variables(t, s, func(ctx *pulumi.Context) error {
		component, inner, outer := &site{}, &thing{}, &thing{}
		if err := ctx.RegisterComponentResource("tides:index:Site", "site", component); err != nil {
			return err
		}
		if err := ctx.RegisterResource("aws:dynamodb/table:Table", "levels", nil, inner, pulumi.Parent(component)); err != nil {
			return err
		}
		if err := ctx.RegisterResource("aws:dynamodb/table:Table", "levels", nil, outer); err != nil {
			return err
		}
		return environment(ctx, pulumi.StringMap{"INNER": inner.Name, "OUTER": outer.Name})
	})
	if got["INNER"] == got["OUTER"] || !strings.HasPrefix(got["INNER"], "levels-") {
		t.Errorf("expected two names, got %v", got)
	}
}

func TestProvidersHaveTheirRegions(t *testing.T) {
	s := record.Stack{Root: write(t, "config: {audience: a}"), Name: "test"}
	g, err := record.Run(s, func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "far", &aws.ProviderArgs{Region: pulumi.String("ap-south-2")})
		if err != nil {
			return err
		}
		_, err = apigateway.NewRestApi(ctx, "api", nil, pulumi.Provider(provider))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	api, err := g.One("aws:apigateway/restApi:RestApi")
	if err != nil || g.Region != "ap-south-2" || !strings.Contains(api.String("executionArn"), ":ap-south-2:") {
		t.Errorf("expected the provider's region, got %s and %s, %v", g.Region, api.String("executionArn"), err)
	}
}

func TestExistingResources(t *testing.T) {
	s := record.Stack{Root: write(t, good), Name: "test"}
	g, err := record.Run(s, func(ctx *pulumi.Context) error {
		_, err := cloudwatch.GetLogGroup(ctx, "theirs", pulumi.ID("/aws/lambda/theirs"), nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := g.One("aws:cloudwatch/logGroup:LogGroup"); err != nil || !r.Existing || r.ID != "/aws/lambda/theirs" {
		t.Errorf("expected the existing log group, got %+v, %v", r, err)
	}
	_, err = record.Run(s, func(ctx *pulumi.Context) error {
		_, err := lambda.GetFunction(ctx, "theirs", pulumi.ID("theirs"), nil)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), `"theirs" reads an existing resource, which decides how requests are answered: declare it`) {
		t.Errorf("expected an existing function to be refused by name, got %v", err)
	}
}

// A program sees a preview, in which programs do nothing but declare.
func TestProgramRunsAsInAPreview(t *testing.T) {
	_, err := record.Run(record.Stack{Root: write(t, good), Name: "test"}, func(ctx *pulumi.Context) error {
		if !ctx.DryRun() {
			t.Error("expected a dry run")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHandlersOfArchives(t *testing.T) {
	root := write(t, good)
	for file, content := range map[string]string{
		"seats/main.go": "// Command seats.\npackage main\n", "door/door.go": "package door\n", "cmd/rows/main.go": "package main\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	local := "handlers: {rows.zip: cmd/rows}"
	if err := os.WriteFile(filepath.Join(root, record.ValuesFile("test")), []byte(local), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := record.Run(record.Stack{Root: root, Name: "test", Local: true}, func(ctx *pulumi.Context) error {
		for _, file := range []string{"./seats/handler.zip", "dist/seats.zip", "door/handler.zip", "rows.zip"} {
			if _, err := lambda.NewFunction(ctx, file, &lambda.FunctionArgs{Role: pulumi.String("r"), Code: pulumi.NewFileArchive(file)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"./seats/handler.zip": "seats", "dist/seats.zip": "seats", "door/handler.zip": "", "rows.zip": "cmd/rows"}
	for file, dir := range want {
		if g.Bundles[file] != dir {
			t.Errorf("%s: expected the main package %q, got %q", file, dir, g.Bundles[file])
		}
	}
}
