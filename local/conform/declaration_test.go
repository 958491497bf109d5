package main

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"account-api/internal/decision"
	"account-api/local/graph"
	"account-api/local/running"
)

func TestWhatAStackDeclares(t *testing.T) {
	g := shop()
	g.Resources = append(g.Resources, method("admin", "ANY", "CUSTOM", "bearer", "admin")...)
	d, err := readGraph(g)
	if err != nil {
		t.Fatal(err)
	}
	var names, guarded []string
	for _, e := range d.endpoints {
		names = append(names, e.String())
		if e.header != "" {
			guarded = append(guarded, e.header)
		}
	}
	want := []string{"GET /admin", "POST /admin", "PUT /admin", "PATCH /admin", "DELETE /admin", "HEAD /admin", "OPTIONS /admin", "GET /health",
		"GET /orders", "PUT /orders", "OPTIONS /orders", "GET /orders/{order}/lines", "OPTIONS /orders/{order}/lines", "GET /reports"}
	if !slices.Equal(names, want) {
		t.Errorf("expected %q, got %q", want, names)
	}
	if len(guarded) != 10 || guarded[9] != "X-Token" || guarded[0] != "Authorization" {
		t.Errorf("expected ten methods behind authorizers, the last with a header of its own, got %q", guarded)
	}
	if d.origin != allowedOrigin || !slices.Equal(d.bases, []string{"", "/v1"}) || !slices.Equal(d.domains, []string{"api.shop.test"}) {
		t.Errorf("got the origin %q, the domains %q and the bases %q", d.origin, d.domains, d.bases)
	}
}

func TestNothingToAsk(t *testing.T) {
	g := shop()
	g.Resources = slices.DeleteFunc(g.Resources, func(r graph.Resource) bool { return strings.Contains(r.Type, "authorizer") })
	if _, err := readGraph(g); err == nil || !strings.Contains(err.Error(), "declares no method with a TOKEN authorizer") {
		t.Errorf("expected an error without an authorizer, got %v", err)
	}
	if _, err := readGraph(&graph.Graph{}); err == nil {
		t.Error("expected an error without an API")
	}
}

func TestRequiredParametersAreSent(t *testing.T) {
	g := shop()
	for _, r := range g.Resources {
		if r.Name == "ordersGET" {
			r.Inputs["requestParameters"] = map[string]any{"method.request.querystring.page": true, "method.request.header.X-Shop": true,
				"method.request.header.Authorization": true, "method.request.querystring.size": false, "method.request.path.order": true}
		}
	}
	d, err := readGraph(g)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range d.endpoints {
		if e.String() == "GET /orders" && (e.query != "page=conform" || !slices.Equal(e.extra, []string{"X-Shop", "conform"})) {
			t.Errorf("expected one parameter and one header, got %q and %q", e.query, e.extra)
		}
	}
}

// A verb that any declared path answers must never be asked for as one that it lacks.
func TestVerbsThatAPathLacks(t *testing.T) {
	d := declaration{endpoints: []endpoint{
		{verb: "GET", path: ""}, {verb: "GET", path: "/orders"}, {verb: "PUT", path: "/orders"}, {verb: "DELETE", path: "/orders/{order}"},
		{verb: "POST", path: "/files/{rest+}"}, {verb: "GET", path: "/files/readme"},
	}}
	for _, row := range []struct {
		requested, lacking string
	}{
		{"/", "POST PUT PATCH DELETE HEAD OPTIONS"},
		{"/orders", "POST PATCH DELETE HEAD OPTIONS"},
		{"/orders/", "POST PATCH DELETE HEAD OPTIONS"},
		{"/orders/7", "GET POST PUT PATCH HEAD OPTIONS"},
		{"/orders/7/lines", "GET POST PUT PATCH DELETE HEAD OPTIONS"},
		{"/files", "GET POST PUT PATCH DELETE HEAD OPTIONS"},
		{"/files/readme", "PUT PATCH DELETE HEAD OPTIONS"},
		{"/files/a/b", "GET PUT PATCH DELETE HEAD OPTIONS"},
	} {
		t.Run(row.requested, func(t *testing.T) {
			if got := strings.Join(d.lacking(row.requested), " "); got != row.lacking {
				t.Errorf("expected %s, got %s", row.lacking, got)
			}
		})
	}
}

