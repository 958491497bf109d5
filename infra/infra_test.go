package infra_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"account-api/infra"
	"account-api/local/graph"
	"account-api/local/record"
)

// stacks are the stacks that this project has a file for.
func stacks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../Pulumi.*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("expected stack files next to Pulumi.yaml, got %v, %v", files, err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml"))
	}
	return names
}

// declare records what the program declares for a stack, with configuration
// overridden by "key=value" in the project's namespace.
func declare(stack string, config ...string) (*graph.Graph, error) {
	override := map[string]string{}
	for _, assignment := range config {
		key, value, _ := strings.Cut(assignment, "=")
		override["account-api:"+key] = value
	}
	program := infra.Program{Bundle: func(context.Context, string, string) error { return nil }}
	return record.Run(record.Stack{Root: "..", Name: stack, Override: override}, program.Deploy)
}

func mustDeclare(t *testing.T, stack string, config ...string) *graph.Graph {
	t.Helper()
	g, err := declare(stack, config...)
	if err != nil {
		t.Fatal(err)
	}
	return g
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

func TestEveryStack(t *testing.T) {
	for _, name := range stacks(t) {
		t.Run(name, func(t *testing.T) {
			g := mustDeclare(t, name)
			api, err := g.One(restAPI)
			if err != nil {
				t.Fatal(err)
			}

			t.Run("asks a TOKEN authorizer about every method but the preflight", func(t *testing.T) {
				a := find(t, g, authorizer, "authorizer")
				expect(t, "type", a.Inputs["type"], "TOKEN")
				expect(t, "identity source", a.Inputs["identitySource"], "method.request.header.Authorization")
				expect(t, "authorizer URI", a.Inputs["authorizerUri"], find(t, g, function, "authorizer").String("invokeArn"))
				for _, m := range g.OfType(method) {
					if m.Inputs["httpMethod"] == "OPTIONS" {
						expect(t, m.Name, m.Inputs["authorization"], "NONE")
						continue
					}
					expect(t, m.Name, m.Inputs["authorization"], "CUSTOM")
					expect(t, m.Name, m.Inputs["authorizerId"], a.ID)
				}
			})

			t.Run("hands GET /profile to the profile function", func(t *testing.T) {
				i := find(t, g, integration, "GET-profile")
				expect(t, "type", i.Inputs["type"], "AWS_PROXY")
				expect(t, "verb to Lambda", i.Inputs["integrationHttpMethod"], "POST")
				expect(t, "URI", i.Inputs["uri"], find(t, g, function, "profile").String("invokeArn"))
			})

			t.Run("lets API Gateway invoke each function for exactly one purpose", func(t *testing.T) {
				execution := api.String("executionArn")
				a := find(t, g, authorizer, "authorizer")
				expect(t, "authorizer", find(t, g, permission, "authorizer").Inputs, map[string]any{
					"action": "lambda:InvokeFunction", "principal": "apigateway.amazonaws.com",
					"function":  find(t, g, function, "authorizer").String("name"),
					"sourceArn": execution + "/authorizers/" + a.ID,
				})
				expect(t, "profile", find(t, g, permission, "GET-profile").Inputs, map[string]any{
					"action": "lambda:InvokeFunction", "principal": "apigateway.amazonaws.com",
					"function":  find(t, g, function, "profile").String("name"),
					"sourceArn": execution + "/" + name + "/GET/profile",
				})
				protected := 0
				for _, m := range g.OfType(method) {
					if m.Inputs["authorization"] == "CUSTOM" {
						protected++
					}
				}
				if n := len(g.OfType(permission)); n != 1+protected {
					t.Errorf("expected a permission for the authorizer and one for each of %d methods, got %d", protected, n)
				}
			})

			t.Run("runs each function on arm64 with its own log group and role", func(t *testing.T) {
				for _, f := range g.OfType(function) {
					expect(t, f.Name, f.Inputs["runtime"], "provided.al2023")
					expect(t, f.Name, f.Inputs["architectures"], []string{"arm64"})
					expect(t, f.Name, f.Inputs["timeout"], 3)
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
			})

			t.Run("tells the authorizer whom to trust", func(t *testing.T) {
				f := find(t, g, function, "authorizer")
				variables := f.Inputs["environment"].(map[string]any)["variables"].(map[string]any)
				for _, required := range []string{"JWKS_URI", "TOKEN_ISSUER", "AUDIENCE"} {
					if value, _ := variables[required].(string); value == "" {
						t.Errorf("expected %s in the environment, got nothing", required)
					}
				}
			})

			t.Run("publishes everything that takes a deployment", func(t *testing.T) {
				d := find(t, g, deployment, "account")
				for _, kind := range []string{
					"aws:apigateway/resource:Resource", method, integration, authorizer, gatewayResponse,
					"aws:apigateway/methodResponse:MethodResponse", "aws:apigateway/integrationResponse:IntegrationResponse",
				} {
					for _, r := range g.OfType(kind) {
						if !d.DependsOn(r.URN) || !slices.Contains(d.PropertyDependencies["triggers"], r.URN) {
							t.Errorf("expected the deployment to wait for %s and to be triggered by it", r.URN)
						}
					}
				}
				s := find(t, g, stage, "account")
				expect(t, "stage name", s.Inputs["stageName"], name)
				expect(t, "deployment", s.Inputs["deployment"], d.ID)
			})
		})
	}
}

// checkRole proves that a function may write to its own log group, send traces, and
// nothing else.
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
	expect(t, "what it may do", json.RawMessage(p.String("policy")), map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{"Effect": "Allow", "Action": []string{"logs:CreateLogStream", "logs:PutLogEvents"}, "Resource": logs.String("arn") + ":*"},
			map[string]any{"Effect": "Allow", "Action": []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "Resource": "*"},
		},
	})
}

