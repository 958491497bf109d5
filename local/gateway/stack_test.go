package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/local/graph"
	"account-api/local/lambda"
)

const (
	testRegion  = "eu-west-2"
	testAccount = "123456789012"
	testAPI     = "abcdefghij"
	executeARN  = "arn:aws:execute-api:" + testRegion + ":" + testAccount + ":" + testAPI
	booksARN    = executeARN + "/live/GET/books"
	bearer      = "Bearer aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"
)

func functionARN(name string) string {
	return "arn:aws:lambda:" + testRegion + ":" + testAccount + ":function:" + name
}

func invokeARN(name string) string {
	return "arn:aws:apigateway:" + testRegion + ":lambda:path/2015-03-31/functions/" + functionARN(name) + "/invocations"
}

type inputs = map[string]any

// stack is a graph under construction. It starts as the stack that is deployed:
// GET /books behind an authorizer, its preflight and its gateway responses.
type stack struct{ graph.Graph }

func newStack() *stack {
	s := &stack{graph.Graph{Project: "library", Stack: "live", Region: testRegion, Account: testAccount}}
	s.add(typeRestAPI, "api", testAPI, inputs{"name": "library", "endpointConfiguration": inputs{"types": "REGIONAL"}})
	for _, name := range []string{"authorizer", "books"} {
		s.add(typeFunction, name, name, inputs{"name": name, "environment": inputs{"variables": inputs{}}})
	}
	s.add(typeResource, "books-resource", "res001", inputs{"restApi": testAPI, "parentId": "root000000", "pathPart": "books"})
	s.add(typeAuthorizer, "token", "auth01", inputs{"restApi": testAPI, "name": "token", "type": "TOKEN",
		"authorizerUri": invokeARN("authorizer"), "identitySource": "method.request.header.Authorization",
		"identityValidationExpression": `^Bearer [-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`,
		"authorizerResultTtlInSeconds": float64(0)})
	s.method("get-books", "res001", "GET", inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
	s.method("options-books", "res001", "OPTIONS", inputs{"authorization": "NONE"})
	s.proxy("get-books-integration", "res001", "GET", "books")
	s.add(typeIntegration, "options-books-integration", "", inputs{"restApi": testAPI, "resourceId": "res001", "httpMethod": "OPTIONS",
		"type": "MOCK", "requestTemplates": inputs{"application/json": `{"statusCode": 204}`}, "passthroughBehavior": "WHEN_NO_MATCH"})
	s.add(typeMethodResponse, "options-books-response", "", inputs{"restApi": testAPI, "resourceId": "res001", "httpMethod": "OPTIONS", "statusCode": "204",
		"responseParameters": inputs{"method.response.header.Access-Control-Allow-Origin": true,
			"method.response.header.Access-Control-Allow-Methods": true, "method.response.header.Access-Control-Allow-Headers": true}})
	s.add(typeIntegrationResponse, "options-books-integration-response", "", inputs{"restApi": testAPI, "resourceId": "res001", "httpMethod": "OPTIONS", "statusCode": "204",
		"responseParameters": inputs{"method.response.header.Access-Control-Allow-Origin": "'*'",
			"method.response.header.Access-Control-Allow-Methods": "'GET'", "method.response.header.Access-Control-Allow-Headers": "'Authorization'"}})
	template := inputs{"application/json": `{"message":$context.error.messageString}`}
	origin := "gatewayresponse.header.Access-Control-Allow-Origin"
	s.response("default-4xx", default4XX, inputs{"responseParameters": inputs{origin: "'*'"}, "responseTemplates": template})
	s.response("default-5xx", default5XX, inputs{"responseParameters": inputs{origin: "'*'"}, "responseTemplates": template})
	s.response("unauthorized", unauthorized, inputs{"responseTemplates": template,
		"responseParameters": inputs{origin: "'*'", "gatewayresponse.header.WWW-Authenticate": "'Bearer'"}})
	s.permit("allow-authorizer", "authorizer", executeARN+"/authorizers/auth01")
	s.permit("allow-books", "books", executeARN+"/*/GET/books")
	s.add(typeDeployment, "deployment", "dep001", inputs{"restApi": testAPI, "triggers": inputs{"hash": "x"}})
	s.add(typeStage, "stage", "", inputs{"restApi": testAPI, "deployment": "dep001", "stageName": "live"})
	return s
}

// add declares a resource. The deployment waits for all that was added before it.
func (s *stack) add(token, name, id string, in inputs) {
	r := graph.Resource{URN: "urn:pulumi:live::library::" + token + "::" + name, Type: token, Name: name, ID: id, Inputs: in, Outputs: inputs{}}
	switch token {
	case typeFunction:
		r.Outputs = inputs{"arn": functionARN(name), "name": name, "invokeArn": invokeARN(name)}
	case typeRestAPI:
		r.Outputs = inputs{"executionArn": executeARN, "rootResourceId": "root000000"}
	case typeDeployment:
		for _, other := range s.Resources {
			r.Dependencies = append(r.Dependencies, other.URN)
		}
	}
	s.Resources = append(s.Resources, r)
}

func (s *stack) method(name, resourceID, verb string, in inputs) {
	in["restApi"], in["resourceId"], in["httpMethod"] = testAPI, resourceID, verb
	s.add(typeMethod, name, "", in)
}

func (s *stack) proxy(name, resourceID, verb, function string) {
	s.add(typeIntegration, name, "", inputs{"restApi": testAPI, "resourceId": resourceID, "httpMethod": verb,
		"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invokeARN(function)})
}

// open declares an unprotected method with its integration, on the books function.
func (s *stack) open(resourceID, verb string) {
	s.method(verb+"-"+resourceID, resourceID, verb, inputs{"authorization": "NONE"})
	s.proxy(verb+"-"+resourceID+"-integration", resourceID, verb, "books")
}

func (s *stack) path(id, parent, part string) {
	s.add(typeResource, id, id, inputs{"restApi": testAPI, "parentId": parent, "pathPart": part})
}

func (s *stack) response(name, kind string, in inputs) {
	in["restApiId"], in["responseType"] = testAPI, kind
	s.add(typeGatewayResponse, name, "", in)
}

func (s *stack) permit(name, function, source string) {
	s.add(typePermission, name, "", inputs{"action": "lambda:InvokeFunction", "function": function,
		"principal": "apigateway.amazonaws.com", "sourceArn": source})
}

// permitAll lets the API call the books function from every method.
func (s *stack) permitAll() *stack {
	s.permit("allow-all", "books", executeARN+"/*")
	return s
}

// set changes one input of a declared resource; nil removes it.
func (s *stack) set(name, property string, value any) *stack {
	for i := range s.Resources {
		if s.Resources[i].Name == name {
			s.Resources[i].Inputs[property] = value
			if value == nil {
				delete(s.Resources[i].Inputs, property)
			}
			return s
		}
	}
	panic("no resource " + name)
}

func (s *stack) remove(name string) *stack {
	kept := s.Resources[:0]
	for _, r := range s.Resources {
		if r.Name != name {
			kept = append(kept, r)
		}
	}
	s.Resources = kept
	return s
}

// bare removes the gateway responses, so that the built-in ones show.
func (s *stack) bare() *stack {
	return s.remove("default-4xx").remove("default-5xx").remove("unauthorized")
}

// fakes are functions that answer what a test tells them to.
type fakes struct {
	mu     sync.Mutex
	answer map[string]func(ctx context.Context, event []byte) (lambda.Result, error) // by name
	events map[string][][]byte
}

func (f *fakes) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	name := arn[strings.LastIndexByte(arn, ':')+1:]
	f.mu.Lock()
	f.events[name] = append(f.events[name], event)
	answer := f.answer[name]
	f.mu.Unlock()
	return answer(ctx, event)
}

func (f *fakes) calls(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.events[name])
}

// newFakes returns an authorizer that allows the event's method and a books that
// answers 200.
func newFakes() *fakes {
	f := &fakes{events: map[string][][]byte{}}
	f.answer = map[string]func(context.Context, []byte) (lambda.Result, error){
		"authorizer": func(_ context.Context, event []byte) (lambda.Result, error) {
			var e authorizerEvent
			if err := json.Unmarshal(event, &e); err != nil {
				return lambda.Result{}, err
			}
			return lambda.Result{Payload: []byte(allowing(e.MethodARN))}, nil
		},
		"books": says(`{"statusCode":200,"headers":{"Content-Type":"application/json"},"body":"{\"title\":\"Añil\"}"}`),
	}
	return f
}

func (f *fakes) authorizer(answer func(context.Context, []byte) (lambda.Result, error)) *fakes {
	f.answer["authorizer"] = answer
	return f
}

func (f *fakes) books(answer func(context.Context, []byte) (lambda.Result, error)) *fakes {
	f.answer["books"] = answer
	return f
}

func says(payload string) func(context.Context, []byte) (lambda.Result, error) {
	return func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{RequestID: "r", Payload: []byte(payload)}, nil
	}
}

