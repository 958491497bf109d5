package record_test

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"account-api/local/graph"
	"account-api/local/record"
)

const project = `
name: sample
runtime: go
config:
  audience: {type: string}
  ttl: {type: integer, default: 7}
`

// write makes a project with one stack, named test.
func write(t *testing.T, stack string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range map[string]string{"Pulumi.yaml": project, "Pulumi.test.yaml": stack} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func nothing(*pulumi.Context) error { return nil }

func TestConfigurationReachesTheProgram(t *testing.T) {
	for name, stack := range map[string]string{
		"with the project's name":    "config: {aws:region: eu-central-1, sample:audience: a}",
		"without a namespace":        "config: {aws:region: eu-central-1, audience: a}",
		"in the long spelling":       "config: {aws:config:region: eu-central-1, sample:config:audience: a}",
		"next to what is not for us": "config: {aws:region: eu-central-1, audience: a, other:key: b}",
		"as pulumi config set writes it": `encryptionsalt: v1:c2FsdA==:v1:bm9uY2U=:Y2lwaGVydGV4dA==
config:
  aws:region: eu-central-1
  sample:audience: a
`,
		"with a key of AWS's for secrets": `secretsprovider: awskms://alias/pulumi?region=eu-central-1
encryptedkey: Y2lwaGVydGV4dA==
config:
  sample:audience: a
  aws:region: eu-central-1
`,
		"next to another tool's secret":     "config: {aws:region: eu-central-1, audience: a, auth0:client_secret: {secure: v1:abc}}",
		"next to a secret in a list":        "config: {aws:region: eu-central-1, audience: a, other:list: [{key: {secure: v1:abc}}]}",
		"next to a key that nobody reads":   "config: {aws:region: eu-central-1, audience: a, note: {secure: v1:abc}}",
		"next to an object that Pulumi had": "config: {aws:region: eu-central-1, audience: a, aws:defaultTags: {tags: {team: accounts}}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PULUMI_CONFIG", `{"sample:audience":"of the environment"}`)
			t.Setenv("PULUMI_STACK", "of-the-environment")
			g, err := record.Run(record.Stack{Root: write(t, stack), Name: "test"}, func(ctx *pulumi.Context) error {
				c := config.New(ctx, "")
				if c.Get("audience") != "a" || c.GetInt("ttl") != 7 || ctx.Stack() != "test" || ctx.Project() != "sample" {
					t.Errorf("expected audience a, ttl 7, stack test, got %q, %d, %q", c.Get("audience"), c.GetInt("ttl"), ctx.Stack())
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if g.Region != "eu-central-1" || g.Stack != "test" || g.Project != "sample" {
				t.Errorf("expected sample, test, eu-central-1, got %q, %q, %q", g.Project, g.Stack, g.Region)
			}
		})
	}
}

// An option of the program sees what the engine would hand over, a secret by its key.
func TestOptionsSeeAllSettings(t *testing.T) {
	root := write(t, "config: {aws:region: eu-central-1, audiense: b, audience: a, other:token: {secure: v1:abc}}")
	var config map[string]string
	var secrets []string
	_, err := record.Run(record.Stack{Root: root, Name: "test"}, nothing, func(info *pulumi.RunInfo) {
		config, secrets = info.Config, info.ConfigSecretKeys
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"aws:region": "eu-central-1", "sample:audiense": "b", "sample:audience": "a", "sample:ttl": "7", "other:token": "[secret other:token]",
	}
	if !maps.Equal(config, want) || !slices.Equal(secrets, []string{"other:token"}) {
		t.Errorf("expected %v, got %v, secrets %v", want, config, secrets)
	}
}

func TestBadStackFilesAreRefused(t *testing.T) {
	for name, row := range map[string]struct{ stack, says string }{
		"a value that is missing":       {"config: {aws:region: eu-central-1}", "pulumi config set audience VALUE"},
		"a value of another type":       {"config: {aws:region: eu-central-1, audience: a, ttl: soon}", "ttl: expected type integer, got soon"},
		"a region that is missing":      {"config: {audience: a}", "pulumi config set aws:region eu-central-1"},
		"a secret that is read":         {"config: {aws:region: eu-central-1, audience: {secure: v1:abc}}", "audience is a secret, which only the Pulumi CLI can decrypt: run with -config audience=VALUE"},
		"a file that is not YAML":       {"config: [", "Pulumi.test.yaml"},
		"a key with too many namespace": {"config: {a:b:c:d: x}", "a:b:c:d"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := record.Run(record.Stack{Root: write(t, row.stack), Name: "test"}, nothing)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("expected an error with %q, got %v", row.says, err)
			}
			if err != nil && strings.Contains(err.Error(), "v1:abc") {
				t.Errorf("expected no word of the secret, got %v", err)
			}
		})
	}
	t.Run("a stack without a file", func(t *testing.T) {
		_, err := record.Run(record.Stack{Root: write(t, ""), Name: "prod"}, nothing)
		if err == nil || !strings.Contains(err.Error(), `stack "prod" has no Pulumi.prod.yaml; there is Pulumi.test.yaml`) {
			t.Errorf("expected the error to name the files there are, got %v", err)
		}
	})
}