// Where every path and verb is declared, nothing is asked that needs one that is not.
func TestAStackThatDeclaresEverything(t *testing.T) {
	g := shop()
	g.Resources = append(g.Resources, declare("apigateway/resource:Resource", "rest", map[string]any{"parentId": "root", "pathPart": "{rest+}"}))
	g.Resources = append(g.Resources, method("rest", "ANY", "CUSTOM", "bearer", "orders")...)
	d, err := readGraph(g)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(t.Context(), settings{tokens: [2]token{{"TOKEN", reader}, {"TOKEN_WITHOUT_SCOPE", clerk}}}, d, "/orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range p.cases {
		if k.missing == "" && len(k.expect) > 1 && k.group == "routing" && strings.Contains(k.name, "403") {
			t.Errorf("expected no case about what is not declared, got %q", k.name)
		}
	}
}

// A request with a good token could change data, unless its method is safe.
func TestGoodTokensAreSentWithSafeMethodsOnly(t *testing.T) {
	onlyPUT := shop()
	onlyPUT.Resources = slices.DeleteFunc(onlyPUT.Resources, func(r graph.Resource) bool {
		return strings.HasSuffix(r.Type, ":Method") && r.Inputs["authorization"] == "CUSTOM" && r.Inputs["httpMethod"] != "PUT"
	})
	everything := shop()
	everything.Resources = append(everything.Resources, method("admin", "ANY", "CUSTOM", "bearer", "orders")...)
	for name, g := range map[string]*graph.Graph{"only a PUT": onlyPUT, "every method": everything} {
		t.Run(name, func(t *testing.T) {
			d, err := readGraph(g)
			if err != nil {
				t.Fatal(err)
			}
			p, err := newPlan(t.Context(), settings{root: checkout(t, g), tokens: [2]token{{"TOKEN", reader}, {"TOKEN_WITHOUT_SCOPE", clerk}}}, d, "/orders")
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range p.cases {
				for r := &k.send; r != nil && k.missing == ""; r = r.before {
					sent := strings.Join(r.header, " ")
					if good := strings.Contains(sent, reader) || strings.Contains(sent, clerk); good && !(endpoint{verb: r.method}).safe() {
						t.Errorf("%s: %s: a good token was sent with %s", k.group, k.name, r.method)
					}
				}
			}
		})
	}
}

func TestTheStackOfAURL(t *testing.T) {
	root := checkout(t, shop())
	for url, want := range map[string]string{
		"http://127.0.0.1/live/orders": "live", "https://a.execute-api.eu-north-1.amazonaws.com/test": "test", "http://127.0.0.1/orders": "dev",
		"https://live.shop.test": "live", "https://live.shop.test/orders": "live", "https://other.test/orders": "dev", "https://other.test/test/orders": "test",
	} {
		t.Run(url, func(t *testing.T) {
			target, err := parseTarget(url)
			if err != nil {
				t.Fatal(err)
			}
			if got := stackOf(root, target); got != want {
				t.Errorf("expected stack %s, got %s", want, got)
			}
		})
	}
}

func TestPolicyTrouble(t *testing.T) {
	for _, row := range []struct{ name, policy, says string }{
		{"it does not compile", "package orders\n\ndefault decision := nothing", "policies/orders, the policy of GET /orders: "},
		{"it has no decision", "package orders\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\ndecision := count(\"a\")", "policies/orders has no decision about TOKEN: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			saved := policyFiles["orders/orders.rego"]
			defer func() { policyFiles["orders/orders.rego"] = saved }()
			policyFiles["orders/orders.rego"] = row.policy
			if r := invoke(t, newClient(), both(), "-url", serve(t, nil)); r.status != exitNotRun || !strings.Contains(r.errs, row.says) {
				t.Errorf("expected an error that says %q, got exit status %d: %s", row.says, r.status, r.errs)
			}
		})
	}
}

