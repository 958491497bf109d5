package gateway

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"account-api/local/gateway/field"
	"account-api/local/gateway/gatewaytest"
	"account-api/local/gateway/iampolicy"
	"account-api/local/lambda"
)

// FuzzAuthorizerResponse: whatever an authorizer answers, the integration is
// reached only if a policy that parses on its own allows the method.
func FuzzAuthorizerResponse(f *testing.F) {
	for _, seed := range []string{
		allowing(booksARN), allowing("*"), output(policy("Deny", "*"), `{}`), `null`, `[]`, `{"principalId":1}`, `{"errorMessage":"Unauthorized"}`,
		`{"principalId":"u","policyDocument":{"Statement":[]},"context":{"a":[]}}`,
		`{"principalId":"u","policyDocument":{"Statement":{"Effect":"Allow","NotAction":"x","NotResource":"y"}},"context":{"a":1e400,"b":null}}`,
	} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte(`{"errorMessage":"Unauthorized"}`), true)
	functions := newQuiet()
	g, err := New(&gatewaytest.New().Graph, Options{Functions: functions})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte, failed bool) {
		functions.authorizer = lambda.Result{Payload: payload}
		if failed {
			functions.authorizer.FunctionError = "Unhandled"
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, request(bearer))
		switch w.Code {
		case 401, 403, 500:
		case 200:
			var out struct {
				PolicyDocument json.RawMessage `json:"policyDocument"`
			}
			if failed || json.Unmarshal(payload, &out) != nil {
				t.Fatalf("%q lets the request pass", payload)
			}
			p, err := iampolicy.Parse(out.PolicyDocument)
			if err != nil || p.Evaluate(invokeAction, booksARN).Decision != iampolicy.Allow {
				t.Fatalf("%q lets the request pass without an Allow", payload)
			}
		default:
			t.Fatalf("%q is answered %d", payload, w.Code)
		}
	})
}

// FuzzProxyResponse: whatever a function answers, the client gets a well-formed
// response, and a document that is not an object gets a 502.
func FuzzProxyResponse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `"x"`, `{"statusCode":"200"}`, `{"statusCode":1e2}`, `{"statusCode":204,"body":"x"}`, `{"headers":{"A":true,"b":null}}`,
		`{"multiValueHeaders":{"A":["1",2]},"headers":{"a":"3"}}`, `{"headers":{"Content-Length":"1","content-type":""},"body":"xyz"}`, `{"headers":{"":"x"}}`,
	} {
		f.Add([]byte(seed))
	}
	functions := newQuiet()
	g, err := New(&gatewaytest.New().Graph, Options{Functions: functions})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		functions.books = lambda.Result{Payload: payload}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, request(bearer))
		if w.Code < 200 || w.Code > 599 {
			t.Fatalf("%q is answered %d", payload, w.Code)
		}
		var object map[string]any
		if (json.Unmarshal(payload, &object) != nil || object == nil) && w.Code != 502 {
			t.Fatalf("%q is answered %d", payload, w.Code)
		}
		for name, values := range w.Header() {
			for _, value := range values {
				if !field.ValidName(name) || !field.ValidValue(value) {
					t.Fatalf("%q makes a malformed header %q: %q", payload, name, value)
				}
			}
		}
	})
}

// FuzzRoute: a path and verb reach at most one method, its parameters are bound by
// exactly its template, and a protected one is never reached without a token.
func FuzzRoute(f *testing.F) {
	for _, path := range []string{"/", "//", "/books", "/books/", "/users/me", "/users/%2F/posts", "/users/a/b/c//", "/users//x", "/any/../books"} {
		f.Add("GET", path)
	}
	f.Add("ANY", "/any")
	g, err := New(&routes().Graph, Options{Functions: newQuiet()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, verb, path string) {
		m, ok := route(g.api.Root, verb, path)
		if ok && (m.method.Verb != verb && m.method.Verb != "ANY" || m.method.Path != m.resource.Path) {
			t.Fatalf("%s %s reached %s of %s", verb, path, m.method.Verb, m.method.Path)
		}
		if ok && strings.Count(m.resource.Path, "{") != len(m.parameters) {
			t.Fatalf("%s bound %v for %s", path, m.parameters, m.resource.Path)
		}
		u, err := url.ParseRequestURI("/live" + path)
		if err != nil {
			return
		}
		r := request("")
		r.Method, r.URL, r.RequestURI = verb, u, "/live"+path
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		open, ok := route(g.api.Root, effectiveVerb(r), strings.TrimPrefix(u.EscapedPath(), "/live"))
		if w.Code == 200 && (!ok || open.method.Authorizer != nil) {
			t.Fatalf("%s %q is answered 200 without a token", verb, path)
		}
	})
}

// FuzzStack: whatever value a property is given, the stack is either refused with
// an explanation or served, and GET /books stays closed without a token unless
// the stack says that the method is open.
func FuzzStack(f *testing.F) {
	for _, seed := range []struct{ resource, property, value string }{
		{"get-books", "authorization", `"NONE"`}, {"get-books", "httpMethod", `"ANY"`}, {"token", "identityValidationExpression", `""`},
		{"books-resource", "pathPart", `"{proxy+}"`}, {"books-resource", "parentId", `"res001"`}, {"stage", "stageName", `"live2"`},
		{"options-books-integration", "requestTemplates", `{"application/json":"{statusCode: 299}"}`}, {"unauthorized", "responseTemplates", `{"a/b":"$context.path"}`},
		{"default-4xx", "statusCode", `"200"`}, {"unauthorized", "statusCode", `"204"`}, {"token", "authorizerResultTtlInSeconds", `1e3`}, {"api", "endpointConfiguration", `[null]`},
	} {
		f.Add(seed.resource, seed.property, seed.value)
	}
	f.Fuzz(func(t *testing.T, resource, property, value string) {
		s := gatewaytest.New()
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			return
		}
		for i := range s.Resources {
			if s.Resources[i].Name == resource {
				s.Resources[i].Inputs[property] = v
			}
		}
		functions := newQuiet()
		g, err := New(&s.Graph, Options{Functions: functions})
		if err != nil {
			if g != nil || !strings.Contains(err.Error(), resource) {
				t.Fatalf("%s.%s = %s: %v", resource, property, value, err)
			}
			return
		}
		g.Findings()
		functions.books = lambda.Result{Payload: []byte(`{"statusCode":202}`)}
		w := httptest.NewRecorder()
		if g.ServeHTTP(w, request("")); w.Code == 202 && property != "statusCode" {
			t.Fatalf("%s.%s = %s: the function was reached without a token", resource, property, value)
		}
	})
}
