package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

const (
	nullMessage  = `{"message":null}`
	implicitDeny = `{"Message":"User is not authorized to access this resource"}`
	explicitDeny = `{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`
	unauthorised = `{"message":"Unauthorized"}`
)

func TestAuthorizer(t *testing.T) {
	allow := policy("Allow", booksARN)
	for _, tt := range []struct {
		name       string
		change     func(*stack)
		authorizer func(context.Context, []byte) (lambda.Result, error) // nil = allows
		header     []string
		status     int
		body       string
		errorType  string
		by         string
		invoked    int
		reason     string // part of it
	}{
		{name: "1.1 the identity header is missing", status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "no Authorization header"},
		{name: "1.1 the identity header is empty", header: []string{"Authorization", ""}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "no Authorization header"},
		{name: "1.2 the expression does not match", header: []string{"Authorization", "Bearer x"}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "the token has no dots"},
		{name: "the token is not signed", header: []string{"Authorization", "Bearer x.y."}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "the third part of the token is empty: it is not signed"},
		{name: "the token has five parts", header: []string{"Authorization", "Bearer v.w.x.y.z"}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "the token has 5 parts between dots"},
		{name: "a character of the token is not of base64url", header: []string{"Authorization", "Bearer a.b!.c"}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: `(character 4 of the token is "!", which base64url does not have)`},
		{name: "a character of the token is not of ASCII", header: []string{"Authorization", "Bearer a.b.cé"}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "(character 6 of the token is one that base64url does not have)"},
		{name: "a part of the token is empty", header: []string{"Authorization", "Bearer a..c"}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "(a part of the token is empty)"},
		{name: "1.2 the scheme is in lower case", header: []string{"Authorization", strings.ToLower(bearer)}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: `not spelled "Bearer"`},
		{name: "1.3 the whole string must match", change: func(s *stack) { s.Set("token", "identityValidationExpression", `\w{5}`) },
			header: []string{"Authorization", "abcdef"}, status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "does not match"},
		{name: "1.3 a string that matches as a whole passes", change: func(s *stack) { s.Set("token", "identityValidationExpression", `\w{5}`) },
			header: []string{"Authorization", "abcde"}, status: 200, invoked: 1, by: "integration books"},
		{name: "two header fields are one value that does not match", header: []string{"Authorization", bearer, "Authorization", bearer},
			status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "gateway", reason: "more than one value"},
		{name: "without an expression any value reaches the authorizer", change: func(s *stack) { s.Set("token", "identityValidationExpression", nil) },
			header: []string{"Authorization", "x"}, status: 200, invoked: 1, by: "integration books"},
		{name: "1.4 the message is exactly Unauthorized", authorizer: fails(`{"errorMessage":"Unauthorized","errorType":"errorString"}`, `{"level":"INFO","reason":"expired"}`, "END"),
			status: 401, body: unauthorised, errorType: "UnauthorizedException", by: "authorizer", invoked: 1, reason: "(reason expired)"},
		{name: "1.5 the message has another case", authorizer: fails(`{"errorMessage":"unauthorized","errorType":"errorString"}`),
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "return the error unwrapped"},
		{name: "1.5 the message has something else in it", authorizer: fails(`{"errorMessage":"verify: Unauthorized","errorType":"wrapError"}`),
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "return the error unwrapped"},
		{name: "1.5 any other function error", authorizer: fails(`{"errorMessage":"RequestId: 1 Error: Runtime exited with error: exit status 1","errorType":"Runtime.ExitError"}`),
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "Runtime.ExitError"},
		{name: "1.5 a failure that is not JSON", authorizer: fails(`Unauthorized`),
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "unknown"},
		{name: "1.6 the output is null", authorizer: says(`null`), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "expected a JSON object"},
		{name: "1.6 the output is empty", authorizer: says(``), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "expected a JSON object"},
		{name: "1.6 the output is no object", authorizer: says(`"Allow"`), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "expected a JSON object"},
		{name: "1.6 there is no policyDocument", authorizer: says(`{"principalId":"u"}`), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "policyDocument is missing"},
		{name: "1.6 the effect is bad", authorizer: says(output(policy("allow", "*"), `{}`)), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "Effect"},
		{name: "1.6 the output of another API type", authorizer: says(`{"isAuthorized":true}`), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "none of principalId"},
		{name: "1.7 the authorizer cannot be invoked", authorizer: func(context.Context, []byte) (lambda.Result, error) { return lambda.Result{}, errors.New("closed") },
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "could not be invoked"},
		{name: "1.7 too many invocations of the authorizer run", authorizer: func(context.Context, []byte) (lambda.Result, error) {
			return lambda.Result{}, fmt.Errorf("%w: three run", lambda.ErrThrottled)
		}, status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "TooManyRequestsException): three run"},
		{name: "1.7 the authorizer takes too long", authorizer: func(context.Context, []byte) (lambda.Result, error) { return lambda.Result{}, context.DeadlineExceeded },
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "took too long"},
		{name: "1.7 the permission is missing", change: func(s *stack) { s.Remove("allow-authorizer") },
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "gateway", reason: "no lambda.Permission lets"},
		{name: "1.7 the permission is for another authorizer", change: func(s *stack) { s.Set("allow-authorizer", "sourceArn", gatewaytest.ExecutionARN+"/authorizers/other1") },
			status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "gateway", reason: "does not match"},
		{name: "1.8 explicit Deny", authorizer: says(output(policy("Deny", booksARN), `{}`)), status: 403, body: explicitDeny, errorType: "AccessDeniedException", by: "authorizer", invoked: 1, reason: "statement 1"},
		{name: "1.9 no matching Allow", authorizer: says(output(policy("Allow", booksARN+"s"), `{}`)), status: 403, body: implicitDeny, errorType: "AccessDeniedException", by: "authorizer", invoked: 1, reason: "no statement"},
		{name: "1.11 a context value is a list", authorizer: says(output(allow, `{"scope":["a"]}`)), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "object or a list"},
		{name: "1.11 a context value is an object", authorizer: says(output(allow, `{"scope":{}}`)), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "object or a list"},
		{name: "1.14 principalId is missing", authorizer: says(`{"policyDocument":` + allow + `}`), status: 500, body: nullMessage, errorType: "AuthorizerConfigurationException", by: "authorizer", invoked: 1, reason: "principalId is missing"},
		{name: "no context is no error", authorizer: says(`{"principalId":"u","policyDocument":` + allow + `}`), status: 200, by: "integration books", invoked: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := gatewaytest.New().Bare(), newFakes()
			if tt.change != nil {
				tt.change(s)
			}
			if tt.authorizer != nil {
				f.authorizer(tt.authorizer)
			}
			srv := serve(t, s, f)
			header := tt.header
			if header == nil && !strings.HasPrefix(tt.name, "1.1 the identity") {
				header = []string{"Authorization", bearer}
			}
			got := srv.get(header...)
			if got.status != tt.status || tt.body != "" && got.body != tt.body {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
			if e := got.header.Get("X-Amzn-Errortype"); e != tt.errorType {
				t.Errorf("x-amzn-ErrorType %q, want %q", e, tt.errorType)
			}
			if n := f.calls("authorizer"); n != tt.invoked {
				t.Errorf("the authorizer was invoked %d times, want %d", n, tt.invoked)
			}
			if n := f.calls("books"); (n > 0) != (tt.status == 200) {
				t.Errorf("the integration was invoked %d times", n)
			}
			if got.exchange.AnsweredBy != tt.by || !strings.Contains(got.exchange.Reason, tt.reason) {
				t.Errorf("answered by %q: %q; want %q: %q", got.exchange.AnsweredBy, got.exchange.Reason, tt.by, tt.reason)
			}
			trace := got.header.Get("X-Amzn-Trace-Id") != ""
			if want := tt.status == 401 || tt.status == 403 || tt.status == 200; trace != want {
				t.Errorf("trace header present: %v, want %v", trace, want)
			}
			if said := fmt.Sprintf("%+v", got.exchange); strings.Contains(said, "c2lnbmF0dXJl") || strings.Contains(said, "auth0|user") || strings.Contains(said, "read:books") {
				t.Errorf("the report shows a token or a claim: %s", said)
			}
		})
	}
}

