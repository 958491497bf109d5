package record_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"account-api/local/graph"
	"account-api/local/record"
)

// local is a stack with a file of local values.
func local(t *testing.T, stack, values string) record.Stack {
	t.Helper()
	root := write(t, stack)
	if err := os.WriteFile(filepath.Join(root, record.ValuesFile("test")), []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	return record.Stack{Root: root, Name: "test", Local: true}
}

const encrypted = "config: {aws:region: eu-central-1, audience: a, token: {secure: v1:abc}}"

func readSecret(ctx *pulumi.Context) error {
	return environment(ctx, pulumi.StringMap{
		"SECRET": config.RequireSecret(ctx, "token"), "PLAIN": pulumi.String("Basic " + config.Require(ctx, "token")),
	})
}

func TestSecretsComeFromTheFile(t *testing.T) {
	s := local(t, encrypted, "secrets: {token: hush}")
	if got := variables(t, s, readSecret); got["SECRET"] != "hush" || got["PLAIN"] != "Basic hush" {
		t.Errorf("expected the secret's value, got %v", got)
	}
	s.Local = false // as guard rails and documents record it
	if got := variables(t, s, readSecret); got["SECRET"] != graph.Secret || got["PLAIN"] != "Basic "+graph.Withheld("sample:token") {
		t.Errorf("expected no secret, got %v", got)
	}
}

// A secret without a value names itself where it is used.
func TestSecretsWithoutAValue(t *testing.T) {
	got := variables(t, local(t, encrypted, ""), readSecret)
	if key, ok := graph.WithheldIn(got["SECRET"]); !ok || key != "sample:token" {
		t.Errorf("expected the setting's name, got %v", got)
	}
	s := local(t, "config: {aws:region: eu-central-1, audience: {secure: v1:abc}}", "")
	if _, err := record.Run(s, nothing); err == nil || !strings.Contains(err.Error(), "write it into local.test.yaml, as secrets: {audience: VALUE}") {
		t.Errorf("expected the error to name the file and the key, got %v", err)
	}
	s = local(t, "config: {aws:region: eu-central-1, audience: {secure: v1:abc}}", "secrets: {sample:audience: b}")
	if _, err := record.Run(s, nothing); err != nil {
		t.Errorf("expected the key with its namespace to count, got %v", err)
	}
}

func TestValuesAreStrict(t *testing.T) {
	for name, row := range map[string]struct{ values, says string }{
		"a key that is unknown":              {"secretes: {token: hush}", "field secretes not found; its keys are secrets, outputs, stackReferences, invokes, endpoints, handlers"},
		"a member that is unknown":           {"invokes: [{functon: x}]", "field functon not found"},
		"a value of another type":            {"secrets: [hush]", "local.test.yaml: line 1"},
		"what is no YAML":                    {"secrets: {", "it is not YAML"},
		"an endpoint that is no URL":         {"endpoints: {dynamodb: 'user:hush@x'}", "expected the URL of a server for dynamodb, such as http://127.0.0.1:8000"},
		"a look-up without a result":         {"invokes: [{function: aws:ssm/getParameter:getParameter}]", "entry 1 of invokes: expected function and result"},
		"a secret that the stack lacks":      {"secrets: {tokn: hush}", "the stack file keeps no secret tokn"},
		"an output of a resource that is no": {"outputs: {tabel: {name: x}}", "the stack declares no resource tabel"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := record.Run(local(t, encrypted, row.values), nothing)
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("expected an error with %q and without the secret, got %v", row.says, err)
			}
		})
	}
}

func TestOutputsOfTheFile(t *testing.T) {
	for _, key := range []string{"profiles", "aws:neptune/cluster:Cluster::profiles"} {
		s := local(t, good, "outputs: {'"+key+"': {id: i, label: blue, wide: true, port: 7, name: n}}")
		got := variables(t, s, made("aws:neptune/cluster:Cluster", nil))
		if got["ID"] != "i" || got["LABEL"] != "blue" || got["WIDE"] != "true" || got["PORT"] != "7" || got["NAME"] != "n" {
			t.Errorf("%s: expected the values of the file, got %v", key, got)
		}
	}
}

func TestStackReferences(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		other, err := pulumi.NewStackReference(ctx, "acme/network/prod", nil)
		if err != nil {
			return err
		}
		return environment(ctx, pulumi.StringMap{"SUBNET": other.GetStringOutput(pulumi.String("subnet")), "GONE": other.GetStringOutput(pulumi.String("gone"))})
	}
	got := variables(t, local(t, good, "stackReferences: {acme/network/prod: {subnet: s-1}}"), program)
	if got["SUBNET"] != "s-1" || got["GONE"] != graph.Unknown {
		t.Errorf("expected the output, and an unknown one, got %v", got)
	}
	_, err := record.Run(local(t, good, ""), program)
	if err == nil || !strings.Contains(err.Error(), "the program reads outputs of the stack acme/network/prod: write them into local.test.yaml") {
		t.Errorf("expected the error to name stack and file, got %v", err)
	}
}

