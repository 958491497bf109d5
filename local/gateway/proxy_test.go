package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

func TestProxyEvent(t *testing.T) {
	s := gatewaytest.New().PermitAll().Set("stage", "variables", inputs{"owner": "team"})
	s.Path("item", "res001", "{id}")
	s.Open("item", "POST")
	s.Set("POST-item", "operationName", "CreateItem")
	srv := serve(t, s, newFakes())
	got := srv.send("POST", "/live/books/a%20b/?q=1&q=2&e=%C3%AB&bad=%zz&empty", `{"a":1}`,
		"X-Multi", "one", "X-Multi", "two", "User-Agent", "agent/1", "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "gopher",
		"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "Te", "trailers", "Content-Md5", "x", "Max-Forwards", "3",
		"Authorization", "AWS4-HMAC-SHA256 Credential=x")
	if got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	raw := srv.event("books")
	order := []string{`{"resource":`, `"path":`, `"httpMethod":`, `"headers":`, `"multiValueHeaders":`, `"queryStringParameters":`,
		`"multiValueQueryStringParameters":`, `"pathParameters":`, `"stageVariables":`, `"requestContext":`, `"body":`, `"isBase64Encoded":false}`}
	at := 0
	for _, member := range order {
		i := strings.Index(string(raw[at:]), member)
		if i < 0 {
			t.Fatalf("%s is missing or out of order in %s", member, raw)
		}
		at += i
	}
	var event map[string]any
	if err := json.Unmarshal(raw, &event); err != nil {
		t.Fatal(err)
	}
	context := event["requestContext"].(map[string]any)
	host := strings.TrimPrefix(srv.url, "http://")
	port := host[strings.LastIndexByte(host, ':')+1:]
	for _, tt := range []struct {
		name      string
		got, want any
	}{
		{"resource is the template", event["resource"], "/books/{id}"},
		{"path has no stage and keeps its slash", event["path"], "/books/a%20b/"},
		{"single values keep the last", event["queryStringParameters"], map[string]any{"q": "2", "e": "ë", "bad": "%zz", "empty": ""}},
		{"multi values keep all", event["multiValueQueryStringParameters"].(map[string]any)["q"], []any{"1", "2"}},
		{"path parameters are not decoded", event["pathParameters"], map[string]any{"id": "a%20b"}},
		{"stage variables", event["stageVariables"], map[string]any{"owner": "team"}},
		{"body", event["body"], `{"a":1}`},
		{"context.path has the stage", context["path"], "/live/books/a%20b/"},
		{"context.resourcePath", context["resourcePath"], "/books/{id}"},
		{"context.operationName", context["operationName"], "CreateItem"},
		{"context.requestTime", context["requestTime"], "17/Jun/2026:14:52:41 +0000"},
		{"context.requestTimeEpoch", context["requestTimeEpoch"], float64(1781707961000)},
		{"context.accountId", context["accountId"], gatewaytest.Account},
		{"context.apiId", context["apiId"], gatewaytest.API},
		{"context.deploymentId", context["deploymentId"], "dep001"},
		{"context.domainName", context["domainName"], "abcdefghij.execute-api.eu-west-2.amazonaws.com"},
		{"context.domainPrefix", context["domainPrefix"], gatewaytest.API},
		{"context.stage", context["stage"], "live"},
		{"context.protocol", context["protocol"], "HTTP/1.1"},
		{"context.httpMethod", context["httpMethod"], "POST"},
		{"context.requestId is the answer's", context["requestId"], got.header.Get("X-Amzn-Requestid")},
		{"context.extendedRequestId is the answer's", context["extendedRequestId"], got.header.Get("X-Amz-Apigw-Id")},
		{"an open method has no authorizer", context["authorizer"], nil},
		{"identity comes from the connection", context["identity"], map[string]any{"cognitoIdentityPoolId": nil, "accountId": nil, "cognitoIdentityId": nil,
			"caller": nil, "sourceIp": "127.0.0.1", "principalOrgId": nil, "accessKey": nil, "cognitoAuthenticationType": nil,
			"cognitoAuthenticationProvider": nil, "userArn": nil, "userAgent": "agent/1", "user": nil}},
		{"headers, without those that the gateway drops", event["headers"], map[string]any{"Host": host, "User-Agent": "agent/1", "X-Multi": "two",
			"X-Forwarded-For": "203.0.113.7, 127.0.0.1", "X-Forwarded-Port": port, "X-Forwarded-Proto": "http",
			"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793"}},
		{"multi-value headers keep all", event["multiValueHeaders"].(map[string]any)["X-Multi"], []any{"one", "two"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !reflect.DeepEqual(tt.got, tt.want) {
				t.Errorf("got  %v\nwant %v", tt.got, tt.want)
			}
		})
	}
}

