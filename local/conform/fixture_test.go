package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"account-api/local/graph"
)

// The fixture is a shop's API: a PUT beside a GET, a path with a parameter, a second
// authorizer with a header of its own, an open method, and one behind another kind of
// authorization. Its stack has one allowed origin and a domain of its own.
const (
	allowedOrigin = "https://app.shop.test"
	bearerForm    = `^Bearer [-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`
	denial        = `{"message":"Error: Forbidden","info":"ask <sales> & co; scope \"read:orders\" is required"}`
)

var policyFiles = map[string]string{
	"orders/orders.rego": `package orders

import data.shared

default decision := {"allow": false, "reasons": {` + "`scope \"read:orders\" is required`" + `, "ask <sales> & co"}}

decision := {"allow": true, "reasons": set()} if {
	shared.has(input.scope, "read:orders")
	input.method in {"GET", "ANY"}
	input.path[0] == "orders"
}
`,
	"orders/orders_test.rego": "package orders_test\n\nnot even Rego\n",
	"reports/reports.rego": `package reports

import data.shared

default decision := {"allow": false, "reasons": ["see:reports is required"]}

decision := {"allow": true, "reasons": []} if shared.has(input.permissions, "see:reports")
`,
	"shared/shared.rego": `package shared

has(list, one) if one in split(list, " ")
`,
}

// declare is a resource of the fixture.
func declare(kind, id string, inputs map[string]any) graph.Resource {
	return graph.Resource{Type: "aws:" + kind, Name: id, ID: id, Inputs: inputs, Outputs: inputs}
}

// method is a method with its integration: with handler's function, or else MOCK.
func method(resource, verb, authorization, authorizer, handler string) []graph.Resource {
	integration := map[string]any{"resourceId": resource, "httpMethod": verb, "type": "MOCK"}
	if handler != "" {
		integration["type"], integration["uri"] = "AWS_PROXY", graph.InvokeARN("eu-north-1", "arn:of:"+handler)
	}
	return []graph.Resource{
		declare("apigateway/method:Method", resource+verb, map[string]any{"resourceId": resource, "httpMethod": verb, "authorization": authorization, "authorizerId": authorizer}),
		declare("apigateway/integration:Integration", resource+verb, integration),
	}
}

// shop declares the fixture, with further variables of its authorizer's function, or others.
func shop(variables ...map[string]any) *graph.Graph {
	trust := map[string]any{"TOKEN_ISSUER": "https://id.shop.test/", "AUDIENCE": "shop", "JWKS_URI": "https://id.shop.test/keys"}
	for _, more := range variables {
		maps.Copy(trust, more)
	}
	authorizer := graph.InvokeARN("eu-north-1", "arn:of:authorizer")
	g := &graph.Graph{Project: "shop", Stack: "test", Region: "eu-north-1", Bundles: map[string]string{}, Resources: []graph.Resource{
		declare("apigateway/restApi:RestApi", "api", map[string]any{"rootResourceId": "root"}),
		declare("apigateway/stage:Stage", "stage", map[string]any{"stageName": "test"}),
		declare("apigateway/domainName:DomainName", "domain", map[string]any{"domainName": "api.shop.test"}),
		declare("apigateway/basePathMapping:BasePathMapping", "mapping", map[string]any{"basePath": "v1"}),
		declare("apigateway/response:Response", "4XX", map[string]any{"responseType": "DEFAULT_4XX",
			"responseParameters": map[string]any{"gatewayresponse.header.Access-Control-Allow-Origin": "'" + allowedOrigin + "'"}}),
		declare("apigateway/authorizer:Authorizer", "bearer", map[string]any{"type": "TOKEN", "authorizerUri": authorizer,
			"identitySource": "method.request.header.Authorization", "identityValidationExpression": bearerForm}),
		declare("apigateway/authorizer:Authorizer", "other", map[string]any{"authorizerUri": authorizer, "identitySource": "method.request.header.X-Token"}),
		declare("lambda/function:Function", "authorizer", map[string]any{"arn": "arn:of:authorizer", "environment": map[string]any{"variables": trust}}),
	}}
	for _, r := range [][3]string{{"orders", "root", "orders"}, {"order", "orders", "{order}"}, {"lines", "order", "lines"},
		{"reports", "root", "reports"}, {"health", "root", "health"}, {"admin", "root", "admin"}} {
		g.Resources = append(g.Resources, declare("apigateway/resource:Resource", r[0], map[string]any{"parentId": r[1], "pathPart": r[2]}))
	}
	for _, handler := range []string{"orders", "lines", "reports", "health", "admin"} {
		g.Bundles["dist/"+handler+".zip"] = "handlers/" + handler
		g.Resources = append(g.Resources, declare("lambda/function:Function", handler, map[string]any{"arn": "arn:of:" + handler,
			"code": map[string]any{"path": "dist/" + handler + ".zip"}}))
	}
	g.Resources = append(g.Resources, declare("lambda/alias:Alias", "now", map[string]any{"name": "now", "functionName": "arn:of:orders", "functionVersion": graph.Latest}))
	for _, m := range [][]graph.Resource{
		method("orders", "GET", "CUSTOM", "bearer", "orders:now"), method("orders", "PUT", "CUSTOM", "bearer", "orders"), method("orders", "OPTIONS", "NONE", "", ""),
		method("lines", "GET", "CUSTOM", "bearer", "lines"), method("lines", "OPTIONS", "NONE", "", ""),
		method("reports", "GET", "CUSTOM", "other", "reports"),
		method("health", "GET", "NONE", "", "health"), method("admin", "POST", "AWS_IAM", "", "admin"),
	} {
		g.Resources = append(g.Resources, m...)
	}
	return g
}

