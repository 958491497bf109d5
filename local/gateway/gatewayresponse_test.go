package gateway

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/gateway/gatewaytest"
)

func TestGatewayResponses(t *testing.T) {
	header := func(pairs ...string) inputs {
		m := inputs{}
		for i := 0; i < len(pairs); i += 2 {
			m["gatewayresponse.header."+pairs[i]] = pairs[i+1]
		}
		return m
	}
	template := func(text string) inputs { return inputs{"application/json": text} }
	for _, tt := range []struct {
		name   string
		change func(*stack)
		path   string // "" = /live/books without a token: UNAUTHORIZED
		send   []string
		status int
		body   string
		header map[string]string // "" = absent
	}{
		{name: "an uncustomised type has the built-in body", status: 401, body: unauthorised},
		{name: "context, request and stage variables are substituted", change: func(s *stack) {
			s.Set("stage", "variables", inputs{"owner": "team"})
			s.Response("401", gatewayresponse.Unauthorized, inputs{"responseTemplates": template(`$context.stage $context.httpMethod $context.resourcePath $context.path $stageVariables.owner $method.request.header.X-Sent $method.request.querystring.q`)})
		}, path: "/live/books?q=1", send: []string{"X-Sent", "v"}, status: 401, body: "live GET /books /live/books team v 1"},
		{name: "a header takes its value from the request", change: func(s *stack) {
			s.Response("401", gatewayresponse.Unauthorized, inputs{"responseParameters": header("Access-Control-Allow-Origin", "method.request.header.Origin", "X-Stage", "context.stage", "X-None", "method.request.header.Absent")})
		}, send: []string{"Origin", "https://app.example.com"}, status: 401, header: map[string]string{"Access-Control-Allow-Origin": "https://app.example.com", "X-Stage": "live", "X-None": ""}},
		{name: "JSON is the default where Accept names nothing declared", change: func(s *stack) {
			s.Response("401", gatewayresponse.Unauthorized, inputs{"responseTemplates": inputs{"application/json": `{}`, "text/plain": `no`}})
		}, send: []string{"Accept", "text/html"}, status: 401, body: "{}", header: map[string]string{"Content-Type": "application/json"}},
		{name: "1.10 a family with only headers leaves the capital Message", change: func(s *stack) {
			s.Response("4xx", gatewayresponse.Default4XX, inputs{"responseParameters": header("X-Family", "'yes'")})
		}, path: "deny", status: 403, body: explicitDeny, header: map[string]string{"X-Family": "yes"}},
		{name: "1.10 a family with a template lower-cases it", change: func(s *stack) {
			s.Response("4xx", gatewayresponse.Default4XX, inputs{"responseTemplates": template(`{"message":$context.error.messageString}`)})
		}, path: "deny", status: 403, body: strings.Replace(explicitDeny, "Message", "message", 1)},
		{name: "a null message renders as null", path: "broken", status: 500, body: nullMessage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := gatewaytest.New().Bare(), newFakes()
			if tt.change != nil {
				tt.change(s)
			}
			path, send := tt.path, tt.send
			switch tt.path {
			case "":
				path = "/live/books"
			case "deny":
				path, send = "/live/books", []string{"Authorization", bearer}
				f.authorizer(says(output(policy("Deny", "*"), `{"why":"because"}`)))
			case "broken":
				path, send = "/live/books", []string{"Authorization", bearer}
				f.authorizer(says(`null`))
			}
			got := serve(t, s, f).send("GET", path, "", send...)
			if got.status != tt.status || tt.body != "" && got.body != tt.body {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
			for name, want := range tt.header {
				if value := got.header.Get(name); value != want {
					t.Errorf("%s: %q, want %q", name, value, want)
				}
			}
		})
	}
}