func TestProxyEventSaysNullForNothing(t *testing.T) {
	srv := serve(t, gatewaytest.New(), newFakes())
	srv.get("Authorization", bearer)
	event := string(srv.event("books"))
	for _, want := range []string{`"queryStringParameters":null`, `"multiValueQueryStringParameters":null`, `"pathParameters":null`,
		`"stageVariables":null`, `"body":null`, `"isBase64Encoded":false`} {
		if !strings.Contains(event, want) {
			t.Errorf("%s is not in %s", want, event)
		}
	}
	if strings.Contains(event, "operationName") {
		t.Error("operationName is there though none is declared")
	}
}

func TestProxyEventBodyIsText(t *testing.T) {
	srv := serve(t, routes(), newFakes())
	sent := srv.send("POST", "/live/any", "a\xff\xfe\xe2\x82b\ufffd")
	var event struct{ Body string }
	if err := json.Unmarshal(srv.event("books"), &event); err != nil || event.Body != "a\uFFFD\uFFFD\uFFFD\uFFFDb\uFFFD" {
		t.Errorf("got body %q (%v)", event.Body, err)
	}
	if !slices.ContainsFunc(sent.exchange.Steps, func(s Step) bool { return s.Hop == Differs && strings.Contains(s.Detail, "not UTF-8") }) {
		t.Errorf("expected a step that says so, got %v", sent.exchange.Steps)
	}
}

func TestProxyResponse(t *testing.T) {
	for _, tt := range []struct {
		name, payload string
		status        int
		body          string
		header        map[string][]string
	}{
		{name: "an empty object is an empty 200", payload: `{}`, status: 200, header: map[string][]string{"Content-Type": {"application/json"}}},
		{name: "headers may be null", payload: `{"headers":null,"multiValueHeaders":null,"body":null,"statusCode":null,"isBase64Encoded":null}`, status: 200},
		{name: "a status that is a fraction", payload: `{"statusCode":200.5}`, status: 502},
		{name: "a status that HTTP does not know", payload: `{"statusCode":999}`, status: 502},
		{name: "an informational status", payload: `{"statusCode":100}`, status: 502},
		{name: "a status that is a list", payload: `{"statusCode":[200]}`, status: 502},
		{name: "a key in another case", payload: `{"statuscode":200}`, status: 502},
		{name: "a key that is repeated", payload: `{"statusCode":200,"statusCode":201}`, status: 502},
		{name: "nothing", payload: ``, status: 502},
		{name: "something behind the object", payload: `{} {}`, status: 502},
		{name: "a body that is a number", payload: `{"body":12}`, status: 200, body: "12"},
		{name: "a header that is a list", payload: `{"headers":{"X-Flag":["a"]}}`, status: 502},
		{name: "headers that are a list", payload: `{"headers":[]}`, status: 502},
		{name: "a multi-value header", payload: `{"multiValueHeaders":{"Set-Cookie":["a=1","b=2"]}}`, status: 200, header: map[string][]string{"Set-Cookie": {"a=1", "b=2"}}},
		{name: "the same name in both is merged", payload: `{"headers":{"x-a":"solo"},"multiValueHeaders":{"X-A":["multi"]}}`, status: 200, header: map[string][]string{"X-A": {"multi", "solo"}}},
		{name: "the same value in both is there once", payload: `{"headers":{"X-A":"v"},"multiValueHeaders":{"X-A":["v"]}}`, status: 200, header: map[string][]string{"X-A": {"v"}}},
		{name: "a content type of its own", payload: `{"headers":{"content-type":"text/plain"},"body":"x"}`, status: 200, body: "x", header: map[string][]string{"Content-Type": {"text/plain"}}},
		{name: "Date, Server and Content-Length are renamed", payload: `{"headers":{"date":"x","Server":"y","Content-Length":"9"},"body":"abc"}`, status: 200, body: "abc",
			header: map[string][]string{"Date": {"Wed, 17 Jun 2026 14:52:41 GMT"}, "X-Amzn-Remapped-Date": {"x"}, "Server": nil, "X-Amzn-Remapped-Server": {"y"}, "X-Amzn-Remapped-Content-Length": {"9"}, "Content-Length": {"3"}}},
		{name: "a header that would end its line", payload: `{"headers":{"X-A":"a\r\nX-B: b"}}`, status: 502},
		{name: "a header name that HTTP does not allow", payload: `{"headers":{"X A":"a"}}`, status: 502},
		{name: "a status without content", payload: `{"statusCode":204,"body":"x"}`, status: 204},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv := serve(t, gatewaytest.New().Bare(), newFakes().books(says(tt.payload)))
			got := srv.get("Authorization", bearer)
			body, errorType := tt.body, ""
			if tt.status == 502 {
				body, errorType = `{"message": "Internal server error"}`, "InternalServerErrorException"
			}
			if got.status != tt.status || got.body != body || got.header.Get("X-Amzn-Errortype") != errorType {
				t.Errorf("got %d %s %q, want %d %s", got.status, got.body, got.header.Get("X-Amzn-Errortype"), tt.status, body)
			}
			for name, want := range tt.header {
				if values := got.header[name]; !reflect.DeepEqual(values, want) {
					t.Errorf("%s: %q, want %q", name, values, want)
				}
			}
			if got.exchange.AnsweredBy != "integration books" {
				t.Errorf("answered by %q", got.exchange.AnsweredBy)
			}
		})
	}
}

