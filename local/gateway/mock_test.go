package gateway

import (
	"strings"
	"testing"

	"account-api/local/gateway/gatewaytest"
)

func TestMockPreflight(t *testing.T) {
	template := func(text string) inputs { return inputs{"application/json": text} }
	const integration, response = "options-books-integration", "options-books-integration-response"
	for _, tt := range []struct {
		name   string
		change func(*stack)
		body   string
		header []string
		status int
		reason string
	}{
		{name: "a preflight needs no token", status: 204},
		{name: "the integration response's status is answered, not the template's", change: func(s *stack) { s.Set(integration, "requestTemplates", template(`{"statusCode": 200}`)) }, status: 204},
		{name: "an unquoted name is accepted", change: func(s *stack) { s.Set(integration, "requestTemplates", template(`{statusCode: 200}`)) }, status: 204},
		{name: "application/json is the default content type", header: []string{"Content-Type", "application/json; charset=utf-8"}, status: 204},
		{name: "an odd content type has no template", header: []string{"Content-Type", "text/plain"}, status: 500, reason: "no request template"},
		{name: "an odd content type passes the body through", header: []string{"Content-Type", "text/plain"}, body: `{"statusCode": 204}`, status: 204},
		{name: "an odd content type is refused with NEVER", change: func(s *stack) { s.Set(integration, "passthroughBehavior", "NEVER") }, header: []string{"Content-Type", "text/plain"}, status: 415, reason: "NEVER"},
		{name: "an odd content type is refused with WHEN_NO_TEMPLATES", change: func(s *stack) { s.Set(integration, "passthroughBehavior", "WHEN_NO_TEMPLATES") }, header: []string{"Content-Type", "text/plain"}, status: 415, reason: "WHEN_NO_TEMPLATES"},
		{name: "a template that yields text", change: func(s *stack) { s.Set(integration, "requestTemplates", template(`{"statusCode": "204"}`)) }, status: 500, reason: "no integer statusCode"},
		{name: "a template with the name in another case", change: func(s *stack) { s.Set(integration, "requestTemplates", template(`{"StatusCode": 204}`)) }, status: 500, reason: "no integer statusCode"},
		{name: "a template that is no object", change: func(s *stack) { s.Set(integration, "requestTemplates", template(`204`)) }, status: 500, reason: "not a JSON object"},
		{name: "a pattern that matches the status as a whole", change: func(s *stack) { s.Set(response, "selectionPattern", `2\d\d`) }, status: 204},
		{name: "a pattern that matches only a part", change: func(s *stack) { s.Set(response, "selectionPattern", `2`) }, status: 500, reason: "no integration response matches"},
		{name: "no integration response at all", change: func(s *stack) { s.Remove(response) }, status: 500, reason: "no integration response matches"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gatewaytest.New().Bare()
			if tt.change != nil {
				tt.change(s)
			}
			srv := serve(t, s, newFakes())
			got := srv.send("OPTIONS", "/live/books", tt.body, tt.header...)
			if got.status != tt.status || !strings.Contains(got.exchange.Reason, tt.reason) {
				t.Errorf("got %d %s (%s), want %d", got.status, got.body, got.exchange.Reason, tt.status)
			}
			if got.exchange.AnsweredBy != "mock" {
				t.Errorf("answered by %q", got.exchange.AnsweredBy)
			}
			if got.status == 204 && (got.body != "" || got.header.Get("Access-Control-Allow-Headers") != "Authorization" || got.header.Get("Access-Control-Allow-Methods") != "GET") {
				t.Errorf("headers %v", got.header)
			}
			if n := srv.fakes.calls("authorizer") + srv.fakes.calls("books"); n != 0 {
				t.Errorf("%d functions were invoked", n)
			}
		})
	}
}

func TestMockSendsOnlyDeclaredHeaders(t *testing.T) {
	s := gatewaytest.New().Set("options-books-response", "responseParameters", inputs{"method.response.header.Access-Control-Allow-Origin": false})
	got := serve(t, s, newFakes()).send("OPTIONS", "/live/books", "")
	if got.header.Get("Access-Control-Allow-Origin") != "*" || got.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("headers %v", got.header)
	}
}