// The policy is asked what it would be asked after the stack's authorizer.
func TestWhatPoliciesDecideAboutAToken(t *testing.T) {
	const old = `[{"issuer":"https://old.shop.test/realms/a","audience":"a","provider":"keycloak","jwksUri":"https://old.shop.test/keys"}]`
	var everything []string
	for _, field := range decision.Fields {
		everything = append(everything, strconv.Quote(field.Name))
	}
	type variables = map[string]any
	for _, row := range []struct {
		name      string
		variables variables
		claims    string
		allow     string // the rule
		allowed   bool
	}{
		{"scopes", nil, `{"sub":"s","scope":"a b"}`, `input.scope == "a b"`, true},
		{"scopes of another type", nil, `{"sub":"s","scope":7}`, `input.scope`, false},
		{"permissions", nil, `{"sub":"s","permissions":["p","q"]}`, `input.permissions == "p q"`, true},
		{"permissions of a provider that has none", variables{"PROVIDER": "keycloak"}, `{"sub":"s","typ":"Bearer","permissions":["p"]}`, `input.permissions`, false},
		{"scopes in a list", variables{"PROVIDER": "okta"}, `{"sub":"s","cid":"c","scp":["a","b"]}`, "input.scope == \"a b\"\n\tinput.azp == \"c\"", true},
		{"permissions as roles", variables{"PROVIDER": "entra"}, `{"sub":"s","ver":"2.0","azp":"c","roles":["p"]}`, `input.permissions == "p"`, true},
		{"a machine without sub", variables{"PROVIDER": "duende"}, `{"client_id":"c"}`, `input.principal == "c"`, true},
		{"a role in a claim that is passed on", variables{"CLAIMS": "org_id realm_access"}, `{"sub":"s","realm_access":{"roles":["member"]}}`,
			`"member" in input.claims.realm_access.roles`, true},
		{"another role", variables{"CLAIMS": "realm_access"}, `{"sub":"s","realm_access":{"roles":["guest"]}}`, `"member" in input.claims.realm_access.roles`, false},
		{"a claim that is not passed on", variables{"CLAIMS": "org_id"}, `{"sub":"s","realm_access":{"roles":["member"]}}`, `"member" in input.claims.realm_access.roles`, false},
		{"the one issuer", nil, `{"sub":"s","iss":"https://id.shop.test/"}`, `input.issuer`, false},
		{"one issuer of several", variables{"OTHER_ISSUERS": old}, `{"sub":"s","iss":"https://id.shop.test/"}`, `input.issuer == "https://id.shop.test/"`, true},
		{"another issuer, by its own profile", variables{"OTHER_ISSUERS": old}, `{"sub":"s","typ":"Bearer","iss":"https://old.shop.test/realms/a","permissions":["p"]}`,
			"input.issuer == \"https://old.shop.test/realms/a\"\n\tnot input.permissions", true},
		{"the issuer on this machine in place of the first", variables{"OTHER_ISSUERS": old}, `{"sub":"s","iss":"http://127.0.0.1:8081/"}`, `input.issuer == "http://127.0.0.1:8081/"`, true},
		{"everything that there is to ask", variables{"OTHER_ISSUERS": old, "CLAIMS": "org_id"},
			`{"sub":"s","iss":"https://id.shop.test/","scope":"a","permissions":["p"],"azp":"c","org_id":7}`,
			"{name | some name, _ in input} == {" + strings.Join(everything, ", ") + "}\n\tinput.parameters.order == input.path[1]\n\tinput.claims == {\"org_id\": 7}", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, err := readGraph(shop(row.variables))
			if err != nil {
				t.Fatal(err)
			}
			e := d.where(func(e endpoint) bool { return e.path == "/orders/{order}/lines" && e.verb == "GET" })[0]
			e.query = "page=1"
			root := t.TempDir()
			running.Write(t, filepath.Join(root, "policies", "lines", "lines.rego"), `package lines

default decision := {"allow": false, "reasons": {"no"}}

decision := {"allow": true, "reasons": set()} if {
	`+row.allow+`
}
`)
			decided, err := predict(t.Context(), root, e, token{value: signed(row.claims)})
			if err != nil || decided == nil || decided.Allow != row.allowed {
				t.Errorf("expected allow to be %t, got %+v, %v", row.allowed, decided, err)
			}
		})
	}
}

// What an authorizer passes on would go unknown.
func TestAnAuthorizerWithoutAFunction(t *testing.T) {
	g := shop()
	for _, r := range g.OfType("aws:apigateway/authorizer:Authorizer") {
		r.Inputs["authorizerUri"] = graph.InvokeARN("eu-north-1", "arn:of:nothing") // its outputs are the same map
	}
	if _, err := readGraph(g); err == nil || !strings.HasPrefix(err.Error(), "authorizer bearer: its authorizerUri ") {
		t.Errorf("expected an error about the authorizer's function, got %v", err)
	}
}

// An authorizer that is not the checkout's says nothing about what it passes on.
func TestAnotherAuthorizer(t *testing.T) {
	r := invoke(t, newClient(), both(), "-url", serve(t, nil))
	g := shop(map[string]any{"TOKEN_ISSUER": ""})
	root := checkout(t, g)
	foreign := invokeIn(t, root, newClient(), both(), "-graph", filepath.Join(root, "graph.json"), "-url", serve(t, nil))
	const decided = "GET /orders with TOKEN is allowed: answered"
	if !strings.Contains(r.out, decided) || strings.Contains(foreign.out, decided) || foreign.status != exitConforms ||
		!strings.Contains(foreign.out, "GET /orders with TOKEN has no policy or authorizer of this checkout: not 401") {
		t.Errorf("expected no decision to be predicted, got exit status %d:\n%s%s", foreign.status, foreign.out, foreign.errs)
	}
}