func TestIntegrationFailures(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*stack)
		books  func(context.Context, []byte) (lambda.Result, error)
		status int
		body   string
		reason string
	}{
		{"the function fails", nil, fails(`{"errorMessage":"boom","errorType":"errorString"}`), 502, `{"message": "Internal server error"}`, "errorString"},
		{"the function runs into its own timeout", nil, fails(`{"errorMessage":"RequestId: 1 Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}`), 502, `{"message": "Internal server error"}`, "Sandbox.Timedout"},
		{"the integration times out", func(s *stack) { s.Set("get-books-integration", "timeoutMilliseconds", float64(50)) },
			func(ctx context.Context, _ []byte) (lambda.Result, error) {
				<-ctx.Done()
				return lambda.Result{}, errors.New("interrupted")
			}, 504, `{"message": "Endpoint request timed out"}`, "within 50ms"},
		{"the function cannot be invoked", nil, func(context.Context, []byte) (lambda.Result, error) { return lambda.Result{}, errors.New("closed") }, 500, `{"message": "Internal server error"}`, "could not be invoked"},
		{"too many of its invocations run", nil, func(context.Context, []byte) (lambda.Result, error) {
			return lambda.Result{}, fmt.Errorf("%w: three run", lambda.ErrThrottled)
		}, 500, `{"message": "Internal server error"}`, "TooManyRequestsException): three run"},
		{"the permission is missing", func(s *stack) { s.Remove("allow-books") }, nil, 500, `{"message": "Internal server error"}`, "no lambda.Permission lets"},
		{"the permission is for another method", func(s *stack) { s.Set("allow-books", "sourceArn", gatewaytest.ExecutionARN+"/*/POST/books") }, nil, 500, `{"message": "Internal server error"}`, "does not match"},
		{"the permission is for another stage", func(s *stack) { s.Set("allow-books", "sourceArn", gatewaytest.ExecutionARN+"/prod/GET/books") }, nil, 500, `{"message": "Internal server error"}`, "does not match"},
		{"the permission is for another principal", func(s *stack) { s.Set("allow-books", "principal", "s3.amazonaws.com") }, nil, 500, `{"message": "Internal server error"}`, "principal"},
		{"the permission is for another action", func(s *stack) { s.Set("allow-books", "action", "lambda:GetFunction") }, nil, 500, `{"message": "Internal server error"}`, "action"},
		{"the permission is for another account", func(s *stack) { s.Set("allow-books", "sourceAccount", "000000000000") }, nil, 500, `{"message": "Internal server error"}`, "source account"},
		{"the permission is for the function, and an alias is called", func(s *stack) { s.Alias("stable") }, nil, 500, `{"message": "Internal server error"}`, "by its version or alias \"stable\""},
		{"the permission is for another alias", func(s *stack) { s.Alias("stable").Set("allow-books", "qualifier", "next") }, nil, 500, `{"message": "Internal server error"}`, "\"next\""},
		{"the permission is for an alias", func(s *stack) { s.Set("allow-books", "qualifier", "live") }, nil, 500, `{"message": "Internal server error"}`, "alias"},
		{"the permission names the function by ARN", func(s *stack) { s.Set("allow-books", "function", gatewaytest.FunctionARN("books")) }, nil, 200, "", ""},
		{"the permission names the function by partial ARN", func(s *stack) { s.Set("allow-books", "function", gatewaytest.Account+":function:books") }, nil, 200, "", ""},
		{"the permission has no source", func(s *stack) { s.Set("allow-books", "sourceArn", nil) }, nil, 200, "", ""},
		{"the function would be called with GET", func(s *stack) { s.Set("get-books-integration", "integrationHttpMethod", "GET") }, nil, 500, `{"message": "Internal server error"}`, "integrationHttpMethod is GET"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, f := gatewaytest.New().Bare(), newFakes()
			if tt.change != nil {
				tt.change(s)
			}
			if tt.books != nil {
				f.books(tt.books)
			}
			got := serve(t, s, f).get("Authorization", bearer)
			if got.status != tt.status || tt.body != "" && got.body != tt.body {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
			if !strings.Contains(got.exchange.Reason, tt.reason) {
				t.Errorf("reason %q lacks %q", got.exchange.Reason, tt.reason)
			}
			if tt.status >= 500 && got.header.Get("X-Amzn-Errortype") != "InternalServerErrorException" {
				t.Errorf("error type %q", got.header.Get("X-Amzn-Errortype"))
			}
			if strings.Contains(fmt.Sprintf("%+v", got.exchange), "boom") {
				t.Error("the report quotes the function's error")
			}
		})
	}
}

