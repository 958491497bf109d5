package infra_test

import (
	"os"
	"strings"
	"testing"

	"account-api/infra/guardrail"
	"account-api/local/graph"
)

// judge evaluates policies/infra over what a stack declares.
func judge(t *testing.T, g *graph.Graph) guardrail.Verdict {
	t.Helper()
	rules, err := guardrail.Load(t.Context(), os.DirFS("../policies/infra"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := rules.Judge(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// complies judges a stack and reports what it violates.
func complies(t *testing.T, g *graph.Graph) guardrail.Verdict {
	t.Helper()
	v := judge(t, g)
	for _, found := range v.Violations {
		t.Errorf("row %d, %s, %s: %s", found.Row, found.Severity, found.Resource, found.Message)
	}
	return v
}

func statusOf(t *testing.T, v guardrail.Verdict, number int) string {
	t.Helper()
	for _, r := range v.Rows {
		if r.Row == number {
			return r.Status
		}
	}
	t.Fatalf("expected a row %d, got none", number)
	return ""
}

func TestGuard(t *testing.T) {
	for name, g := range shipped(t) {
		t.Run(name, func(t *testing.T) { complies(t, g) })
	}
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
	before := complies(t, mustDeclare(t, "prod"))
	for number, keys := range examples {
		t.Run(strings.Join(keys, " "), func(t *testing.T) {
			if status := statusOf(t, before, number); status != "config" {
				t.Errorf("expected row %d to wait for a key, got %s", number, status)
			}
			if status := statusOf(t, complies(t, mustDeclare(t, "prod", keys...)), number); status != "pass" {
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
	all := []string{"manageApiGatewayAccount=true", "disableExecuteApiEndpoint=true", "protect=true", "permissionsBoundaryArn=arn:aws:iam::123456789012:policy/boundary", "authorizerTtl=300", "allowedOrigin=*"}
	for _, keys := range examples {
		all = append(all, keys...)
	}
	complies(t, mustDeclare(t, "prod", all...))
}

// The roles of the workflows are no part of the stack, but their trust policies are
// documented for everybody to copy.
func TestDocumentedTrustPoliciesComply(t *testing.T) {
	page, err := os.ReadFile("../docs/pull-requests.md")
	if err != nil {
		t.Fatal(err)
	}
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
		complies(t, g)
	}
	if found == 0 {
		t.Error("expected a trust policy in docs/pull-requests.md, got none")
	}
}