func TestAuthorizerEventIsExactlyTheDocumentedThree(t *testing.T) { // 1.15
	srv := serve(t, gatewaytest.New(), newFakes())
	srv.get("Authorization", bearer)
	want := `{"type":"TOKEN","methodArn":"` + booksARN + `","authorizationToken":"` + bearer + `"}`
	if got := string(srv.event("authorizer")); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMethodARNIsTheRequestedPath(t *testing.T) {
	s := gatewaytest.New().PermitAll()
	s.Path("item", "res001", "{id}")
	s.Method("get-item", "item", "GET", inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
	s.Proxy("get-item-integration", "item", "GET", "books")
	srv := serve(t, s, newFakes())
	if got := srv.send("GET", "/live/books/42", "", "Authorization", bearer); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if event := string(srv.event("authorizer")); !strings.Contains(event, gatewaytest.ExecutionARN+`/live/GET/books/42"`) {
		t.Errorf("event %s", event)
	}
}

func TestMethodARNIsTooLong(t *testing.T) { // 1.20
	s := gatewaytest.New().PermitAll()
	s.Path("rest", "root000000", "{proxy+}")
	s.Method("get-rest", "rest", "GET", inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
	s.Proxy("get-rest-integration", "rest", "GET", "books")
	srv := serve(t, s, newFakes())
	prefix := len(gatewaytest.ExecutionARN + "/live/GET/")
	if got := srv.send("GET", "/live/"+strings.Repeat("a", maxMethodARN-prefix+1), "", "Authorization", bearer); got.status != 414 || got.body != `{"message":"Request URI too long"}` {
		t.Errorf("one byte too many: got %d %s", got.status, got.body)
	}
	if n := srv.fakes.calls("authorizer"); n != 0 {
		t.Errorf("the authorizer was invoked %d times", n)
	}
	srv.fakes.authorizer(says(allowing("*")))
	if got := srv.send("GET", "/live/"+strings.Repeat("a", maxMethodARN-prefix), "", "Authorization", bearer); got.status != 200 {
		t.Errorf("the longest: got %d %s", got.status, got.body)
	}
}

func TestContextReachesTheIntegrationAsStrings(t *testing.T) { // 1.12, 1.13
	f := newFakes().authorizer(says(output(policy("Allow", "*"), `{"text":"a b","count":123,"flag":true,"nothing":null}`)))
	srv := serve(t, gatewaytest.New(), f)
	got := srv.get("Authorization", bearer)
	if got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	want := `"authorizer":{"count":"123","flag":"true","integrationLatency":0,"principalId":"auth0|user","text":"a b"}`
	if event := string(srv.event("books")); !strings.Contains(event, want) {
		t.Errorf("event %s\nlacks %s", event, want)
	}
	if keys := strings.Join(got.exchange.Authorization.ContextKeys, " "); keys != "count flag text" {
		t.Errorf("context keys %q", keys)
	}
}

func TestCache(t *testing.T) {
	cachedStack := func() *stack {
		s := gatewaytest.New().PermitAll().Set("token", "authorizerResultTtlInSeconds", float64(60))
		s.Path("orders", "root000000", "orders")
		s.Method("get-orders", "orders", "GET", inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
		s.Proxy("get-orders-integration", "orders", "GET", "books")
		return s
	}
	for _, tt := range []struct {
		name       string
		authorizer func(context.Context, []byte) (lambda.Result, error)
		run        func(*testing.T, *served)
		invoked    int
	}{
		{"1.16 the policy is cached until the TTL ends", says(allowing("*")), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			s.clock.advance(60*time.Second - 1)
			if got := s.get("Authorization", bearer); got.status != 200 || !got.exchange.Authorization.CacheHit || got.exchange.Authorization.CacheAge != 60*time.Second-1 {
				t.Errorf("got %d, authorization %+v", got.status, got.exchange.Authorization)
			}
			s.clock.advance(1)
			if got := s.get("Authorization", bearer); got.status != 200 || got.exchange.Authorization.CacheHit {
				t.Errorf("after the TTL: got %d, authorization %+v", got.status, got.exchange.Authorization)
			}
		}, 2},
		{"1.16 the key is the whole header value", says(allowing("*")), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			s.get("Authorization", bearer+"x")
		}, 2},
		{"1.16 a cached policy is evaluated for every method", says(allowing("*")), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			if got := s.send("GET", "/live/orders", "", "Authorization", bearer); got.status != 200 || !got.exchange.Authorization.CacheHit {
				t.Errorf("got %d", got.status)
			}
		}, 1},
		{"1.17 a policy for one method refuses the other", nil, func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			got := s.send("GET", "/live/orders", "", "Authorization", bearer)
			if got.status != 403 || !strings.Contains(got.exchange.Reason, "cached for another one") {
				t.Errorf("got %d: %s", got.status, got.exchange.Reason)
			}
			if got := s.get("Authorization", bearer); got.status != 200 {
				t.Errorf("the first method: got %d", got.status)
			}
		}, 1},
		{"1.18 a Deny is cached", says(output(policy("Deny", "*"), `{}`)), func(t *testing.T, s *served) {
			for range 2 {
				if got := s.get("Authorization", bearer); got.status != 403 {
					t.Errorf("got %d", got.status)
				}
			}
		}, 1},
		{"1.18 Unauthorized is not cached", fails(`{"errorMessage":"Unauthorized"}`), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			s.get("Authorization", bearer)
		}, 2},
		{"1.18 malformed output is not cached", says(`{}`), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			s.get("Authorization", bearer)
		}, 2},
		{"1.19 a cached policy outlives whatever the token says", says(allowing("*")), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			s.fakes.mu.Lock()
			s.fakes.authorizer(fails(`{"errorMessage":"Unauthorized"}`))
			s.fakes.mu.Unlock()
			if got := s.get("Authorization", bearer); got.status != 200 {
				t.Errorf("got %d", got.status)
			}
		}, 1},
		{"a header that is missing is refused whatever is cached", says(allowing("*")), func(t *testing.T, s *served) {
			s.get("Authorization", bearer)
			if got := s.get(); got.status != 401 {
				t.Errorf("got %d", got.status)
			}
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakes()
			if tt.authorizer != nil {
				f.authorizer(tt.authorizer)
			}
			srv := serve(t, cachedStack(), f)
			tt.run(t, srv)
			if n := f.calls("authorizer"); n != tt.invoked {
				t.Errorf("the authorizer was invoked %d times, want %d", n, tt.invoked)
			}
		})
	}
	t.Run("1.16 TTL 0 switches it off", func(t *testing.T) {
		srv := serve(t, gatewaytest.New(), newFakes())
		srv.get("Authorization", bearer)
		srv.get("Authorization", bearer)
		if n := srv.fakes.calls("authorizer"); n != 2 {
			t.Errorf("the authorizer was invoked %d times", n)
		}
	})
}

func TestCacheIsBoundedAndForgetsTheOldest(t *testing.T) {
	now := time.Unix(0, 0)
	c := newCache(2)
	for i, value := range []string{"a", "b", "c"} {
		c.put(keyOf("live", "x", value), &grant{principal: value}, now.Add(time.Duration(i)), time.Minute)
	}
	if len(c.entries) != 2 {
		t.Errorf("%d entries", len(c.entries))
	}
	if _, _, ok := c.get(keyOf("live", "x", "a"), now); ok {
		t.Error("the oldest entry is still there")
	}
	if g, _, ok := c.get(keyOf("live", "x", "c"), now); !ok || g.principal != "c" {
		t.Error("the newest entry is gone")
	}
	if _, _, ok := c.get(keyOf("prod", "x", "c"), now); ok {
		t.Error("another stage shares the entry")
	}
}
