package infra_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"account-api/local/graph"
)

var update = flag.Bool("update", false, "write docs/conformance.md instead of comparing it")

// violation and row are what policies/infra answers.
type violation struct {
	Row      int    `json:"row"`
	Severity string `json:"severity"`
	Resource string `json:"resource"`
	Message  string `json:"message"`
}

type row struct {
	Row         int      `json:"row"`
	Requirement string   `json:"requirement"`
	IDs         []string `json:"ids"`
	Severity    string   `json:"severity"`
	Status      string   `json:"status"` // pass, config, waived or violated
	How         string   `json:"how"`
}

type verdict struct {
	Violations []violation `json:"violations"`
	Rows       []row       `json:"rows"`
}

// row returns the row of a number.
func (v verdict) row(t *testing.T, number int) row {
	t.Helper()
	for _, r := range v.Rows {
		if r.Row == number {
			return r
		}
	}
	t.Fatalf("expected a row %d, got none", number)
	return row{}
}

// guard prepares the rules in policies/infra, without their tests.
func guard(t *testing.T) rego.PreparedEvalQuery {
	t.Helper()
	rules := os.DirFS("../policies/infra")
	names, err := fs.Glob(rules, "*.rego")
	if err != nil {
		t.Fatal(err)
	}
	options := []func(*rego.Rego){rego.Query("data.infra"), rego.StrictBuiltinErrors(true)}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		source, err := fs.ReadFile(rules, name)
		if err != nil {
			t.Fatal(err)
		}
		// The table is made of the rules' own annotations.
		module, err := ast.ParseModuleWithOpts(name, string(source), ast.ParserOptions{ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		options = append(options, rego.ParsedModule(module))
	}
	query, err := rego.New(options...).PrepareForEval(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return query
}

// judge evaluates the rules over what a stack declares.
func judge(t *testing.T, query rego.PreparedEvalQuery, g *graph.Graph) verdict {
	t.Helper()
	var document bytes.Buffer
	if err := g.Write(&document); err != nil {
		t.Fatal(err)
	}
	var input any
	if err := json.Unmarshal(document.Bytes(), &input); err != nil {
		t.Fatal(err)
	}
	return evaluate(t, query, input)
}

func evaluate(t *testing.T, query rego.PreparedEvalQuery, input any) verdict {
	t.Helper()
	results, err := query.Eval(context.Background(), rego.EvalInput(input))
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 {
		t.Fatalf("expected one result, got %d", len(results))
	}
	encoded, err := json.Marshal(results[0].Expressions[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	var v verdict
	if err := json.Unmarshal(encoded, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Rows) != requirements+ours {
		t.Fatalf("expected %d rows, got %d", requirements+ours, len(v.Rows))
	}
	return v
}

// The rows that audits ask for come first, ours after them.
const requirements, ours = 34, 5

func (v verdict) check(t *testing.T) {
	t.Helper()
	for _, found := range v.Violations {
		t.Errorf("row %d, %s, %s: %s", found.Row, found.Severity, found.Resource, found.Message)
	}
}

func TestGuard(t *testing.T) {
	query := guard(t)
	verdicts := map[string]verdict{}
	for name, g := range shipped(t) {
		t.Run(name, func(t *testing.T) {
			verdicts[name] = judge(t, query, g)
			verdicts[name].check(t)
		})
	}
	t.Run("docs/conformance.md says so", func(t *testing.T) {
		// Only the stacks that the project comes with: a further one is held to the same
		// rules, and is one file to add and no document to write.
		compareFile(t, "../docs/conformance.md", conformance([]string{"dev", "prod"}, verdicts))
	})
}

// examples are values of the keys that a row waits for.
var examples = map[int][]string{
	11: {"webAclArn=arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/account/11111111-2222-3333-4444-555555555555"},
	14: {"domain=api.example.net", "certificateArn=arn:aws:acm:eu-west-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"},
	24: {"kmsKeyArn=arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"},
	29: {"reservedConcurrency=20"},
	33: {"alarmTopicArn=arn:aws:sns:eu-west-1:123456789012:alarms"},
}

func TestOneKeyMakesItsRowPass(t *testing.T) {
	query := guard(t)
	before := judge(t, query, mustDeclare(t, "prod"))
	for number, keys := range examples {
		t.Run(strings.Join(keys, " "), func(t *testing.T) {
			if status := before.row(t, number).Status; status != "config" {
				t.Errorf("expected row %d to wait for a key, got %s", number, status)
			}
			after := judge(t, query, mustDeclare(t, "prod", keys...))
			after.check(t)
			if status := after.row(t, number).Status; status != "pass" {
				t.Errorf("expected row %d to pass, got %s", number, status)
			}
		})
	}
	for _, r := range before.Rows {
		if _, known := examples[r.Row]; r.Status == "config" && !known {
			t.Errorf("expected a key for row %d, %s", r.Row, r.Requirement)
		}
	}
}

func TestEveryKeyAtOnceComplies(t *testing.T) {
	all := []string{"manageApiGatewayAccount=true", "authorizerTtl=300", "allowedOrigin=*"}
	for _, keys := range examples {
		all = append(all, keys...)
	}
	judge(t, guard(t), mustDeclare(t, "prod", all...)).check(t)
}

// The roles of the workflows are no part of the stack, but their trust policies are
// documented for everybody to copy.
func TestDocumentedTrustPoliciesComply(t *testing.T) {
	page, err := os.ReadFile("../docs/pull-requests.md")
	if err != nil {
		t.Fatal(err)
	}
	query := guard(t)
	found := 0
	for _, block := range strings.Split(string(page), "```json\n")[1:] {
		document, _, _ := strings.Cut(block, "```")
		if !strings.Contains(document, "sts:AssumeRoleWithWebIdentity") {
			continue
		}
		found++
		g := mustDeclare(t, "prod")
		g.Resources = append(g.Resources, graph.Resource{
			URN: "urn:pulumi:prod::sample::" + role + "::documented", Type: role, Name: "documented",
			Inputs: map[string]any{"assumeRolePolicy": document, "tags": map[string]any{"project": "sample", "stack": "prod"}},
		})
		judge(t, query, g).check(t)
	}
	if found == 0 {
		t.Error("expected a trust policy in docs/pull-requests.md, got none")
	}
}

// conformance is the table of all requirements, as a page.
func conformance(stacks []string, verdicts map[string]verdict) string {
	first := verdicts[stacks[0]]
	count := map[string]int{}
	for _, r := range first.Rows[:requirements] {
		count[r.Status]++
	}
	var b strings.Builder
	b.WriteString("# What an audit finds\n\n")
	b.WriteString("<!-- Generated from policies/infra by `go test ./infra -run TestGuard -update`. -->\n\n")
	fmt.Fprintf(&b, "**%d requirements drawn from cdk-nag, checkov, trivy and serverless-rules: %d hold by default, %d by one config key, %d waived with a written reason.**\n",
		requirements, count["pass"], count["config"], count["waived"])
	fmt.Fprintf(&b, "%d more, which no audit asks for, are ours and hold. Each row is a rule in [policies/infra](../policies/infra), ", ours)
	b.WriteString("evaluated over every stack file by `go test ./infra`, and over a real preview by\n\n")
	b.WriteString("    pulumi preview --json --show-sames | opa eval -d policies/infra -I --fail-defined 'data.infra.violations[_]'\n\n")
	b.WriteString("which prints each violation with its fix and fails if there is one.\n\n")
	fmt.Fprintf(&b, "| # | requirement | severity | %s | how, or why not | rules |\n", strings.Join(stacks, " | "))
	fmt.Fprintf(&b, "| --- | --- | --- |%s --- | --- |\n", strings.Repeat(" --- |", len(stacks)))
	for i, r := range first.Rows {
		var statuses []string
		for _, s := range stacks {
			statuses = append(statuses, verdicts[s].Rows[i].Status)
		}
		ids := strings.Join(r.IDs, ", ")
		if ids == "" {
			ids = "ours"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", r.Row, r.Requirement, r.Severity, strings.Join(statuses, " | "), r.How, ids)
	}
	b.WriteString(accountRole)
	return b.String()
}

// accountRole explains the one row that a fresh account can fail at.
const accountRole = `
## The account's log role

API Gateway writes access logs and execution logs with a role that is set once for each account and region, not for each API. In an
account that never had one, creating the stage fails:

    CloudWatch Logs role ARN must be set in account settings to enable logging

Both logs are on by default nevertheless, because an API without them cannot be run. A preview that is about to create the stage
warns with these words and names both ways out; later previews say nothing.

- **This stack sets it.** ` + "`pulumi config set manageApiGatewayAccount true`" + `, in one stack of the account and region: two would undo each
  other. The setting and its role stay when the key is taken back or the stack is destroyed, as other APIs log by them.
- **Somebody else sets it**, with a role of their own:
  ` + "`aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value=<role ARN>`" + `
`

// compareFile compares a generated file with the one on disk, or writes it.
func compareFile(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("expected %s to be up to date: run go test ./infra -run %s -update", path, t.Name())
	}
}
