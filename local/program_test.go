package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"account-api/local/console"
	"account-api/local/example"
	"account-api/local/graph"
	"account-api/local/reload"
	"account-api/local/running"
)

// described is the first endpoint of a stack with a function in cmd/seats, for which the
// policy program prints something.
func described(t *testing.T, scopes, printed string) (console.Endpoint, error) {
	t.Helper()
	root := t.TempDir()
	executable := filepath.Join(root, "policy")
	running.Write(t, executable, fmt.Sprintf("#!/bin/sh\n[ \"$*\" = '-root %s' ] || exit 1\ncat <<'END'\n%s\nEND\n", root, printed))
	if err := os.Chmod(executable, 0o755); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	g := declare("GET /seats")
	g.Bundles = map[string]string{"seats.zip": "cmd/seats"}
	g.Region = "eu-north-1"
	uri := graph.InvokeARN(g.Region, "arn:aws:lambda:eu-north-1:123456789012:function:seats")
	g.Resources = append(g.Resources,
		graph.Resource{Type: functionType, Name: "seats", Inputs: map[string]any{"code": map[string]any{"path": "seats.zip"}}, Outputs: map[string]any{"name": "seats", "arn": "arn:aws:lambda:eu-north-1:123456789012:function:seats"}},
		graph.Resource{Type: "aws:apigateway/integration:Integration", Inputs: map[string]any{"uri": uri}, Outputs: map[string]any{"uri": uri, "resourceId": "/seats", "httpMethod": "GET"}})
	l := &localStack{settings: settings{root: root, policy: "./policy", scopes: scopes}, api: listener}
	l.policies.Store(&[]example.Policy{})
	err = l.findExamples(t.Context(), reload.Release{"./policy": executable})
	l.stack.replace(&generation{graph: g})
	return l.described().Endpoint(), err
}

func TestExamplesOfAnEndpoint(t *testing.T) {
	const found = `[{"handler":"rows","entrypoint":"rows/decision","allowed":{"scope":"x"},"denied":{},"scopes":["x"]},
		{"handler":"seats","entrypoint":"seats/decision","allowed":{"scope":"read:seats"},"denied":{},"scopes":["read:seats"]}]`
	for name, row := range map[string]struct {
		scopes, printed         string
		policy, allowed, denied string
		problem                 string
	}{
		"those of its handler's policy": {"", found, "policies/seats", "a token with the scope read:seats", "a token without scopes and permissions", ""},
		"if SCOPES grants theirs":       {"other read:seats", found, "policies/seats", "a token with the scope read:seats", "a token without scopes and permissions", ""},
		"if SCOPES does not": {"other", found, "policies/seats", "", "a token without scopes and permissions",
			"policies/seats allows a token with the scope read:seats, which SCOPES does not grant."},
		"none for another handler's policy": {"", `[{"handler":"rows"}]`, "", "", "", ""},
		"none was found":                    {"", `[{"handler":"seats","allowed":null,"denied":null}]`, "policies/seats", "", "", "No caller was found that policies/seats allows."},
		"the policy does not compile": {"", `[{"handler":"seats","error":"seats.rego:3: no"}]`, "policies/seats", "", "",
			"policies/seats does not compile, so no caller is known that it allows:\n\nseats.rego:3: no"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := described(t, row.scopes, row.printed)
			if err != nil {
				t.Fatal(err)
			}
			text := func(v fmt.Stringer) string {
				if reflect.ValueOf(v).IsNil() {
					return ""
				}
				return v.String()
			}
			got := [...]string{e.Policy, text(e.Allowed), text(e.Denied), e.Problem}
			if want := [...]string{row.policy, row.allowed, row.denied, row.problem}; got != want {
				t.Errorf("expected %q, got %q", want, got)
			}
		})
	}
	t.Run("what is no JSON is an error", func(t *testing.T) {
		if _, err := described(t, "", "panic:"); err == nil || !strings.Contains(err.Error(), "read the policies' example callers") {
			t.Errorf("expected an error, got %v", err)
		}
	})
}

// Endpoints of the file of local values are for handlers. An authorizer never gets them.
func TestEndpointsOfServicesAreForHandlers(t *testing.T) {
	resource := func(name string) graph.Resource {
		return graph.Resource{URN: "urn:" + name, Type: functionType, Name: name, Inputs: map[string]any{"code": map[string]any{"path": name}},
			Outputs: map[string]any{"name": name, "arn": "arn:aws:lambda:eu-north-1:123456789012:function:" + name}}
	}
	door, seats := resource("door"), resource("seats")
	g := &graph.Graph{Region: "eu-north-1", Endpoints: map[string]string{"cloudwatch-logs": "http://127.0.0.1:1"}, Bundles: map[string]string{"door": "door", "seats": "seats"},
		Resources: []graph.Resource{door, seats, {Type: authorizerType, Name: "door", Inputs: map[string]any{"authorizerUri": graph.InvokeARN("eu-north-1", door.String("arn"))}}}}
	for want, f := range map[string]graph.Resource{"": door, "http://127.0.0.1:1": seats} {
		fn, err := function(g, f, reload.Release{"./door": "d", "./seats": "s"}, cloud{})
		if err != nil || fn.Environment["AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"] != want {
			t.Errorf("%s: expected %q, got %v, %v", f.Name, want, fn.Environment, err)
		}
	}
}

// No rule names the local issuer, and it is the only one.
func TestExamplesHaveNoFieldThatNoTokenFills(t *testing.T) {
	for name, row := range map[string]struct {
		variables map[string]any
		local     bool
		want      string
	}{
		"the local issuer, of the default provider":         {nil, true, "issuer"},
		"the local issuer, of one without permissions":      {map[string]any{"PROVIDER": "okta"}, true, "issuer permissions"},
		"the local issuer in place of several":              {map[string]any{"PROVIDER": "okta", "OTHER_ISSUERS": "[{}]"}, true, "issuer permissions"},
		"the stack's issuer, of one with permissions":       {map[string]any{"PROVIDER": "entra"}, false, "issuer"},
		"the stack's issuers, of which any may have either": {map[string]any{"PROVIDER": "okta", "OTHER_ISSUERS": "[{}]"}, false, ""},
	} {
		g := &graph.Graph{Resources: []graph.Resource{{Type: functionType, Inputs: map[string]any{"environment": map[string]any{"variables": row.variables}}}}}
		if got := strings.Join(absent(g, row.local), " "); got != row.want {
			t.Errorf("%s: got %q, want %q", name, got, row.want)
		}
	}
}
