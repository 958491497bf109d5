package infra_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"account-api/local/graph"
)

// What holds for every program of this kind: the stacks of this project, whatever their
// endpoints and settings, and the fixture's.
func TestEveryStack(t *testing.T) {
	graphs := shipped(t)
	graphs["the fixture's"] = mustDeclare(t, "test")
	for name, g := range graphs {
		t.Run(name, func(t *testing.T) {
			t.Run("asks a TOKEN authorizer about every method but the preflight", func(t *testing.T) { checkAuthorizer(t, g) })
			t.Run("hands every other method to a function that it may invoke", func(t *testing.T) { checkMethods(t, g) })
			t.Run("runs each function on arm64 with its own log group and role", func(t *testing.T) { checkFunctions(t, g) })
			t.Run("publishes everything that takes a deployment", func(t *testing.T) { checkDeployment(t, g) })
		})
	}
}

func checkAuthorizer(t *testing.T, g *graph.Graph) {
	a, f := find(t, g, authorizer, "authorizer"), find(t, g, function, "authorizer")
	expect(t, "type", a.Inputs["type"], "TOKEN")
	expect(t, "identity source", a.Inputs["identitySource"], "method.request.header.Authorization")
	expect(t, "authorizer URI", a.Inputs["authorizerUri"], find(t, g, alias, "authorizer").String("invokeArn"))
	for _, m := range g.OfType(method) {
		if m.Inputs["httpMethod"] == "OPTIONS" {
			expect(t, m.Name, m.Inputs["authorization"], "NONE")
			continue
		}
		expect(t, m.Name, m.Inputs["authorization"], "CUSTOM")
		expect(t, m.Name, m.Inputs["authorizerId"], a.ID)
	}
	for _, required := range []string{"JWKS_URI", "TOKEN_ISSUER", "AUDIENCE"} {
		if value, _ := variables(t, g, "authorizer")[required].(string); value == "" {
			t.Errorf("expected %s in the environment, got nothing", required)
		}
	}
	api := find(t, g, restAPI, "account")
	expect(t, "permission", find(t, g, permission, "authorizer").Inputs, map[string]any{
		"action": "lambda:InvokeFunction", "principal": "apigateway.amazonaws.com", "function": f.String("name"), "qualifier": "live",
		"sourceArn": api.String("executionArn") + "/authorizers/" + a.ID,
	})
}

func checkMethods(t *testing.T, g *graph.Graph) {
	invoked := map[string]string{} // function name by the alias's invoke ARN
	for _, a := range g.OfType(alias) {
		f := find(t, g, function, a.Name)
		expect(t, a.Name+", alias", a.Inputs["name"], "live")
		expect(t, a.Name+", version", a.Inputs["functionVersion"], f.String("version"))
		expect(t, a.Name+", published", f.Inputs["publish"], true)
		invoked[a.String("invokeArn")] = f.String("name")
	}
	protected := 0
	for _, m := range g.OfType(method) {
		if m.Inputs["authorization"] != "CUSTOM" {
			continue
		}
		protected++
		i, p := find(t, g, integration, m.Name), find(t, g, permission, m.Name)
		expect(t, m.Name+", type", i.Inputs["type"], "AWS_PROXY")
		expect(t, m.Name+", verb to Lambda", i.Inputs["integrationHttpMethod"], "POST")
		expect(t, m.Name+", function that may be invoked", p.Inputs["function"], invoked[i.String("uri")])
		expect(t, m.Name+", alias that may be invoked", p.Inputs["qualifier"], "live")
		if s := find(t, g, stage, "account"); !s.DependsOn(p.URN) {
			t.Errorf("%s: expected the stage to wait for the permission", m.Name)
		}
		prefix := find(t, g, restAPI, "account").String("executionArn") + "/" + g.Stack + "/" + m.String("httpMethod") + "/"
		if source := p.String("sourceArn"); !strings.HasPrefix(source, prefix) {
			t.Errorf("%s: expected a source below %s, got %s", m.Name, prefix, source)
		}
	}
	if n := len(g.OfType(permission)); protected == 0 || n != 1+protected {
		t.Errorf("expected a permission for the authorizer and one for each of %d methods, got %d", protected, n)
	}
}

func checkFunctions(t *testing.T, g *graph.Graph) {
	for _, f := range g.OfType(function) {
		expect(t, f.Name, f.Inputs["runtime"], "provided.al2023")
		expect(t, f.Name, f.Inputs["architectures"], []string{"arm64"})
		// Lambda gives less than one processor below 1,769 MB.
		one := map[bool]any{true: "1"}[f.Inputs["memorySize"].(float64) < 1769]
		expect(t, f.Name, variables(t, g, f.Name)["GOMAXPROCS"], one)
		logging := f.Inputs["loggingConfig"].(map[string]any)
		expect(t, f.Name+", log levels", []any{logging["applicationLogLevel"], logging["systemLogLevel"]}, []string{"INFO", "INFO"})
		expect(t, f.Name, f.Inputs["code"], map[string]string{"path": "dist/" + f.Name + ".zip"})
		logs := find(t, g, logGroup, f.Name)
		expect(t, f.Name, logs.Inputs["name"], "/aws/lambda/"+f.String("name"))
		if logs.Inputs["retentionInDays"] == nil {
			t.Errorf("%s: expected a retention, got none", logs.Name)
		}
		if !f.DependsOn(logs.URN) {
			t.Errorf("%s: expected the function to wait for its log group", f.Name)
		}
		checkRole(t, g, f, logs)
	}
}

