package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/infra"
	"account-api/internal/decision"
	"account-api/local/graph"
	"account-api/local/record"
)

// settings turn on all that a stack can declare.
const settings = `config:
  aws:region: eu-west-1
  issuer: https://id.example.net/
  audience: sample
  manageApiGatewayAccount: true
  alarmTopicArn: arn:aws:sns:eu-west-1:123456789012:alarms
  domain: api.example.net
  certificateArn: arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555
  webAclArn: arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/account/11111111-2222-3333-4444-555555555555
  kmsKeyArn: arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555
`

func project(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	declared, err := os.ReadFile("../../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"Pulumi.yaml":      regexp.MustCompile(`(?m)^name: .*$`).ReplaceAllString(string(declared), "name: sample"),
		"Pulumi.README.md": "# Sample\n", "Pulumi.test.yaml": settings,
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func declared(t *testing.T) *graph.Graph {
	t.Helper()
	program := infra.New(func(*pulumi.Context, string, string, decision.Stack) (string, error) { return "", nil })
	g, err := record.Run(record.Stack{Root: project(t), Name: "test"}, program.Deploy, program.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Every type has a row, and the row's resources have the ARN of what is declared.
func TestTheProgramMayDeployAllThatItDeclares(t *testing.T) {
	g := declared(t)
	if _, err := policy(g, false); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, r := range g.Resources {
		arn := r.String("arn")
		if arn == "" || !strings.HasPrefix(r.Type, "aws:") || r.Inputs["namePrefix"] != nil { // the recorder makes up no such name
			continue
		}
		seen++
		matches := false
		for _, row := range grants[r.Type] {
			for _, pattern := range filled(g, row.arns) {
				expression := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$"
				matches = matches || pattern != "*" && len(row.write) > 0 && regexp.MustCompile(expression).MatchString(arn)
			}
		}
		if !matches {
			t.Errorf("%s %s: expected its ARN %s to match a resource of its row", r.Type, r.Name, arn)
		}
	}
	if seen < 10 {
		t.Errorf("expected ARNs to compare with, got %d", seen)
	}
}

func TestATypeWithoutARowIsRefused(t *testing.T) {
	g := &graph.Graph{Resources: []graph.Resource{{Type: "aws:sqs/queue:Queue"}}}
	if _, err := policy(g, false); err == nil || !strings.Contains(err.Error(), "expected a row for the type aws:sqs/queue:Queue") {
		t.Errorf("expected the type to be named, got %v", err)
	}
	g.Resources[0].Type = "sample:index:Endpoint"
	if got, err := policy(g, false); err != nil || len(got) != 0 {
		t.Errorf("expected a component to need nothing, got %v, %v", got, err)
	}
}

// Only what reads begins with one of these words.
var reads = regexp.MustCompile(`^(apigateway:GET|[a-z0-9]+:(Get|List|Describe)\w+)$`)

func TestRows(t *testing.T) {
	for kind, rows := range grants {
		for _, row := range rows {
			for _, action := range row.read {
				if !reads.MatchString(action) {
					t.Errorf("%s: expected %s to be no action that reads", kind, action)
				}
			}
			for _, action := range slices.Concat(row.read, row.write) {
				if strings.Contains(action, "*") {
					t.Errorf("%s: expected no wildcard in an action, got %s", kind, action)
				}
				if action == "iam:PassRole" && row.when == nil {
					t.Errorf("%s: expected a condition on iam:PassRole", kind)
				}
				if slices.Contains(row.arns, "*") && !reads.MatchString(action) {
					t.Errorf("%s: expected %s to be limited to resources", kind, action)
				}
			}
		}
	}
}

func TestPolicyOfEachRole(t *testing.T) {
	root := project(t)
	print := func(arguments ...string) (policy struct{ Statement []statement }, text string) {
		t.Helper()
		var out, notes bytes.Buffer
		if err := run(&out, &notes, root, append([]string{"-stack", "test"}, arguments...)); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &policy); err != nil {
			t.Fatal(err)
		}
		return policy, out.String()
	}
	deploy, text := print("-state", "s3://bucket/team", "-account", "210987654321")
	for _, says := range []string{
		`"arn:aws:lambda:eu-west-1:210987654321:function:sample-test-*"`, `"iam:PassedToService": "lambda.amazonaws.com"`,
		`"arn:aws:s3:::bucket/team/.pulumi/*"`, `"iam:PolicyARN": "arn:aws:iam::210987654321:policy/sample-test-*"`,
	} {
		if !strings.Contains(text, says) {
			t.Errorf("deploy: expected %s in:\n%s", says, text)
		}
	}
	preview, text := print("-preview", "-state", "s3://bucket")
	for _, s := range preview.Statement {
		for _, action := range s.Action {
			if !reads.MatchString(action) && !slices.Equal(s.Resource, []string{"arn:aws:s3:::bucket/.pulumi/locks/*"}) {
				t.Errorf("preview: expected only actions that read, got %s on %s", action, s.Resource)
			}
		}
	}
	if len(preview.Statement) >= len(deploy.Statement) || strings.Contains(text, "PassRole") {
		t.Errorf("expected the preview to be allowed less, got:\n%s", text)
	}
}

// With a permissions boundary, no role without it can be made, and none can lose it.
func TestRolesKeepTheirBoundary(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:policy/boundary"
	g := &graph.Graph{Resources: []graph.Resource{{Type: "aws:iam/role:Role", Inputs: map[string]any{"permissionsBoundary": arn}}}}
	statements, err := policy(g, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		bounded := s.Condition["StringEquals"]["iam:PermissionsBoundary"] == arn
		if slices.Contains(s.Action, "iam:DeleteRolePermissionsBoundary") || slices.Contains(s.Action, "iam:CreateRole") != bounded {
			t.Errorf("expected roles to be made with the boundary only, got %+v", s)
		}
	}
	g.Resources = append(g.Resources, graph.Resource{Type: "aws:iam/role:Role"})
	if boundary(g) != nil {
		t.Error("expected no condition if a role has no boundary")
	}
}

func TestWrongArguments(t *testing.T) {
	for _, arguments := range [][]string{nil, {"-stack", "test", "more"}, {"-stack", "none"}, {"-stack", "test", "-state", "file:///tmp"}, {"-wrong"}} {
		if err := run(&bytes.Buffer{}, &bytes.Buffer{}, project(t), arguments); err == nil {
			t.Errorf("%q: expected an error", arguments)
		}
	}
}
