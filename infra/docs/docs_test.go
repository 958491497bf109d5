package main

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"account-api/infra/guardrail"
	"account-api/local/graph"
)

const project = "../.."

// Whatever the endpoints and the defaults are, no setting may interrupt the API.
func TestSettingsReplaceOnlyTheDeployment(t *testing.T) {
	all, err := updates(project)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range all {
		// Protection is in Pulumi's state, and no provider's concern.
		if len(u.resources) == 0 && !slices.Equal(u.settings, []string{"protect"}) {
			t.Errorf("%v: expected a change, got none", u.settings)
		}
		for _, name := range append(u.resources["replace"], u.resources["delete"]...) {
			if name != "Deployment account" {
				t.Errorf("%v: expected only the deployment to be replaced or deleted, got %s", u.settings, name)
			}
		}
	}
}

func TestEverySettingHasARow(t *testing.T) {
	p, err := workspace.LoadProject(filepath.Join(project, "Pulumi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for key := range p.Config {
		if !slices.ContainsFunc(changes, func(row []string) bool {
			return slices.ContainsFunc(row, func(assignment string) bool { return strings.HasPrefix(assignment, key+"=") })
		}) {
			t.Errorf("expected another value for the setting %s in the list of changes, got none", key)
		}
	}
}

func TestDifference(t *testing.T) {
	resource := func(kind, name string, value any) graph.Resource {
		return graph.Resource{URN: kind + "::" + name, Type: kind, Name: name, Inputs: map[string]any{"value": value}}
	}
	const deployment, stage, queue = "aws:apigateway/deployment:Deployment", "aws:apigateway/stage:Stage", "aws:sqs/queue:Queue"
	serves := resource(stage, "s", 1)
	serves.PropertyDependencies = map[string][]string{"deployment": {deployment + "::d"}}
	before := &graph.Graph{Resources: []graph.Resource{resource(deployment, "d", 1), serves, resource(queue, "old", 1), resource(queue, "same", 1), resource(queue, "other", 1)}}
	after := &graph.Graph{Resources: []graph.Resource{resource(deployment, "d", 2), serves, resource(queue, "new", 1), resource(queue, "same", 1), resource(queue, "other", 2)}}
	want := map[string][]string{
		"create": {"Queue new"}, "update": {"Queue other", "Stage s"}, "replace": {"Deployment d"}, "delete": {"Queue old"},
	}
	if got := difference(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("expected %v, got %v", want, got)
	}
}

func TestFunctionThatPublishesMovesItsAlias(t *testing.T) {
	const function, alias = "aws:lambda/function:Function", "aws:lambda/alias:Alias"
	declared := func(inputs map[string]any) *graph.Graph {
		return &graph.Graph{Resources: []graph.Resource{
			{URN: function + "::f", Type: function, Name: "f", Inputs: inputs},
			{URN: alias + "::f", Type: alias, Name: "f", PropertyDependencies: map[string][]string{"functionVersion": {function + "::f"}}},
		}}
	}
	for name, row := range map[string]struct {
		inputs  map[string]any
		updates []string
	}{
		"memory is in the version":               {map[string]any{"memorySize": 2.0}, []string{"Alias f", "Function f"}},
		"reserved concurrency is the function's": {map[string]any{"memorySize": 1.0, "reservedConcurrentExecutions": 9.0}, []string{"Function f"}},
		"tags are the function's":                {map[string]any{"memorySize": 1.0, "tags": map[string]any{"team": "a"}}, []string{"Function f"}},
		"nothing changes":                        {map[string]any{"memorySize": 1.0}, nil},
	} {
		if got := difference(declared(map[string]any{"memorySize": 1.0}), declared(row.inputs))["update"]; !slices.Equal(got, row.updates) {
			t.Errorf("%s: expected the updates %v, got %v", name, row.updates, got)
		}
	}
}

func TestConformancePage(t *testing.T) {
	rows := func(status string) guardrail.Verdict {
		return guardrail.Verdict{Rows: []guardrail.Row{
			{Row: 1, Requirement: "Doors are shut", IDs: []string{"A1", "B2"}, Severity: "high", Status: "pass", How: "a lock"},
			{Row: 2, Requirement: "Windows are shut", IDs: []string{"C3"}, Severity: "low", Status: status, How: "set `shutters`"},
			{Row: 3, Requirement: "The cat is in", Severity: "low", Status: "pass", How: "a bell"},
		}}
	}
	page := conformancePage([]judged{{"test", nil, rows("config")}, {"live", nil, rows("pass")}})
	for _, line := range []string{
		"**2 requirements drawn from cdk-nag, checkov, trivy and serverless-rules: 1 hold by default, 1 by one setting, 0 are waived with a written reason.**",
		"1 more are ours; no audit has them.",
		"| # | requirement | severity | test | live | how, or why not | rules |",
		"| --- | --- | --- | --- | --- | --- | --- |",
		"| 1 | Doors are shut | high | pass | pass | a lock | A1, B2 |",
		"| 2 | Windows are shut | low | config | pass | set `shutters` | C3 |",
		"| 3 | The cat is in | low | pass | pass | a bell | ours |",
	} {
		if !strings.Contains(page, line) {
			t.Errorf("expected the line %s in:\n%s", line, page)
		}
	}
}

func TestPagesAreWrittenForTheStacksThatThereAre(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"policies", "Pulumi.yaml", "Pulumi.README.md"} {
		absolute, err := filepath.Abs(filepath.Join(project, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(absolute, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "docs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), root); err == nil || !strings.Contains(err.Error(), "expected a stack file") {
		t.Errorf("expected a project without stacks to be refused, got %v", err)
	}
	if err := os.WriteFile(filepath.Join(root, "Pulumi.alone.yaml"), []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), root); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{"conformance.md": "| severity | alone | how", "changes.md": "| `issuer` |  | Alias authorizer, Function authorizer |  |", "openapi.json": `"default": "alone"`} {
		page, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil || !strings.Contains(string(page), says) {
			t.Errorf("%s: expected %q, got %v in:\n%s", name, says, err, page)
		}
	}
}

// TestProvidersPage: the page has a verdict on tokens of many providers, and those of the
// profiles' own providers pass only as access tokens.
func TestProvidersPage(t *testing.T) {
	page, err := providersPage(project)
	if err != nil {
		t.Fatal(err)
	}
	if len(providers) < 12 {
		t.Errorf("expected at least 12 providers, got %d", len(providers))
	}
	for _, line := range []string{
		"| Auth0 | access | **accepted**, principal `user`, client `client`, scopes `openid read:items`, permissions `read:items` |",
		"| Auth0 | ID | **refused**: `wrong_kind: expected an access token, got an ID token: has nonce; send the access token instead` |",
		"| Auth0, ID token without a nonce | ID | **refused**: `bad_audience: ",
		"| Okta | access | **accepted**, principal `user`, client `client`, scopes `openid read:items`, no permissions |",
		"| Okta | ID | **refused**: `wrong_kind: ",
		"| Entra ID | access | **accepted**, principal `user`, client `client`, scopes `read.items`, permissions `Items.Read` |",
		"| Entra ID | ID | **refused**: `wrong_kind: ",
		"| Cognito | access | **accepted**, principal `user`, client `1example23456789`, scopes `account/read:items`, no permissions |",
		"| Cognito | ID | **refused**: `wrong_kind: ",
		"| Keycloak | access | **accepted**, principal `user`, client `client`, scopes `profile read:items`, no permissions |",
		"| Keycloak | ID | **refused**: `wrong_kind: ",
		"| Duende IdentityServer | access | **accepted**, principal `user`, client `client`, scopes `read:items offline_access`, no permissions |",
		"| Duende IdentityServer | ID | **refused**: `wrong_kind: ",
		"| Supabase | access | **accepted**",
	} {
		if !strings.Contains(page, line) {
			t.Errorf("expected the line %s in:\n%s", line, page)
		}
	}
	for line := range strings.Lines(page) {
		if strings.Contains(line, "| refresh | **accepted**") {
			t.Errorf("expected no refresh token accepted, got %s", line)
		}
	}
}