const good = "config: {aws:region: eu-central-1, audience: a}"

func TestOverrideReplacesTheStacksValue(t *testing.T) {
	secret := "config: {aws:region: eu-central-1, audience: {secure: v1:abc}}"
	for name, row := range map[string]struct{ stack, key string }{
		"without a namespace":     {good, "audience"},
		"with the project's name": {good, "sample:audience"},
		"in the long spelling":    {good, "sample:config:audience"},
		"of a secret":             {secret, "audience"},
	} {
		t.Run(name, func(t *testing.T) {
			override := record.Overrides{}
			if err := override.Set(row.key + "=b=c"); err != nil {
				t.Fatal(err)
			}
			s := record.Stack{Root: write(t, row.stack), Name: "test", Override: override}
			_, err := record.Run(s, func(ctx *pulumi.Context) error {
				if got := config.New(ctx, "").Get("audience"); got != "b=c" {
					t.Errorf("expected b=c, got %q", got)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOverridesAreAssignments(t *testing.T) {
	for _, bad := range []string{"", "audience", "=b"} {
		if err := (record.Overrides{}).Set(bad); err == nil {
			t.Errorf("expected %q to be refused", bad)
		}
	}
	s := record.Stack{Root: write(t, good), Name: "test", Override: record.Overrides{"a:b:c:d": "x"}}
	if _, err := record.Run(s, nothing); err == nil || !strings.Contains(err.Error(), "a:b:c:d") {
		t.Errorf("expected a key with too many namespaces to be refused by name, got %v", err)
	}
}

// program declares a function that depends on a log group by data, with a secret.
func program(ctx *pulumi.Context) error {
	logs, err := cloudwatch.NewLogGroup(ctx, "logs", &cloudwatch.LogGroupArgs{Name: pulumi.String("/aws/lambda/f")})
	if err != nil {
		return err
	}
	_, err = lambda.NewFunction(ctx, "f", &lambda.FunctionArgs{
		Role:          pulumi.String("arn:aws:iam::123456789012:role/r"),
		Code:          pulumi.NewFileArchive("dist/f.zip"),
		Description:   pulumi.ToSecret(pulumi.String("hush")).(pulumi.StringOutput),
		LoggingConfig: &lambda.FunctionLoggingConfigArgs{LogFormat: pulumi.String("JSON"), LogGroup: logs.Name},
	})
	return err
}

func TestGraph(t *testing.T) {
	root := write(t, good)
	g, err := record.Run(record.Stack{Root: root, Name: "test"}, program)
	if err != nil {
		t.Fatal(err)
	}
	f, err := g.One("aws:lambda/function:Function")
	if err != nil {
		t.Fatal(err)
	}
	const logsURN = "urn:pulumi:test::sample::aws:cloudwatch/logGroup:LogGroup::logs"
	if !f.DependsOn(logsURN) || len(f.PropertyDependencies["loggingConfig"]) != 1 {
		t.Errorf("expected a dependency on %s, got %v", logsURN, f.Dependencies)
	}
	if got := f.Inputs["description"]; got != "[secret]" {
		t.Errorf("expected the secret to be hidden, got %v", got)
	}
	if got := f.Inputs["code"].(map[string]any)["path"]; got != "dist/f.zip" {
		t.Errorf("expected the archive's path, got %v", got)
	}
	if want := "arn:aws:lambda:eu-central-1:123456789012:function:f-28e7996"; f.String("arn") != want {
		t.Errorf("expected the ARN %s, got %s", want, f.String("arn"))
	}
	var first, second, decoded bytes.Buffer
	if err := g.Write(&first); err != nil {
		t.Fatal(err)
	}
	read, err := graph.Read(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Write(&decoded); err != nil {
		t.Fatal(err)
	}
	again, err := record.Run(record.Stack{Root: root, Name: "test"}, program)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Write(&second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() || first.String() != decoded.String() {
		t.Error("expected the same program to give the same graph, written, read and recorded again")
	}
	if strings.Contains(first.String(), "hush") {
		t.Error("expected no secret in the graph")
	}
}

// A version and an alias have ARNs of their own, which integrations name.
func TestPublishedVersion(t *testing.T) {
	g, err := record.Run(record.Stack{Root: write(t, good), Name: "test"}, func(ctx *pulumi.Context) error {
		for name, publish := range map[string]bool{"current": false, "published": true} {
			f, err := lambda.NewFunction(ctx, name, &lambda.FunctionArgs{
				Name: pulumi.String(name), Role: pulumi.String("arn:aws:iam::123456789012:role/r"), Publish: pulumi.Bool(publish),
			})
			if err != nil {
				return err
			}
			if _, err := lambda.NewAlias(ctx, name, &lambda.AliasArgs{
				Name: pulumi.String("live"), FunctionName: f.Name, FunctionVersion: f.Version,
			}); err != nil {
				return err
			}
			ctx.Export(name, f.QualifiedArn)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, alias := range g.OfType("aws:lambda/alias:Alias") {
		target, err := g.Target(alias.String("invokeArn"))
		if err != nil {
			t.Fatal(err)
		}
		version := map[string]string{"current": "$LATEST", "published": "1"}[alias.Name]
		if target.Version != version || target.Qualifier != "live" || target.Function.Name != alias.Name || target.ARN != alias.ID {
			t.Errorf("%s: expected version %s by the alias, got %+v", alias.Name, version, target)
		}
		if qualified, err := g.Target(target.Function.String("qualifiedInvokeArn")); err != nil || qualified.Version != version {
			t.Errorf("%s: expected the qualified ARN to name version %s, got %+v, %v", alias.Name, version, qualified, err)
		}
	}
}

func TestManyRunsAtOnce(t *testing.T) {
	var wait sync.WaitGroup
	for range 8 {
		root := write(t, good)
		wait.Go(func() {
			if g, err := record.Run(record.Stack{Root: root, Name: "test"}, program); err != nil || len(g.Resources) != 2 {
				t.Errorf("expected 2 resources, got %v, %v", g, err)
			}
		})
	}
	wait.Wait()
}

// What is built from a computed property has to look like AWS's own.
func TestComputedProperties(t *testing.T) {
	s := record.Stack{Root: write(t, good), Name: "test"}
	g, err := record.Run(s, func(ctx *pulumi.Context) error {
		if _, err := apigateway.NewDomainName(ctx, "d", &apigateway.DomainNameArgs{DomainName: pulumi.String("api.example.com")}); err != nil {
			return err
		}
		if _, err := apigateway.NewAccount(ctx, "a", &apigateway.AccountArgs{}); err != nil {
			return err
		}
		_, err := cloudwatch.NewMetricAlarm(ctx, "m", &cloudwatch.MetricAlarmArgs{
			Name: pulumi.String("slow"), ComparisonOperator: pulumi.String("GreaterThanThreshold"), EvaluationPeriods: pulumi.Int(1),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]struct{ id, property, form string }{
		"aws:apigateway/domainName:DomainName":   {"api.example.com", "regionalDomainName", `^d-[a-z0-9]{10}\.execute-api\.eu-central-1\.amazonaws\.com$`},
		"aws:apigateway/account:Account":         {"api-gateway-account", "", `^$`},
		"aws:cloudwatch/metricAlarm:MetricAlarm": {"slow", "arn", `^arn:aws:cloudwatch:eu-central-1:123456789012:alarm:slow$`},
	} {
		r, err := g.One(token)
		if err != nil {
			t.Fatal(err)
		}
		if r.ID != want.id || !regexp.MustCompile(want.form).MatchString(r.String(want.property)) {
			t.Errorf("%s: expected ID %s and %s like %s, got %s and %q", token, want.id, want.property, want.form, r.ID, r.String(want.property))
		}
	}
}