func TestCORS(t *testing.T) {
	for _, origin := range []string{"*", "https://app.example.com"} {
		t.Run(origin, func(t *testing.T) {
			g := mustDeclare(t, "dev", "allowedOrigin="+origin)
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
				declared := find(t, g, "aws:apigateway/methodResponse:MethodResponse", "OPTIONS-profile").Inputs["responseParameters"].(map[string]any)
				mapped := find(t, g, "aws:apigateway/integrationResponse:IntegrationResponse", "OPTIONS-profile").Inputs["responseParameters"].(map[string]any)
				for header := range mapped {
					expect(t, header, declared[header], true)
				}
				expect(t, "origin", mapped["method.response.header.Access-Control-Allow-Origin"], quoted)
				var verbs []string
				path := find(t, g, method, "OPTIONS-profile").Inputs["resourceId"]
				for _, m := range g.OfType(method) {
					if m.Inputs["resourceId"] == path && m.Inputs["httpMethod"] != "OPTIONS" {
						verbs = append(verbs, m.String("httpMethod"))
					}
				}
				expect(t, "methods", mapped["method.response.header.Access-Control-Allow-Methods"], "'"+strings.Join(verbs, ",")+"'")
				_, varies := mapped["method.response.header.Vary"]
				expect(t, "varies by origin", varies, origin != "*")
			})

			t.Run("the profile function answers for the same origin", func(t *testing.T) {
				variables := find(t, g, function, "profile").Inputs["environment"].(map[string]any)["variables"]
				expect(t, "environment", variables, map[string]string{"ALLOWED_ORIGIN": origin})
			})
		})
	}
}

func TestValidationExpression(t *testing.T) {
	expression := regexp.MustCompile(find(t, mustDeclare(t, "dev"), authorizer, "authorizer").String("identityValidationExpression"))
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
		d := find(t, mustDeclare(t, "dev", config...), deployment, "account")
		return d.Inputs["triggers"].(map[string]any)["published"].(string)
	}
	before := trigger()
	if again := trigger(); again != before {
		t.Errorf("expected the same trigger for the same stack, got %s and %s", before, again)
	}
	for setting, redeploys := range map[string]bool{
		"authorizerTtl=300":                     true,
		"allowedOrigin=https://app.example.com": true,
		"logRetentionDays=90":                   false,
		"throttleRate=5":                        false,
		"reservedConcurrency=5":                 false,
		"audience=https://other.example.com":    false,
		"issuer=https://other.eu.auth0.com/":    false,
	} {
		if got := trigger(setting) != before; got != redeploys {
			t.Errorf("%s: expected a new deployment to be %v, got %v", setting, redeploys, got)
		}
	}
}

func TestCachedAnswersCoverTheStage(t *testing.T) {
	for ttl, want := range map[string]any{"0": nil, "300": "api"} {
		f := find(t, mustDeclare(t, "dev", "authorizerTtl="+ttl), function, "authorizer")
		expect(t, "POLICY_SCOPE with a TTL of "+ttl, f.Inputs["environment"].(map[string]any)["variables"].(map[string]any)["POLICY_SCOPE"], want)
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
