package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/open-policy-agent/opa/v1/format"

	"account-api/internal/regotest"
	"account-api/local/description"
	"account-api/local/example"
	"account-api/local/gateway"
	"account-api/local/trace"
)

const (
	seatsRule = `package seats

default decision := {"allow": false, "reasons": {"the scope \"read:seats\" is required"}}

decision := {"allow": true, "reasons": set()} if input.scope == "read:seats"
`
	input = `{"method":"GET","path":["seats","4"],"resource":"/seats/{row}","parameters":{"row":"4"},"time":1718635961123000001,"principal":"jo's","scope":"%s"}`
)

// decided is a trace of a request that the policy decided.
func decided(scope, result string) trace.Trace {
	line := `{"path":"seats/decision","decision_id":"d","input":` + fmt.Sprintf(input, scope) + `,"erased":[],"result":` + result +
		`,"explanation":["policies/seats/seats.rego:5: input.scope == \"read:seats\""],"metrics":{"timer_rego_query_eval_ns":60000}}`
	return trace.Trace{
		Request:     trace.Message{Method: "POST", Target: "/test/seats/4?a='b'", Header: http.Header{"X-Row": {"it's 4"}, "Sec-Fetch-Mode": {"cors"}, "Content-Length": {"3"}}, Body: []byte("a'b")},
		Response:    trace.Message{Header: http.Header{"X-Seat": {"4b"}}, Body: []byte(`{"seat":"4b"}`)},
		Invocations: []trace.Invocation{{Function: "arn:aws:lambda:x:1:function:guard", Took: time.Millisecond}, {Function: "arn:aws:lambda:x:1:function:seats:live", Begun: time.Millisecond, Took: time.Millisecond, Init: time.Microsecond, Cold: true, Log: []string{line}}},
	}
}

const (
	denial = `{"allow":false,"reasons":["the scope \"read:seats\" is required"]}`
	grant  = `{"allow":true,"reasons":[]}`
)

func answeredExchange() gateway.Exchange {
	return gateway.Exchange{RequestID: "r", Method: "POST", Path: "/test/seats/4", Status: 403, AnsweredBy: "integration seats",
		Duration: 3 * time.Millisecond, Time: time.Unix(1718635961, 0), Integration: &gateway.Invocation{}}
}

func TestRequestShowsEveryHop(t *testing.T) {
	f := serve(t, true)
	e := answeredExchange()
	e.Steps = []gateway.Step{{Hop: gateway.Differs, Detail: "the body"}, {Hop: "route", Detail: "matched"}}
	f.Record(e, decided("write:seats", denial))
	body := f.get(t, "/request?number=1").body
	for _, want := range []string{
		`<span class="hop">gateway</span>`, `<span class="hop">authorizer</span>`, `<span class="hop">handler</span>`, `<span class="hop">cold start</span>`, `<span class="hop">policy</span>`,
		`x="33.33%" width="33.33%"`, "denied: the scope", "policies/seats/seats.rego:5", "jo&#39;s", "4b", "Log of seats", "X-Row: it&#39;s 4", "by policy: the scope", "<b>differs on AWS</b> the body",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("expected %s, got %s", want, body)
		}
	}
}

// Whoever signs a token or calls the API chooses these texts.
func TestTextsOfARequestAreNoMarkup(t *testing.T) {
	evil := func(where string) string { return "</pre><script>" + where + "</script>" }
	f := serve(t, true)
	traced := decided(evil("input"), `{"allow":false,"reasons":["`+evil("reason")+`"]}`)
	traced.Claims = []byte(`{"sub":"` + evil("claim") + `"}`)
	traced.Request.Body, traced.Response.Body = []byte(evil("sent body")), []byte(evil("body"))
	traced.Request.Header.Set("X-Row", evil("sent header"))
	traced.Response.Header.Set("X-Seat", evil("header"))
	e := answeredExchange()
	e.Path = evil("path")
	f.Record(e, traced)
	body := f.get(t, "/request?number=1").body
	for _, where := range []string{"input", "reason", "claim", "sent body", "body", "sent header", "header", "path"} {
		if !strings.Contains(body, "&lt;/pre&gt;&lt;script&gt;"+where+"&lt;") {
			t.Errorf("expected the %s as text, got %s", where, body)
		}
	}
	if strings.Contains(body, "<script") {
		t.Errorf("expected no script, got %s", body)
	}
}

