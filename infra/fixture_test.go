package infra_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/local/graph"
	"account-api/local/record"
)

// settings are the fixture's stacks, test and prod. They set every value that a test
// relies on, so that a project may choose other defaults.
const settings = `
config:
  aws:region: eu-west-1
  issuer: https://id.example.net/
  audience: https://sample.example.net
  jwksUri: ""
  provider: ""
  otherIssuers: []
  algorithms: []
  claims: []
  outage: 401
  allowedOrigin: https://pages.example.net
  authorizerTtl: 0
  logRetentionDays: 400
  throttleRate: 50
  throttleBurst: 60
  reservedConcurrency: -1
  domain: ""
  certificateArn: ""
  webAclArn: ""
  kmsKeyArn: ""
  alarmTopicArn: ""
  permissionsBoundaryArn: ""
  protect: false
  disableExecuteApiEndpoint: false
  manageApiGatewayAccount: false
`

// project writes a project named sample with this program's settings, and the stack
// files given by stack.
func project(t *testing.T, stacks map[string]string) (root string) {
	t.Helper()
	declared, err := os.ReadFile("../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"Pulumi.yaml":      regexp.MustCompile(`(?m)^name: .*$`).ReplaceAllString(string(declared), "name: sample"),
		"Pulumi.README.md": "# Sample\n",
	}
	for stack, content := range stacks {
		files["Pulumi."+stack+".yaml"] = content
	}
	root = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func builds(*pulumi.Context, string, string, decision.Stack) (string, error) { return "", nil }

// declare records what the program with the fixture's endpoints declares for a stack
// of the fixture, with some settings replaced by "key=value".
func declare(t *testing.T, stack string, replaced ...string) (*graph.Graph, error) {
	t.Helper()
	override := record.Overrides{}
	for _, assignment := range replaced {
		if err := override.Set(assignment); err != nil {
			t.Fatal(err)
		}
	}
	program := infra.Fixture(builds)
	root := project(t, map[string]string{stack: settings})
	return record.Run(record.Stack{Root: root, Name: stack, Override: override}, program.Deploy, program.Settings)
}

func mustDeclare(t *testing.T, stack string, replaced ...string) *graph.Graph {
	t.Helper()
	g, err := declare(t, stack, replaced...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// shipped records what this project declares for each of its stack files. A stack that does
// not pass on a claim that a policy reads fails the test.
func shipped(t *testing.T) map[string]*graph.Graph {
	t.Helper()
	files, err := filepath.Glob("../Pulumi.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("expected stack files next to Pulumi.yaml, got %v, %v", files, err)
	}
	graphs := map[string]*graph.Graph{}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		program := infra.New(func(ctx *pulumi.Context, handler, _ string, stack decision.Stack) (string, error) {
			return "", infra.CheckPolicy(ctx, "..", handler, stack)
		})
		g, err := record.Run(record.Stack{Root: "..", Name: name}, program.Deploy, program.Settings)
		if err != nil {
			t.Fatal(err)
		}
		graphs[name] = g
	}
	return graphs
}

// find returns the resource of a type and name.
func find(t *testing.T, g *graph.Graph, kind, name string) graph.Resource {
	t.Helper()
	for _, r := range g.OfType(kind) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("expected a %s named %q, got none", kind, name)
	return graph.Resource{}
}

const (
	method          = "aws:apigateway/method:Method"
	integration     = "aws:apigateway/integration:Integration"
	authorizer      = "aws:apigateway/authorizer:Authorizer"
	gatewayResponse = "aws:apigateway/response:Response"
	deployment      = "aws:apigateway/deployment:Deployment"
	restAPI         = "aws:apigateway/restApi:RestApi"
	stage           = "aws:apigateway/stage:Stage"
	function        = "aws:lambda/function:Function"
	alias           = "aws:lambda/alias:Alias"
	permission      = "aws:lambda/permission:Permission"
	role            = "aws:iam/role:Role"
	policy          = "aws:iam/policy:Policy"
	attachment      = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	logGroup        = "aws:cloudwatch/logGroup:LogGroup"
)

// document is any part of a resource as JSON, to compare with.
func document(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := document(t, got), document(t, want); g != w {
		t.Errorf("%s: expected %s, got %s", what, w, g)
	}
}

// variables are a function's environment variables.
func variables(t *testing.T, g *graph.Graph, name string) map[string]any {
	t.Helper()
	environment := find(t, g, function, name).Inputs["environment"].(map[string]any)
	return environment["variables"].(map[string]any)
}