func checkDeployment(t *testing.T, g *graph.Graph) {
	d := find(t, g, deployment, "account")
	for _, kind := range []string{
		restAPI, "aws:apigateway/resource:Resource", method, integration, authorizer, gatewayResponse,
		"aws:apigateway/methodResponse:MethodResponse", "aws:apigateway/integrationResponse:IntegrationResponse",
	} {
		if len(g.OfType(kind)) == 0 {
			t.Errorf("expected a resource of type %s, got none", kind)
		}
		for _, r := range g.OfType(kind) {
			if !d.DependsOn(r.URN) || !slices.Contains(d.PropertyDependencies["triggers"], r.URN) {
				t.Errorf("expected the deployment to wait for %s and to be triggered by it", r.URN)
			}
		}
	}
	s := find(t, g, stage, "account")
	expect(t, "stage name", s.Inputs["stageName"], g.Stack)
	expect(t, "deployment", s.Inputs["deployment"], d.ID)
}

func TestEndpoints(t *testing.T) {
	g := mustDeclare(t, "test")
	t.Run("endpoints that name one handler share its function", func(t *testing.T) {
		if n := len(g.OfType(function)); n != 3 {
			t.Errorf("expected the authorizer and two functions, got %d", n)
		}
		for name, want := range map[string]string{"GET-items": "items", "PUT-items": "items", "GET-owners-owner-items": "owners"} {
			expect(t, name, find(t, g, integration, name).Inputs["uri"], find(t, g, alias, want).String("invokeArn"))
		}
	})
	t.Run("a function has the memory, the timeout, the variables and the rights of its endpoint", func(t *testing.T) {
		items, owners := find(t, g, function, "items"), find(t, g, function, "owners")
		expect(t, "memory", []any{items.Inputs["memorySize"], owners.Inputs["memorySize"]}, []int{1769, 128})
		expect(t, "timeout", []any{items.Inputs["timeout"], owners.Inputs["timeout"]}, []int{9, 3})
		journal := find(t, g, logGroup, "journal")
		expect(t, "variable", variables(t, g, "owners")["JOURNAL"], journal.String("name"))
		var allowed struct{ Statement []any }
		if err := json.Unmarshal([]byte(find(t, g, policy, "owners").String("policy")), &allowed); err != nil {
			t.Fatal(err)
		}
		expect(t, "what it may do further", allowed.Statement[2:], []any{map[string]any{
			"Effect": "Allow", "Action": []string{"logs:PutLogEvents"}, "Resource": []string{journal.String("arn") + ":*"},
			"Condition": map[string]any{"StringEquals": map[string]string{"aws:ResourceTag/stack": "test"}},
		}})
	})
	t.Run("a path parameter stands for any value in the permission", func(t *testing.T) {
		source := find(t, g, permission, "GET-owners-owner-items").String("sourceArn")
		if !strings.HasSuffix(source, "/test/GET/owners/*/items") {
			t.Errorf("expected the stage, the method and the path, got %s", source)
		}
	})
	t.Run("a nested path is declared below its parents", func(t *testing.T) {
		const resource = "aws:apigateway/resource:Resource"
		leaf, parent := find(t, g, resource, "owners-owner-items"), find(t, g, resource, "owners-owner")
		expect(t, "parent", leaf.Inputs["parentId"], parent.ID)
		expect(t, "part", parent.Inputs["pathPart"], "{owner}")
	})
	t.Run("the authorizer is told whom to trust", func(t *testing.T) {
		expect(t, "environment", variables(t, g, "authorizer"), map[string]string{
			"TOKEN_ISSUER": "https://id.example.net/", "AUDIENCE": "https://sample.example.net",
			"JWKS_URI": "https://id.example.net/.well-known/jwks.json", "GOMAXPROCS": "1",
		})
	})
}

// checkRole proves that a function may write to its own log group, send traces, and
// nothing else but what its endpoint needs, which the guard rails check.
func checkRole(t *testing.T, g *graph.Graph, f, logs graph.Resource) {
	t.Helper()
	r, p, a := find(t, g, role, f.Name), find(t, g, policy, f.Name), find(t, g, attachment, f.Name)
	expect(t, "role of "+f.Name, f.Inputs["role"], r.String("arn"))
	expect(t, "attached role", a.Inputs["role"], r.String("name"))
	expect(t, "attached policy", a.Inputs["policyArn"], p.String("arn"))
	expect(t, "who may assume it", json.RawMessage(r.String("assumeRolePolicy")), map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]string{"Service": "lambda.amazonaws.com"},
		}},
	})
	var allowed struct{ Statement []any }
	if err := json.Unmarshal([]byte(p.String("policy")), &allowed); err != nil {
		t.Fatal(err)
	}
	expect(t, "what it may do", allowed.Statement[:2], []any{
		map[string]any{"Effect": "Allow", "Action": []string{"logs:CreateLogStream", "logs:PutLogEvents"}, "Resource": logs.String("arn") + ":*"},
		map[string]any{"Effect": "Allow", "Action": []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "Resource": "*"},
	})
}