func TestBrowser(t *testing.T) {
	const origin = "https://app.example.com"
	preflight := []string{"Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization"}
	const response = "options-books-integration-response"
	headers := func(origin, methods, headers string) inputs {
		return inputs{"method.response.header.Access-Control-Allow-Origin": origin, "method.response.header.Access-Control-Allow-Methods": methods, "method.response.header.Access-Control-Allow-Headers": headers}
	}
	for _, tt := range []struct {
		name   string
		change func(*stack)
		books  string
		method string
		path   string
		header []string
		want   string // part of it; "" = the page can use the answer
	}{
		{name: "the preflight of the stack passes", method: "OPTIONS", header: preflight},
		{name: "no page asked", method: "GET"},
		{name: "a page of the same origin asked", method: "GET", header: []string{"Origin", "SELF"}},
		{name: "a 401 that carries the origin can be read", method: "GET", header: []string{"Origin", origin}},
		{name: "a 401 that lacks the origin cannot", change: func(s *stack) { s.Bare() }, method: "GET", header: []string{"Origin", origin}, want: "no Access-Control-Allow-Origin"},
		{name: "a specific response that drops the origin cannot", change: func(s *stack) {
			s.Set("unauthorized", "responseParameters", inputs{"gatewayresponse.header.WWW-Authenticate": "'Bearer'"})
		}, method: "GET", header: []string{"Origin", origin}, want: "no Access-Control-Allow-Origin"},
		{name: "an answer of the function without the origin cannot", method: "GET", header: []string{"Origin", origin, "Authorization", bearer}, want: "no Access-Control-Allow-Origin"},
		{name: "an answer of the function with the origin can", books: `{"headers":{"access-control-allow-origin":"` + origin + `"}}`, method: "GET", header: []string{"Origin", origin, "Authorization", bearer}},
		{name: "an answer for another origin cannot", books: `{"headers":{"Access-Control-Allow-Origin":"https://other.example.com"}}`, method: "GET", header: []string{"Origin", origin, "Authorization", bearer}, want: "another origin"},
		{name: "a star with credentials cannot", books: `{"headers":{"Access-Control-Allow-Origin":"*","Access-Control-Allow-Credentials":"true"}}`, method: "GET", header: []string{"Origin", origin, "Authorization", bearer}, want: "Credentials"},
		{name: "the origin twice cannot", books: `{"multiValueHeaders":{"Access-Control-Allow-Origin":["*","` + origin + `"]}}`, method: "GET", header: []string{"Origin", origin, "Authorization", bearer}, want: "more than one"},
		{name: "a star does not cover Authorization", change: func(s *stack) { s.Set(response, "responseParameters", headers("'*'", "'GET'", "'*'")) }, method: "OPTIONS", header: preflight, want: "never covers"},
		{name: "a star covers other headers", change: func(s *stack) { s.Set(response, "responseParameters", headers("'*'", "'GET'", "'*'")) }, method: "OPTIONS",
			header: []string{"Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-tenant"}},
		{name: "a requested header is not named", method: "OPTIONS", header: []string{"Origin", origin, "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization,x-tenant"}, want: "every requested header"},
		{name: "a requested method is not named", method: "OPTIONS", header: []string{"Origin", origin, "Access-Control-Request-Method", "DELETE"}, want: "requested method"},
		{name: "the preflight of an unknown path", method: "OPTIONS", path: "/live/nothing", header: preflight, want: "answered 403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := gatewaytest.New(), newFakes()
			if tt.change != nil {
				tt.change(s)
			}
			if tt.books != "" {
				f.books(says(tt.books))
			}
			srv := serve(t, s, f)
			path := tt.path
			if path == "" {
				path = "/live/books"
			}
			for i := range tt.header {
				if tt.header[i] == "SELF" {
					tt.header[i] = srv.url
				}
			}
			got := srv.send(tt.method, path, "", tt.header...).exchange.Browser
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
