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

	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

const (
	booksARN = gatewaytest.ExecutionARN + "/live/GET/books"
	bearer   = "Bearer aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"
)

type (
	inputs = gatewaytest.Inputs
	stack  = gatewaytest.Stack
)

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
	g, err := New(&s.Graph, Options{Functions: f, Now: srv.clock.Now, Report: func(e Exchange) { srv.exchanges <- e }})
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