func TestCORS(t *testing.T) {
	for _, origin := range []string{"*", "https://app.example.com"} {
		t.Run(origin, func(t *testing.T) {
			g := mustDeclare(t, "test", "allowedOrigin="+origin)
			quoted := "'" + origin + "'"

			t.Run("every gateway response carries the CORS headers, because none inherits them", func(t *testing.T) {
				for _, kind := range []string{"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED"} {
					r := find(t, g, gatewayResponse, kind)
					parameters := r.Inputs["responseParameters"].(map[string]any)
					expect(t, kind, parameters["gatewayresponse.header.Access-Control-Allow-Origin"], quoted)
					expect(t, kind, parameters["gatewayresponse.header.Access-Control-Allow-Headers"], "'Authorization,Content-Type'")
					expect(t, kind, r.Inputs["responseTemplates"], map[string]string{
						"application/json": `{"message":$context.error.messageString}`,
					})
				}
				challenge := find(t, g, gatewayResponse, "UNAUTHORIZED").Inputs["responseParameters"].(map[string]any)
				expect(t, "challenge", challenge["gatewayresponse.header.WWW-Authenticate"], "'Bearer'")
			})

			t.Run("the preflight declares what it maps", func(t *testing.T) {
				declared := find(t, g, "aws:apigateway/methodResponse:MethodResponse", "OPTIONS-items").Inputs["responseParameters"].(map[string]any)
				mapped := find(t, g, "aws:apigateway/integrationResponse:IntegrationResponse", "OPTIONS-items").Inputs["responseParameters"].(map[string]any)
				for header := range mapped {
					expect(t, header, declared[header], true)
				}
				expect(t, "origin", mapped["method.response.header.Access-Control-Allow-Origin"], quoted)
				expect(t, "methods", mapped["method.response.header.Access-Control-Allow-Methods"], "'GET,PUT'")
				_, varies := mapped["method.response.header.Vary"]
				expect(t, "varies by origin", varies, origin != "*")
			})

			t.Run("the functions answer for the same origin", func(t *testing.T) {
				for _, name := range []string{"items", "owners"} {
					expect(t, name, variables(t, g, name)["ALLOWED_ORIGIN"], origin)
				}
			})
		})
	}
}

func TestValidationExpression(t *testing.T) {
	expression := regexp.MustCompile(find(t, mustDeclare(t, "test"), authorizer, "authorizer").String("identityValidationExpression"))
	for value, matches := range map[string]bool{
		"Bearer eyJ-_09.eyJ-_09.sig-_AZaz": true,
		"bearer a.b.c":                     false,
		"Bearer a.b":                       false,
		"Bearer a.b.c.d":                   false,
		"Bearer a..c":                      false,
		"Bearer  a.b.c":                    false,
		"Bearer a.b.c ":                    false,
		"Bearer a.b.c\n":                   false,
		"Bearer a.b.c=":                    false,
		"Bearer a.b.c, Bearer a.b.c":       false,
		"Bearer [.b.c":                     false,
		"Bearer ":                          false,
		"":                                 false,
	} {
		if got := expression.MatchString(value); got != matches {
			t.Errorf("%q: expected a match to be %v, got %v", value, matches, got)
		}
	}
}

func TestDeploymentTrigger(t *testing.T) {
	trigger := func(config ...string) string {
		d := find(t, mustDeclare(t, "test", config...), deployment, "account")
		return d.Inputs["triggers"].(map[string]any)["published"].(string)
	}
	before := trigger()
	if again := trigger(); again != before {
		t.Errorf("expected the same trigger for the same stack, got %s and %s", before, again)
	}
	for setting, redeploys := range map[string]bool{
		"authorizerTtl=300":                       true,
		"allowedOrigin=https://other.example.net": true,
		"logRetentionDays=90":                     false,
		"throttleRate=5":                          false,
		"reservedConcurrency=5":                   false,
		"audience=https://other.example.com":      false,
		"issuer=https://other.eu.auth0.com/":      false,
	} {
		if got := trigger(setting) != before; got != redeploys {
			t.Errorf("%s: expected a new deployment to be %v, got %v", setting, redeploys, got)
		}
	}
}

func TestCachedAnswersCoverTheStage(t *testing.T) {
	for ttl, want := range map[string]any{"0": nil, "300": "api"} {
		g := mustDeclare(t, "test", "authorizerTtl="+ttl)
		expect(t, "POLICY_SCOPE with a TTL of "+ttl, variables(t, g, "authorizer")["POLICY_SCOPE"], want)
	}
}

// A program that asked whether it is being recorded could declare one thing on a
// laptop and another in the cloud.
func TestNoBranchOnBeingRecorded(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../main.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if name := "RunningWith" + "Mocks"; strings.Contains(string(source), name) {
			t.Errorf("%s: expected no use of %s", file, name)
		}
	}
}