// A copied test has to be what the project's own checks accept.
func TestCopyAsRegoTest(t *testing.T) {
	for scope, result := range map[string]string{"write:seats": denial, "read:seats": grant} {
		f := serve(t, true)
		write(t, f.ruleFile(), seatsRule)
		f.Record(answeredExchange(), decided(scope, result))
		text := f.get(t, "/copy?number=1&as=test").body
		if formatted, err := format.Source("", []byte(text)); err != nil || string(formatted) != text {
			t.Errorf("expected the form of opa fmt, got %v:\n%s", err, text)
		}
		suite, err := regotest.Load(fstest.MapFS{
			"seats/seats.rego": {Data: []byte(seatsRule)}, "seats/recorded_test.rego": {Data: []byte(text)},
		}, "seats")
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		found, err := suite.Run(t.Context())
		if err != nil || found.Tests != 1 || len(found.Failed) > 0 {
			t.Errorf("expected one test that passes, got %d, %q, %v:\n%s", found.Tests, found.Failed, err, text)
		}
	}
	t.Run("what nobody decided is no test", func(t *testing.T) {
		f := serve(t, true)
		f.record(gateway.Exchange{Status: 401})
		if a := f.get(t, "/copy?number=1&as=test"); a.status != 400 || !strings.Contains(a.body, "no policy decided") {
			t.Errorf("expected 400, got %d %s", a.status, a.body)
		}
	})
}

func TestCopyAsCommands(t *testing.T) {
	f := serve(t, true)
	traced := decided("read:seats", grant)
	traced.Request.Withheld = []string{"Authorization"}
	f.Record(answeredExchange(), traced)
	want := `curl -i -X 'POST' -H 'X-Row: it'\''s 4' -H "Authorization: Bearer $TOKEN" --data-binary 'a'\''b' --globoff --path-as-is '` + apiOrigin + `/test/seats/4?a='\''b'\'''` + "\n"
	if got := f.get(t, "/copy?number=1&as=curl").body; got != want {
		t.Errorf("expected %s, got %s", want, got)
	}
	if got := f.get(t, "/copy?number=1&as=eval").body; !strings.HasPrefix(got, "go tool opa eval --data policies --stdin-input --format pretty 'data.seats.decision' <<'INPUT'\n{\n") ||
		!strings.Contains(got, "1718635961123000001") || !strings.HasSuffix(got, "\n}\nINPUT\n") {
		t.Errorf("expected a command with the input digit for digit, got %s", got)
	}
	for path, status := range map[string]int{"/copy?number=1&as=other": 400, "/copy?number=2&as=curl": 404, "/copy?number=x&as=curl": 404} {
		if a := f.get(t, path); a.status != status {
			t.Errorf("%s: expected %d, got %d", path, status, a.status)
		}
	}
}