func TestLookUps(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		identity, err := aws.GetCallerIdentity(ctx, nil)
		if err != nil {
			return err
		}
		region, err := aws.GetRegion(ctx, nil)
		if err != nil {
			return err
		}
		partition, err := aws.GetPartition(ctx, nil)
		if err != nil {
			return err
		}
		document := iam.GetPolicyDocumentOutput(ctx, iam.GetPolicyDocumentOutputArgs{Statements: iam.GetPolicyDocumentStatementArray{
			iam.GetPolicyDocumentStatementArgs{
				Actions: pulumi.ToStringArray([]string{"dynamodb:GetItem"}), Resources: pulumi.ToStringArray([]string{"a", "b"}),
				Conditions: iam.GetPolicyDocumentStatementConditionArray{iam.GetPolicyDocumentStatementConditionArgs{
					Test: pulumi.String("Bool"), Variable: pulumi.String("aws:SecureTransport"), Values: pulumi.ToStringArray([]string{"true"}),
				}},
			},
			iam.GetPolicyDocumentStatementArgs{
				Effect: pulumi.String("Deny"), Sid: pulumi.String("x"), NotActions: pulumi.ToStringArray([]string{"s3:*"}), NotResources: pulumi.ToStringArray([]string{"*"}),
				Principals: iam.GetPolicyDocumentStatementPrincipalArray{iam.GetPolicyDocumentStatementPrincipalArgs{
					Type: pulumi.String("Service"), Identifiers: pulumi.ToStringArray([]string{"lambda.amazonaws.com"}),
				}},
			},
		}})
		return environment(ctx, pulumi.StringMap{"WHERE": pulumi.Sprintf("%s %s %s", partition.Partition, region.Name, identity.AccountId), "POLICY": document.Json()})
	}
	got := variables(t, record.Stack{Root: write(t, good), Name: "test"}, program)
	if want := "aws eu-central-1 123456789012"; got["WHERE"] != want {
		t.Errorf("expected %s, got %s", want, got["WHERE"])
	}
	want := `{"Statement":[{"Action":"dynamodb:GetItem","Condition":{"Bool":{"aws:SecureTransport":"true"}},"Effect":"Allow","Resource":["b","a"]},` +
		`{"Effect":"Deny","NotAction":"s3:*","NotResource":"*","Principal":{"Service":"lambda.amazonaws.com"},"Sid":"x"}],"Version":"2012-10-17"}`
	if got["POLICY"] != want {
		t.Errorf("expected %s, got %s", want, got["POLICY"])
	}
}

func TestOtherLookUpsComeFromTheFile(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		var result struct {
			Value string `pulumi:"value"`
		}
		if err := ctx.Invoke("aws:ssm/getParameter:getParameter", &struct {
			Name string `pulumi:"name"`
		}{"/db/host"}, &result); err != nil {
			return err
		}
		return environment(ctx, pulumi.StringMap{"HOST": pulumi.String(result.Value)})
	}
	for name, row := range map[string]struct{ values, want string }{
		"with the arguments":    {"invokes: [{function: aws:ssm/getParameter:getParameter, arguments: {name: /db/user}, result: {value: u}}, {function: aws:ssm/getParameter:getParameter, arguments: {name: /db/host}, result: {value: h}}]", "h"},
		"without any arguments": {"invokes: [{function: aws:ssm/getParameter:getParameter, result: {value: any}}]", "any"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := variables(t, local(t, good, row.values), program); got["HOST"] != row.want {
				t.Errorf("expected %s, got %v", row.want, got)
			}
		})
	}
	_, err := record.Run(local(t, good, ""), program)
	if err == nil || !strings.Contains(err.Error(), "the program calls aws:ssm/getParameter:getParameter, whose answer depends on an account: write the answer into local.test.yaml") ||
		!strings.Contains(err.Error(), "arguments: {name: /db/host}") || strings.Contains(err.Error(), "error occurred") {
		t.Errorf("expected the look-up to be refused by name with the fix, without the SDK's heading, got %v", err)
	}
}

// The committed example has every key, and is read as it is.
func TestExampleOfValues(t *testing.T) {
	example, err := os.ReadFile("../../local.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := local(t, "config: {aws:region: eu-central-1, audience: a, apiToken: {secure: v1:abc}}", string(example))
	got := variables(t, s, func(ctx *pulumi.Context) error {
		p := &thing{}
		if err := ctx.RegisterResource("aws:dynamodb/table:Table", "profiles", nil, p); err != nil {
			return err
		}
		host, err := getParameter(ctx)
		if err != nil {
			return err
		}
		network, err := pulumi.NewStackReference(ctx, "acme/network/prod", nil)
		if err != nil {
			return err
		}
		return environment(ctx, pulumi.StringMap{"TOKEN": config.RequireSecret(ctx, "apiToken"), "TABLE": p.Name, "HOST": pulumi.String(host),
			"SUBNET": network.GetStringOutput(pulumi.String("subnetId"))})
	})
	want := map[string]string{"TOKEN": "any-text", "TABLE": "profiles-local", "HOST": "localhost", "SUBNET": "subnet-0123456789abcdef0"}
	if !maps.Equal(got, want) {
		t.Errorf("expected %v, got %v", want, got)
	}
	for _, key := range []string{"secrets:", "outputs:", "stackReferences:", "invokes:", "endpoints:", "handlers:"} {
		if !strings.Contains(string(example), "\n"+key) {
			t.Errorf("expected the example to show %s", key)
		}
	}
}