// checkout writes what conform reads of a checkout, and returns its directory.
func checkout(t *testing.T, g *graph.Graph) string {
	t.Helper()
	root := t.TempDir()
	var b bytes.Buffer
	if err := g.Write(&b); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"graph.json": b.String(), "Pulumi.test.yaml": "", "Pulumi.live.yaml": "config:\n  shop:domain: live.shop.test\n"}
	for name, text := range policyFiles {
		files["policies/"+name] = text
	}
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// The callers: each may see what the other may not.
var reader, clerk = signed(`{"sub":"reader","scope":"openid read:orders"}`), signed(`{"sub":"clerk","scope":"write:orders","permissions":["see:reports","x"]}`)

// shopKey is the key of the shop's provider.
var shopKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func signed(claims string) string {
	return sign(shopKey(), encode(`{"alg":"RS256","typ":"JWT","kid":"shop"}`)+"."+encode(claims))
}

func both() map[string]string {
	return map[string]string{"CONFORM_TOKEN": reader, "CONFORM_TOKEN_WITHOUT_SCOPE": clerk}
}

// reply is an answer that may be changed before it is sent.
type reply struct {
	status int
	header http.Header
	body   string
}

// gateway answers as API Gateway would for the fixture.
type gateway struct {
	t      *testing.T
	base   string // before the declared paths
	mutate func(*http.Request, *reply)
	mu     sync.Mutex
	count  int
}

var routes = []struct {
	path     *regexp.Regexp
	handlers map[string]string // by verb
}{
	{regexp.MustCompile(`^/orders/?$`), map[string]string{"GET": "orders", "PUT": "orders", "OPTIONS": "GET,PUT"}},
	{regexp.MustCompile(`^/orders/[^/]+/lines/?$`), map[string]string{"GET": "lines", "OPTIONS": "GET"}},
	{regexp.MustCompile(`^/reports/?$`), map[string]string{"GET": "reports"}},
	{regexp.MustCompile(`^/health/?$`), map[string]string{"GET": "health"}},
	{regexp.MustCompile(`^/admin/?$`), map[string]string{"POST": "admin"}},
}