func TestPermissionForAny(t *testing.T) {
	for _, tt := range []struct {
		name, verb string // of the permission
		status     int
		finding    string // part of the fix; "" = none
	}{
		{"a star covers every verb", "*", 200, ""},
		{"ANY is no verb and matches nothing", "ANY", 500, `%s/*/*/any"`},
		{"one verb covers only itself", "DELETE", 200, `%s/*/*/any"`},
		{"another verb does not cover it", "GET", 500, `%s/*/*/any"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gatewaytest.New()
			s.Path("any", "root000000", "any")
			s.Open("any", "ANY")
			s.Permit("allow-any", "books", gatewaytest.ExecutionARN+"/*/"+tt.verb+"/any")
			srv := serve(t, s, newFakes())
			if got := srv.send("DELETE", "/live/any", ""); got.status != tt.status {
				t.Errorf("got %d %s", got.status, got.exchange.Reason)
			}
			fix := ""
			for _, f := range srv.gateway.Findings() {
				if f.Resource == "ANY-any-integration" {
					fix = f.Fix
				}
			}
			if (fix == "") != (tt.finding == "") || !strings.Contains(fix, tt.finding) {
				t.Errorf("found the fix %q, want %q", fix, tt.finding)
			}
		})
	}
}

func TestLoggedReason(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  []string
		want string
	}{
		{"nothing was logged", nil, ""},
		{"the last line that has one", []string{`{"reason":"first"}`, `{"reason":"second"}`, `{"level":"INFO"}`, "END"}, "second"},
		{"what is not JSON is skipped", []string{`{"reason":"expired"}`, `{"reason":`}, "expired"},
		{"a sentence is not repeated", []string{`{"reason":"token abc.def is expired"}`}, ""},
		{"another type is not repeated", []string{`{"reason":["x"]}`}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := loggedReason(tt.log); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
