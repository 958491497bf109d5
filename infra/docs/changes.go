package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"account-api/local/graph"
	"account-api/local/record"
)

// example is the stack that the page about changes starts from: what is required, and
// the project's defaults.
const example = `config:
  aws:region: eu-central-1
  issuer: https://before.example.com/
  audience: before
`

// changes are the settings of Pulumi.yaml with other values. What belongs together is
// set together.
var changes = [][]string{
	{"issuer=https://after.example.com/"},
	{"audience=after"},
	{"jwksUri=https://keys.example.com/jwks"},
	{"provider=rfc9068"},
	{`otherIssuers=[{"issuer":"https://other.example.com/","audience":"other"}]`},
	{`algorithms=["RS256","ES256"]`},
	{`claims=["org_id"]`},
	{"outage=503"},
	{"allowedOrigin=https://after.example.com"},
	{"authorizerTtl=299"},
	{"logRetentionDays=1827"},
	{"throttleRate=99"},
	{"throttleBurst=199"},
	{"reservedConcurrency=19"},
	{"domain=api.example.com", "certificateArn=arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"},
	{"webAclArn=arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/account/11111111-2222-3333-4444-555555555555"},
	{"kmsKeyArn=arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"},
	{"alarmTopicArn=arn:aws:sns:eu-central-1:123456789012:alarms"},
	{"permissionsBoundaryArn=arn:aws:iam::123456789012:policy/boundary"},
	{"protect=true"},
	{"domain=api.example.com", "certificateArn=arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555", "disableExecuteApiEndpoint=true"},
	{"manageApiGatewayAccount=true"},
}

// update is what one change does, as resources by operation: create, update, replace
// and delete.
type update struct {
	settings  []string // their keys
	resources map[string][]string
}

// updates are what each change does to the example.
func updates(root string) ([]update, error) {
	project, err := exampleProject(root)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(project)
	before, err := declare(record.Stack{Root: project, Name: "example"})
	if err != nil {
		return nil, err
	}
	var all []update
	for _, assignments := range changes {
		u := update{}
		override := record.Overrides{}
		for _, assignment := range assignments {
			if err := override.Set(assignment); err != nil {
				return nil, err
			}
			key, _, _ := strings.Cut(assignment, "=")
			u.settings = append(u.settings, key)
		}
		after, err := declare(record.Stack{Root: project, Name: "example", Override: override})
		if err != nil {
			return nil, err
		}
		u.resources = difference(before, after)
		all = append(all, u)
	}
	return all, nil
}

// exampleProject is a copy of the project with the example as its only stack. The caller
// removes it.
func exampleProject(root string) (string, error) {
	project, err := os.MkdirTemp("", "docs")
	if err != nil {
		return "", err
	}
	files := map[string][]byte{"Pulumi.example.yaml": []byte(example)}
	for _, name := range []string{"Pulumi.yaml", "Pulumi.README.md"} {
		if files[name], err = os.ReadFile(filepath.Join(root, name)); err != nil {
			return "", err
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(project, name), content, 0o600); err != nil {
			return "", err
		}
	}
	return project, nil
}

// difference lists what an update from one declaration to another does, by operation,
// as the engine finds it: by the inputs.
func difference(before, after *graph.Graph) map[string][]string {
	found := map[string][]string{}
	replaced, publishes := map[string]bool{}, map[string]bool{}
	old := map[string]graph.Resource{}
	for _, r := range before.Resources {
		old[r.URN] = r
	}
	note := func(operation string, r graph.Resource) {
		found[operation] = append(found[operation], r.Type[strings.LastIndex(r.Type, ":")+1:]+" "+r.Name)
	}
	for _, r := range after.Resources {
		was, existed := old[r.URN]
		delete(old, r.URN)
		switch {
		case !existed:
			note("create", r)
		case reflect.DeepEqual(was.Inputs, r.Inputs):
		case r.Type == "aws:lambda/function:Function":
			note("update", r)
			publishes[r.URN] = newVersion(was.Inputs, r.Inputs)
		case r.Type == "aws:apigateway/deployment:Deployment": // an immutable snapshot
			note("replace", r)
			replaced[r.URN] = true
		default:
			note("update", r)
		}
	}
	for _, r := range after.Resources {
		for _, on := range r.PropertyDependencies["deployment"] {
			if replaced[on] {
				note("update", r)
			}
		}
		for _, on := range r.PropertyDependencies["functionVersion"] {
			if publishes[on] {
				note("update", r)
			}
		}
	}
	for _, r := range old {
		note("delete", r)
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found
}

// newVersion reports whether an update of a function publishes a version, which its alias
// then names. The function's own concurrency and tags are in no version:
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
func newVersion(before, after map[string]any) bool {
	versioned := func(inputs map[string]any) map[string]any {
		inputs = maps.Clone(inputs)
		delete(inputs, "reservedConcurrentExecutions")
		delete(inputs, "tags")
		return inputs
	}
	return !reflect.DeepEqual(versioned(before), versioned(after))
}

// changesPage is the table of settings and the resources that they change.
func changesPage(root string) (string, error) {
	all, err := updates(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# What a change changes\n\n")
	b.WriteString("<!-- Generated by `make docs`. -->\n\n")
	b.WriteString("What `pulumi preview -c KEY=VALUE` shows for a stack with default settings. Only the deployment is ever replaced. It is\n")
	b.WriteString("an immutable snapshot: the stage moves to the new one without an interruption, and then the old one goes.\n")
	b.WriteString("`-c` also writes the value to the stack file: `git checkout` takes it back.\n\n")
	b.WriteString("| setting | creates | updates | replaces |\n| --- | --- | --- | --- |\n")
	for _, u := range all {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", strings.Join(u.settings, "`, `"),
			strings.Join(u.resources["create"], ", "), strings.Join(u.resources["update"], ", "), strings.Join(u.resources["replace"], ", "))
	}
	b.WriteString(edits)
	return b.String(), nil
}

// edits is the part of the page that no declaration shows: a function's code is in its
// package.
const edits = `
A setting that is taken back undoes the same resources. The exception is ` + "`manageApiGatewayAccount`" + `: the account's setting and
its role stay, for the other APIs of the region. ` + "`protect`" + ` changes nothing on AWS: ` + "`pulumi preview --diff`" + ` marks what it protects.

| edit | updates |
| --- | --- |
| ` + "`handlers/NAME`, or a rule that it evaluates" + ` | Function NAME, Alias NAME |
| a document, a test, a guard rail | nothing |

Packages are built reproducibly, so a preview shows a function only when the code in it differs.

The table compares declarations. The real engine and the real provider gave the same lists against a simulator of AWS: for each row
` + "`pulumi preview --json -c …`" + `. With all settings at once but ` + "`kmsKeyArn`, `webAclArn` and `manageApiGatewayAccount`" + `, ` + "`pulumi up`" + ` and then
` + "`pulumi preview --expect-no-changes`" + ` agreed, and so they did when the settings were taken back. ` + "`pulumi destroy`" + ` left nothing
but the account's log role, which it is told to keep.
`