func (g *gateway) answer(r *http.Request) *reply {
	a := &reply{status: 200, header: http.Header{}}
	g.mu.Lock()
	g.count++
	a.header.Set(requestID, fmt.Sprintf("00000000-0000-4000-8000-%012d", g.count))
	a.header.Set(extendedID, fmt.Sprintf("N7Sb5Gwp%06d=", g.count))
	g.mu.Unlock()
	a.header.Set(traceID, "Root=1-00000000-000000000000000000000000")
	a.header.Set("Content-Type", "application/json")
	a.header.Set("Access-Control-Allow-Origin", allowedOrigin)
	a.header.Set("Access-Control-Expose-Headers", "WWW-Authenticate,x-amzn-RequestId")
	a.header.Set("Vary", "Origin")
	refuse := func(status int, kind, text string) *reply {
		a.status, a.body = status, `{"message":"`+text+`"}`
		a.header.Set(errorType, kind)
		return a
	}
	path, below := strings.CutPrefix("/"+strings.TrimLeft(r.URL.Path, "/"), g.base+"/")
	if path = strings.TrimLeft(path, "/"); !below {
		return refuse(403, "ForbiddenException", "Forbidden")
	}
	verb := r.Method
	if name := r.Header.Get("X-Http-Method-Override"); slices.Contains(verbs, name) {
		verb = name
	}
	handler := ""
	for _, route := range routes {
		if route.path.MatchString("/" + path) {
			handler = route.handlers[verb]
		}
	}
	sent := r.Header.Get("Authorization")
	switch handler {
	case "":
		return refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
	case "health":
		a.body = `"well"`
		return a
	case "admin":
		g.t.Errorf("expected no call of the method behind IAM")
	case "reports":
		sent = r.Header.Get("X-Token")
	case "GET,PUT", "GET":
		a.status = 204
		a.header.Del(traceID)
		a.header.Del("Content-Type")
		a.header.Set("Access-Control-Allow-Methods", handler)
		a.header.Set("Access-Control-Allow-Headers", "Authorization,Content-Type")
		a.header.Set("Access-Control-Max-Age", "7200")
		return a
	}
	token, form := strings.CutPrefix(sent, "Bearer ")
	if !form || token != reader && token != clerk {
		a.header.Set("WWW-Authenticate", "Bearer")
		return refuse(401, "UnauthorizedException", "Unauthorized")
	}
	if verb == "PUT" {
		g.t.Errorf("expected no PUT with a good token, which could change data")
	}
	a.header.Set("Cache-Control", "no-store")
	switch {
	case handler == "orders" && token == clerk:
		a.status, a.body = 403, denial
	case handler == "reports" && token == reader:
		a.status, a.body = 403, `{"message":"Error: Forbidden","info":"see:reports is required"}`
	case handler == "lines":
		a.status, a.body = 404, `{"message":"no such order"}`
	default:
		a.body = `{"of":"` + handler + `"}`
	}
	return a
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("User-Agent") != userAgent {
		g.t.Errorf("expected the user agent %q, got %q", userAgent, r.Header.Get("User-Agent"))
	}
	a := g.answer(r)
	if g.mutate != nil {
		g.mutate(r, a)
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		io.WriteString(w, a.body)
	}
}

// serve starts the gateway and returns the URL of its stage.
func serve(t *testing.T, mutate func(*http.Request, *reply)) string {
	t.Helper()
	server := httptest.NewServer(&gateway{t: t, base: "/test", mutate: mutate})
	t.Cleanup(server.Close)
	return server.URL + "/test"
}

// result is one run of the command.
type result struct {
	status    int
	out, errs string
}

// invoke runs the command about the fixture.
func invoke(t *testing.T, client *http.Client, environment map[string]string, arguments ...string) result {
	t.Helper()
	root := checkout(t, shop())
	return invokeIn(t, root, client, environment, append([]string{"-graph", filepath.Join(root, "graph.json")}, arguments...)...)
}

func invokeIn(t *testing.T, root string, client *http.Client, environment map[string]string, arguments ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), append([]string{"-root", root}, arguments...), func(name string) string { return environment[name] }, client, &out, &errs)
	for _, token := range append(slices.Collect(maps.Values(environment)), reader, clerk) {
		for _, part := range strings.Split(strings.TrimSpace(token), ".") {
			if text := out.String() + errs.String(); len(part) > minSecret && strings.Contains(text, part) {
				t.Errorf("expected no part of a token in the output, got one:\n%s", strings.ReplaceAll(text, part, "<HERE>"))
			}
		}
	}
	return result{code, out.String(), errs.String()}
}

// differing returns the rows that a run found to differ, as "group: name".
func differing(out string) map[string]bool {
	found := map[string]bool{}
	group := ""
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "  differ   "); ok {
			found[group+": "+name] = true
		} else if line != "" && line[0] != ' ' {
			group = line
		}
	}
	return found
}