func TestSendAgain(t *testing.T) {
	type sent struct{ target, row, encoding string }
	var got sent
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = sent{r.Method + " " + r.RequestURI, r.Header.Get("X-Row"), r.Host}
		w.Header()["x-amzn-RequestId"] = []string{"again"}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}))
	defer api.Close()
	c, err := New(Options{Root: t.TempDir(), Stack: func() Stack {
		return Stack{Endpoints: []description.Endpoint{{URL: api.URL + "/test/seats"}}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	defer server.Close()
	f := &fixture{Console: c, url: server.URL}
	for name, row := range map[string]struct {
		change func(*trace.Message)
		status int
		want   string
	}{
		"as it was":                   {func(*trace.Message) {}, 200, "POST /test/seats/4?a='b'"},
		"not without its secret":      {func(m *trace.Message) { m.Withheld = []string{"Authorization"} }, 409, ""},
		"not with half a body":        {func(m *trace.Message) { m.Cut = true }, 409, ""},
		"not to another host":         {func(m *trace.Message) { m.Target = "@example.com/" }, 409, ""},
		"not to another port":         {func(m *trace.Message) { m.Target = "1/" }, 409, ""},
		"not to no path":              {func(m *trace.Message) { m.Target = "*" }, 409, ""},
		"not if nothing is known":     {func(m *trace.Message) { *m = trace.Message{} }, 409, ""},
		"to the API with two slashes": {func(m *trace.Message) { m.Target = "//example.com/x" }, 200, "POST //example.com/x"},
	} {
		t.Run(name, func(t *testing.T) {
			got = sent{}
			traced := decided("read:seats", grant)
			row.change(&traced.Request)
			c.Record(answeredExchange(), traced)
			a := f.post(t, "/again", url.Values{"number": {fmt.Sprint(c.feed.after(0).last)}})
			if a.status != row.status || got.target != row.want || row.status == 200 && (got.row != "it's 4" || !strings.Contains(a.body, `"request":"again"`)) {
				t.Errorf("expected %d and %q, got %d %s and %+v", row.status, row.want, a.status, a.body, got)
			}
		})
	}
}

func TestTryingARule(t *testing.T) {
	f := serve(t, true)
	write(t, f.ruleFile(), seatsRule)
	f.Adopt(t.Context())
	f.Record(answeredExchange(), decided("write:seats", denial))
	try := func(text string) answered {
		return f.post(t, "/try", url.Values{"name": {ruleName}, "text": {text}})
	}
	if a := try(strings.Replace(seatsRule, `== "read`, `== "write`, 1)); a.status != 200 || !strings.Contains(a.body, "1 of the last 1") || !strings.Contains(a.body, "?number=1") {
		t.Errorf("expected the request that changes, got %d %s", a.status, a.body)
	}
	if a := try("package seats\n\ndecision := {\n\n<b>"); a.status != 200 || !strings.Contains(a.body, `"lines":{"`) || strings.Contains(a.body, "<b>") {
		t.Errorf("expected a fault with its line and no markup, got %d %s", a.status, a.body)
	}
	if content, err := os.ReadFile(f.ruleFile()); err != nil || string(content) != seatsRule {
		t.Errorf("expected nothing to be written, got %v, %s", err, content)
	}
	for text, status := range map[string]int{strings.Repeat("#", maxForm): 400, "x": 200} {
		if a := try(text); a.status != status {
			t.Errorf("expected %d for %d bytes, got %d", status, len(text), a.status)
		}
	}
	t.Run("what serves is compared after a save", func(t *testing.T) {
		write(t, f.ruleFile(), strings.Replace(seatsRule, `== "read`, `== "write`, 1))
		changes := f.Adopt(t.Context())
		if got := changes.Lines("http://console/"); !strings.HasPrefix(got, "The last request would now be answered differently:\n  http://console/?number=1  denied: ") || !strings.HasSuffix(got, ", now allowed") {
			t.Errorf("expected a link to the request, got %s", got)
		}
		f.Report(Status{State: Serving, Changes: changes})
		if body := f.get(t, "/").body; !strings.Contains(body, `The last request would now be answered differently</b>`) {
			t.Error("expected it on the page")
		}
		if got := f.Adopt(t.Context()).Lines("http://console/"); got != "" {
			t.Errorf("expected no change without one, got %s", got)
		}
	})
}

func TestCallers(t *testing.T) {
	f := serve(t, true)
	write(t, f.ruleFile(), seatsRule)
	file := filepath.Join(filepath.Dir(f.ruleFile()), callersFile)
	form := func(name string) url.Values {
		values := form("good")
		values.Set("policy", policy)
		values.Set("name", name)
		return values
	}
	a := f.post(t, "/caller", form(`an "auditor" </select>`))
	if a.status != 200 || !strings.Contains(a.message(t), "callers_test.rego") || strings.Contains(a.body, "</select>") {
		t.Fatalf("expected it to be saved, and its name to be text, got %d %s", a.status, a.body)
	}
	if a := f.post(t, "/caller", form("another")); a.status != 200 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	saved, err := savedCallers(f.root, policy)
	want := example.Caller{Scope: "read:seats a b", Permissions: "p q", Principal: "jo", AuthorizedParty: "spa", Claims: example.Claims{"org": map[string]any{"id": float64(7)}}}
	if err != nil || len(saved) != 2 || fmt.Sprint(saved["another"]) != fmt.Sprint(want) {
		t.Errorf("expected %v, got %v, %v", want, saved, err)
	}
	t.Run("a Rego test uses them, and the project's checks accept the file", func(t *testing.T) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if formatted, err := format.Source("", content); err != nil || string(formatted) != string(content) {
			t.Errorf("expected the form of opa fmt, got %v:\n%s", err, content)
		}
		for _, use := range []string{"", "test_caller if not data.seats.decision.allow with input as callers.another\n"} {
			suite, err := regotest.Load(fstest.MapFS{
				"seats/seats.rego": {Data: []byte(seatsRule)}, "seats/" + callersFile: {Data: content},
				"seats/seats_test.rego": {Data: []byte("package seats_test\n\ntest_read if data.seats.decision.allow with input as {\"scope\": \"read:seats\"}\n" + use)},
			}, "seats")
			if err != nil {
				t.Fatal(err)
			}
			found, err := suite.Run(t.Context())
			if err != nil || len(found.Failed) > 0 || strings.Contains(fmt.Sprint(found.Uncovered), callersFile) {
				t.Errorf("expected tests that pass and cover the file, got %q, %v, %v", found.Failed, found.Uncovered, err)
			}
		}
	})
	t.Run("the page offers them", func(t *testing.T) {
		if body := f.get(t, "/").body; !strings.Contains(body, `label="Saved in policies/seats"`) || !strings.Contains(body, `data-name="another">another</option>`) {
			t.Error("expected the callers to choose")
		}
	})
	t.Run("what else is in the file stays", func(t *testing.T) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		own := string(content) + "\ntest_own if true\n"
		write(t, file, own)
		if a := f.post(t, "/caller", form("third")); a.status != 400 || !strings.Contains(a.message(t), "by hand") {
			t.Errorf("expected 400, got %d %s", a.status, a.body)
		}
		if now, err := os.ReadFile(file); err != nil || string(now) != own {
			t.Errorf("expected the file as it was, got %v, %s", err, now)
		}
		write(t, file, string(content))
	})
	t.Run("only next to a policy", func(t *testing.T) {
		for _, dir := range []string{"", "..", "policies/other", policy + "/../seats", "policies/seats/"} {
			elsewhere := form("x")
			elsewhere.Set("policy", dir)
			if a := f.post(t, "/caller", elsewhere); a.status != 404 {
				t.Errorf("%q: expected 404, got %d", dir, a.status)
			}
		}
		for _, name := range []string{"", " ", "two\nlines", strings.Repeat("x", 81)} {
			if a := f.post(t, "/caller", form(name)); a.status != 400 {
				t.Errorf("%q: expected 400, got %d", name, a.status)
			}
		}
	})
	t.Run("forgotten ones leave no file", func(t *testing.T) {
		for name := range saved {
			gone := form(name)
			gone.Set("forget", "yes")
			f.post(t, "/caller", gone)
		}
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("expected no file, got %v", err)
		}
	})
}

func TestCommentsAreFolded(t *testing.T) {
	for text, head := range map[string]string{
		"# 1\n# 2\n\n# 4\n# 5\npackage seats\n\n# 8\n": "# 1\n# 2\n\n# 4\n# 5\n",
		"# 1\n# 2\npackage seats\n":                    "",
		"# 1\n# 2\n# 3\n# 4\n# 5\n":                    "",
		"":                                             "",
	} {
		r := rule{Text: text}.folded()
		if r.Head != head || r.Head+r.Text != text || r.HeadLines() != strings.Count(head, "\n") {
			t.Errorf("%q: expected the head %q, got %+v", text, head, r)
		}
	}
}