func fails(payload string, log ...string) func(context.Context, []byte) (lambda.Result, error) {
	return func(context.Context, []byte) (lambda.Result, error) {
		return lambda.Result{Payload: []byte(payload), FunctionError: "Unhandled", LogTail: log}, nil
	}
}

func policy(effect, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"` + effect + `","Resource":["` + resource + `"]}]}`
}

func output(policy, context string) string {
	return `{"principalId":"auth0|user","policyDocument":` + policy + `,"context":` + context + `}`
}

func allowing(resource string) string {
	return output(policy("Allow", resource), `{"scope":"read:books"}`)
}

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// served is a gateway on a real listener.
type served struct {
	t         *testing.T
	url       string
	gateway   *Gateway
	fakes     *fakes
	clock     *clock
	exchanges chan Exchange
}

func serve(t *testing.T, s *stack, f *fakes) *served {
	t.Helper()
	srv := &served{t: t, fakes: f, clock: &clock{now: time.Date(2026, 6, 17, 14, 52, 41, 0, time.UTC)}, exchanges: make(chan Exchange, 1000)}
	g, err := New(&s.Graph, Options{Functions: f, Now: srv.clock.Now, Throttle: true, Report: func(e Exchange) { srv.exchanges <- e }})
	if err != nil {
		t.Fatal(err)
	}
	srv.gateway = g
	listener := httptest.NewServer(g)
	t.Cleanup(listener.Close)
	srv.url = listener.URL
	return srv
}

// reply is an answer as a client sees it, and what the gateway reported about it.
type reply struct {
	status   int
	header   http.Header
	body     string
	exchange Exchange
}

// send makes one request; headers are name, value pairs.
func (s *served) send(method, path, body string, headers ...string) reply {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header[headers[i]] = append(req.Header[headers[i]], headers[i+1])
	}
	return s.do(req)
}

func (s *served) do(req *http.Request) reply {
	s.t.Helper()
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(text), <-s.exchanges}
}

func (s *served) get(headers ...string) reply {
	s.t.Helper()
	return s.send("GET", "/live/books", "", headers...)
}

// event is the last event that a function got.
func (s *served) event(name string) []byte {
	s.fakes.mu.Lock()
	defer s.fakes.mu.Unlock()
	events := s.fakes.events[name]
	if len(events) == 0 {
		s.t.Fatalf("%s was not invoked", name)
	}
	return events[len(events)-1]
}
