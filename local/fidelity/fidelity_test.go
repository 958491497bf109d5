package fidelity_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/local/fidelity"
	"account-api/local/gateway"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

func load(t *testing.T) *fidelity.Record {
	t.Helper()
	record, err := fidelity.Load()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// The local gateway meets every row, but for those that say what it does instead.
func TestTheLocalGateway(t *testing.T) {
	count := 0
	for _, area := range load(t).Areas {
		t.Run(area.Name, func(t *testing.T) {
			for _, row := range area.Rows {
				count++
				t.Run(row.Name, func(t *testing.T) {
					problems := try(t, row)
					switch {
					case row.Differs == "" && len(problems) > 0:
						t.Error(strings.Join(problems, "\n"))
					case row.Differs != "" && len(problems) == 0:
						t.Errorf("expected a difference, as the row says, got none: take out %q", row.Differs)
					}
				})
			}
		})
	}
	if count < 150 {
		t.Errorf("expected 150 rows or more, got %d", count)
	}
}

var place = fidelity.Place{Base: "/live", Path: "/books", Verb: "GET", Lacking: "POST"}

const token = "Bearer aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"

// try asks a gateway of its own for one row, and says what differs.
func try(t *testing.T, row fidelity.Row) (problems []string) {
	differ := func(format string, arguments ...any) { problems = append(problems, fmt.Sprintf(format, arguments...)) }
	f := &functions{row: row, events: map[string][][]byte{}}
	now := time.Date(2026, 6, 17, 14, 52, 41, 0, time.UTC)
	g, err := gateway.New(&declare(t, row.Declare).Graph, gateway.Options{Functions: f, Now: func() time.Time { return now }})
	if err != nil {
		return []string{err.Error()}
	}
	server := httptest.NewServer(g)
	defer server.Close()
	for _, first := range row.First {
		if first.Headers == nil && !first.Token {
			first.Headers, first.Token = row.Headers, row.Token
		}
		send(t, server, fidelity.Request(first))
	}
	now = now.Add(row.Wait)
	response, body := send(t, server, row.Request)

	if response.StatusCode != row.Status {
		differ("expected status %d, got %d %s", row.Status, response.StatusCode, body)
	}
	if kind := response.Header.Get("X-Amzn-Errortype"); row.Type != nil && kind != *row.Type {
		differ("expected the error type %q, got %q", *row.Type, kind)
	}
	if row.Body != nil && body != *row.Body {
		differ("expected the body %s, got %s", *row.Body, body)
	}
	for name, want := range row.Answered {
		got := strings.Join(response.Header.Values(name), ", ")
		if !matches(want, got) {
			differ("expected %s: %s, got %q", name, want, got)
		}
	}
	for name, want := range row.Calls {
		if got := len(f.events[name]); got != want {
			differ("expected %d calls of the %s, got %d", want, name, got)
		}
	}
	if row.Asked != "" {
		if got, want := f.last("authorizer"), fill(row.Asked); got != want {
			differ("expected the authorizer to get %s, got %s", want, got)
		}
	}
	for pointer, want := range row.Event {
		if got := at(f.last("function"), pointer); !reflect.DeepEqual(got, plain(t, want)) {
			differ("expected %s of the event to be %v, got %v", pointer, want, got)
		}
	}
	return problems
}

// matches compares a header with what is expected.
func matches(want, got string) bool {
	if pattern, ok := fidelity.Pattern(want); ok {
		return regexp.MustCompile(pattern).MatchString(got)
	}
	return want == got
}

// fill replaces the placeholders of declarations and functions.
func fill(text string) string {
	return place.Fill(strings.ReplaceAll(text, "{api}", gatewaytest.ExecutionARN))
}

// plain is a value as JSON has it, with its placeholders replaced.
func plain(t *testing.T, value any) (out any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal([]byte(fill(string(text))), &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// at is a value of a JSON document, by its pointer; nil if there is none (RFC 6901).
func at(document, pointer string) (value any) {
	if json.Unmarshal([]byte(document), &value) != nil {
		return nil
	}
	for name := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

func send(t *testing.T, server *httptest.Server, r fidelity.Request) (*http.Response, string) {
	t.Helper()
	method, target := place.Line(r)
	request, err := http.NewRequest(method, server.URL, strings.NewReader(fill(r.Sends)))
	if err != nil {
		t.Fatal(err)
	}
	path, query, _ := strings.Cut(target, "?")
	if request.URL.Path, err = url.PathUnescape(path); err != nil {
		t.Fatal(err)
	}
	request.URL.RawPath, request.URL.RawQuery = path, query // both are sent as they are
	for _, header := range r.Headers {
		for name, value := range header {
			request.Header[name] = append(request.Header[name], fill(value))
		}
	}
	if r.Token {
		request.Header.Set("Authorization", token)
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// declare is the stack of a row.
func declare(t *testing.T, d fidelity.Declaration) *gatewaytest.Stack {
	t.Helper()
	s := gatewaytest.New().Bare()
	if len(d.Open)+len(d.Guarded) > 0 {
		s.PermitAll()
	}
	ids := map[string]string{"": "root000000", "/books": "res001"}
	method := func(line string) (verb, id string) {
		verb, path, _ := strings.Cut(line, " ")
		parent := ""
		for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
			if part == "" {
				continue
			}
			child := parent + "/" + part
			if ids[child] == "" {
				ids[child] = strings.NewReplacer("/", "-", "{", "", "}", "", "+", "").Replace(strings.TrimPrefix(child, "/"))
				s.Path(ids[child], ids[parent], part)
			}
			parent = child
		}
		return verb, ids[parent]
	}
	for _, line := range d.Open {
		verb, id := method(line)
		s.Open(id, verb)
	}
	for _, line := range d.Guarded {
		verb, id := method(line)
		s.Method(verb+"-"+id, id, verb, gatewaytest.Inputs{"authorization": "CUSTOM", "authorizerId": "auth01"})
		s.Proxy(verb+"-"+id+"-integration", id, verb, "books")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Add)) {
		inputs := plain(t, d.Add[name]).(map[string]any)
		kind, _ := inputs["type"].(string)
		id, _ := inputs["id"].(string)
		delete(inputs, "type")
		delete(inputs, "id")
		inputs["restApi"] = gatewaytest.API
		s.Add(kind, name, id, inputs)
	}
	for kind, inputs := range d.Response {
		s.Response(strings.ToLower(kind), gatewayresponse.Type(kind), plain(t, inputs).(map[string]any))
	}
	for key, value := range d.Set {
		name, property, _ := strings.Cut(key, ".")
		s.Set(name, property, plain(t, value))
	}
	for _, name := range d.Remove {
		s.Remove(name)
	}
	return s
}

// functions are an authorizer and a function that answer as a row tells them.
type functions struct {
	row    fidelity.Row
	mu     sync.Mutex
	events map[string][][]byte // by authorizer and function
}

// last is the last event of a function; "" if it was not called.
func (f *functions) last(name string) string {
	events := f.events[name]
	if len(events) == 0 {
		return ""
	}
	return string(events[len(events)-1])
}

func (f *functions) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	name, does := "function", f.row.Function
	if strings.HasSuffix(arn, ":authorizer") {
		name, does = "authorizer", f.row.Authorizer
	}
	f.mu.Lock()
	f.events[name] = append(f.events[name], event)
	f.mu.Unlock()
	switch {
	case does == nil && name == "function":
		return lambda.Result{Payload: []byte(`{"statusCode":200,"body":"{}"}`)}, nil
	case does == nil:
		var e struct{ MethodArn string }
		if err := json.Unmarshal(event, &e); err != nil {
			return lambda.Result{}, err
		}
		return policy([]map[string]any{{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": e.MethodArn}}, map[string]any{"scope": "a"})
	case does.Policy != nil:
		return policy(does.Policy, does.Context)
	case does.Missing:
		return lambda.Result{}, errors.New("no such function")
	case does.Throttled:
		return lambda.Result{}, lambda.ErrThrottled
	case does.Hangs:
		<-ctx.Done()
		return lambda.Result{}, ctx.Err()
	case does.Fails != "":
		return lambda.Result{Payload: []byte(does.Fails), FunctionError: "Unhandled"}, nil
	}
	return lambda.Result{Payload: []byte(does.Answers)}, nil
}

func policy(statements []map[string]any, values map[string]any) (lambda.Result, error) {
	payload, err := json.Marshal(map[string]any{"principalId": "user", "context": values,
		"policyDocument": map[string]any{"Version": "2012-10-17", "Statement": statements}})
	return lambda.Result{Payload: []byte(fill(string(payload)))}, err
}

func TestThePageIsUpToDate(t *testing.T) {
	page, err := os.ReadFile("../../docs/fidelity.md")
	if err != nil || string(page) != load(t).Page() {
		t.Errorf("expected docs/fidelity.md to have what is recorded: run make docs (%v)", err)
	}
}

// Every source has a row.
func TestSourcesAreUsed(t *testing.T) {
	record := load(t)
	used := map[string]bool{}
	for _, area := range record.Areas {
		for _, row := range area.Rows {
			for _, name := range row.From {
				used[name] = true
			}
		}
	}
	for name := range record.Sources {
		if !used[name] {
			t.Errorf("expected a row from source %s, got none: take the source out", name)
		}
	}
}
