package main

import (
	"slices"
	"strings"
	"testing"

	"account-api/local/graph"
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

// Providers name the same claims otherwise.
func TestClaimsOfAToken(t *testing.T) {
	for _, row := range []struct{ name, payload, scope, permissions, party string }{
		{"as texts", `{"sub":"s","scope":"a b","azp":"c"}`, "a b", "", "c"},
		{"as lists, under other names", `{"sub":"s","scp":["a","b"],"roles":["r"],"cid":"c"}`, "a b", "r", "c"},
		{"of other types", `{"sub":"s","scope":7,"permissions":{},"client_id":"c"}`, "", "", "c"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in, err := token{value: signed(row.payload)}.claims().input(endpoint{verb: "GET", path: "/orders/{order}", query: "page=1"})
			if err != nil || in.Method != "GET" || in.Parameters["order"] != example || in.Path[1] != example || in.Query["page"][0] != "1" || in.Time == 0 {
				t.Errorf("got the request %+v, %v", in, err)
			}
			if in.Principal != "s" || in.Scope != row.scope || in.Permissions != row.permissions || in.AuthorizedParty != row.party {
				t.Errorf("got %+v", in)
			}
		})
	}
}