func TestEveryTypeRendersItsDocumentedDefault(t *testing.T) {
	if len(gatewayresponse.Defaults) != 21 {
		t.Errorf("%d types, expected the 21 documented", len(gatewayresponse.Defaults))
	}
	g, err := New(&gatewaytest.New().Bare().Graph, Options{Functions: newFakes()})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[gatewayresponse.Type]struct {
		status int
		body   string
	}{
		gatewayresponse.APIConfigurationError: {500, `{"message": "Internal server error"}`},
		gatewayresponse.AuthorizerConfigError: {500, nullMessage},
		"AUTHORIZER_FAILURE":                  {500, nullMessage},
		gatewayresponse.BadRequestBody:        {400, `{"message": "Invalid request body"}`},
		gatewayresponse.IntegrationFailure:    {504, `{"message": "Internal server error"}`},
		gatewayresponse.IntegrationTimeout:    {504, `{"message": "Endpoint request timed out"}`},
		"INVALID_API_KEY":                     {403, `{"message":"Forbidden"}`},
		gatewayresponse.MissingAuthentication: {403, `{"message":"Missing Authentication Token"}`},
		"QUOTA_EXCEEDED":                      {429, `{"message":"Limit Exceeded"}`},
		gatewayresponse.RequestTooLarge:       {413, `{"message":"Request Too Long"}`},
		gatewayresponse.Throttled:             {429, `{"message":"Too Many Requests"}`},
		gatewayresponse.Unauthorized:          {401, unauthorised},
		gatewayresponse.AccessDenied:          {403, implicitDeny},
		"WAF_FILTERED":                        {403, `{"message":"Forbidden"}`},
	} {
		t.Run(string(kind), func(t *testing.T) {
			c := &call{gateway: g, exchange: &Exchange{}, request: &http.Request{}, stage: g.api.Stages["live"]}
			if a := c.render(&fault{kind: kind}); a.status != want.status || string(a.body) != want.body {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, want.status, want.body)
			}
		})
	}
}

func TestRequestTooLargeCannotBeCustomised(t *testing.T) {
	s := gatewaytest.New().Set("default-4xx", "statusCode", "400")
	s.Response("413", gatewayresponse.RequestTooLarge, inputs{"statusCode": "400"})
	got := serve(t, s, newFakes()).get("X-Large", strings.Repeat("a", maxHeaders))
	if got.status != 413 || got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("X-Amzn-Errortype") != "RequestTooLargeException" {
		t.Errorf("got %d %v", got.status, got.header)
	}
}

func TestThrottling(t *testing.T) {
	s := gatewaytest.New()
	s.Add(declaration.TypeMethodSettings, "settings", "", inputs{"restApi": gatewaytest.API, "stageName": "live", "methodPath": "*/*",
		"settings": inputs{"throttlingRateLimit": float64(2), "throttlingBurstLimit": float64(1), "loggingLevel": "OFF"}})
	s.Add(declaration.TypeMethodSettings, "preflights", "", inputs{"restApi": gatewaytest.API, "stageName": "live", "methodPath": "books/OPTIONS",
		"settings": inputs{"throttlingRateLimit": float64(-1)}})
	srv := serve(t, s, newFakes())
	if got := srv.get("Authorization", bearer); got.status != 200 {
		t.Fatalf("the first request: got %d", got.status)
	}
	if got := srv.get("Authorization", bearer); got.status != 429 || got.body != `{"message":"Too Many Requests"}` || got.header.Get("X-Amzn-Errortype") != "TooManyRequestsException" {
		t.Errorf("above the burst: got %d %s", got.status, got.body)
	}
	srv.clock.advance(500 * time.Millisecond)
	if got := srv.get("Authorization", bearer); got.status != 200 {
		t.Errorf("after the refill: got %d", got.status)
	}
	for range 3 {
		if got := srv.send("OPTIONS", "/live/books", ""); got.status != 204 {
			t.Errorf("a method without a limit: got %d", got.status)
		}
	}
}

func TestEveryContextVariableSaysSomething(t *testing.T) {
	for _, name := range gatewayresponse.ContextVariables {
		t.Run(name, func(t *testing.T) {
			s := gatewaytest.New().Set("unauthorized", "responseTemplates", inputs{"application/json": "<$context." + name + ">"})
			if got := serve(t, s, newFakes()).get("User-Agent", "agent/1"); got.status != 401 || got.body == "<>" || strings.Contains(got.body, "$") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
}
