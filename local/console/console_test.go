package console

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"account-api/local/example"
	"account-api/local/gateway"
	"account-api/local/issuer"
	"account-api/local/trace"
)

const (
	audience  = "https://seats.test/"
	apiOrigin = "http://127.0.0.1:8080"
	policy    = "policies/seats"
	ruleName  = policy + "/seats.rego"
	someRule  = "package seats\n\ndefault allow := false\n"
)

// fixture is a console that is served, with an issuer of its own and one rule.
type fixture struct {
	*Console
	issuer *issuer.Issuer
	url    string // without a slash at the end
	root   string // of the project
}

// ruleFile is where the rule is.
func (f *fixture) ruleFile() string { return filepath.Join(f.root, filepath.FromSlash(ruleName)) }

// serve starts a console. Without an issuer it is the one of a stack whose tokens come
// from elsewhere.
func serve(t *testing.T, mints bool) *fixture {
	t.Helper()
	f := &fixture{root: t.TempDir()}
	if err := os.MkdirAll(filepath.Dir(f.ruleFile()), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, f.ruleFile(), someRule)
	write(t, strings.Replace(f.ruleFile(), ".rego", "_test.rego", 1), "package seats_test\n")
	stack := Stack{
		Project: "cinema", Name: "test", IssuerURL: "https://t.eu.auth0.com/", Audience: audience, Scopes: []string{"book:seats", "read:seats"},
		Notices: []string{"aws:dynamodb/table:Table seats: not run here <b>"},
		Endpoints: []Endpoint{{
			Method: "GET", Path: "/seats/{row}", URL: apiOrigin + "/test/seats/example", Header: "Authorization", Policy: policy,
			Allowed: &example.Caller{Scope: "read:seats", Permissions: "see:rows"}, Denied: &example.Caller{Scope: "book:seats"},
		}, {
			Method: "POST", Path: "/seats", URL: apiOrigin + "/test/seats",
		}},
	}
	var err error
	if mints {
		stack.IssuerURL = "http://127.0.0.1:8081/"
		f.issuer, err = issuer.New(issuer.Options{URL: stack.IssuerURL, Audience: audience, Scopes: stack.Scopes, Algorithms: []string{"ES256"}})
		if err != nil {
			t.Fatal(err)
		}
		stack.Issuer = f.issuer
	}
	f.Console, err = New(Options{Stack: func() Stack { return stack }, Root: f.root})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(f.Console)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fixture) record(e gateway.Exchange) { f.Record(e, trace.Trace{}) }

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

type answered struct {
	status int
	header http.Header
	body   string
}

// do sends a request, as it is made by default or as edit changes it.
func (f *fixture) do(t *testing.T, method, path string, form url.Values, edit func(*http.Request)) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, f.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Accept", "application/json")
		request.Header.Set("Origin", f.url)
	}
	if edit != nil {
		edit(request)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(body)}
}

func (f *fixture) get(t *testing.T, path string) answered {
	t.Helper()
	return f.do(t, http.MethodGet, path, nil, nil)
}

func (f *fixture) post(t *testing.T, path string, form url.Values) answered {
	t.Helper()
	return f.do(t, http.MethodPost, path, form, nil)
}

func (a answered) message(t *testing.T) string {
	t.Helper()
	var s said
	if err := json.Unmarshal([]byte(a.body), &s); err != nil {
		t.Fatalf("expected JSON, got %s", a.body)
	}
	return s.Message
}

func TestWhoMayAsk(t *testing.T) {
	f := serve(t, true)
	origin := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Origin", value) }
	}
	host := func(value string) func(*http.Request) { return func(r *http.Request) { r.Host = value } }
	for name, row := range map[string]struct {
		method string
		edit   func(*http.Request)
		want   int
	}{
		"the address that it is served at":            {http.MethodGet, nil, 200},
		"localhost with a port":                       {http.MethodGet, host("localhost:8082"), 200},
		"the other loopback address":                  {http.MethodGet, host("[::1]:8082"), 200},
		"a name that resolves to this machine":        {http.MethodGet, host("rebound.example:8082"), 421},
		"an address of the local network":             {http.MethodGet, host("192.168.1.2:8082"), 421},
		"a name that begins like the right one":       {http.MethodGet, host("localhost.example"), 421},
		"any address":                                 {http.MethodGet, host("0.0.0.0:8082"), 421},
		"a change from its own page":                  {http.MethodPost, nil, 200},
		"a change from a page of another site":        {http.MethodPost, origin("https://example.com"), 403},
		"a change from another port of this machine":  {http.MethodPost, origin("http://127.0.0.1:1"), 403},
		"a change from a page that hides its origin":  {http.MethodPost, origin("null"), 403},
		"a change that does not say where it is from": {http.MethodPost, func(r *http.Request) { r.Header.Del("Origin") }, 403},
		"a change that is rebound, with its own origin": {http.MethodPost, func(r *http.Request) {
			r.Host = "rebound.example"
			r.Header.Set("Origin", "http://rebound.example")
		}, 421},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/"
			if row.method == http.MethodPost {
				path = "/rotate"
			}
			if a := f.do(t, row.method, path, nil, row.edit); a.status != row.want {
				t.Errorf("expected %d, got %d %s", row.want, a.status, a.body)
			}
		})
	}
	t.Run("a refused change changes nothing", func(t *testing.T) {
		a := f.do(t, http.MethodPost, "/rule", url.Values{"name": {ruleName}, "text": {"package evil"}, "version": {version([]byte(someRule))}}, origin("https://example.com"))
		if content, err := os.ReadFile(f.ruleFile()); a.status != 403 || err != nil || string(content) != someRule {
			t.Errorf("expected 403 and the rule as it was, got %d, %v, %s", a.status, err, content)
		}
	})
	t.Run("only the methods that are meant", func(t *testing.T) {
		if a := f.get(t, "/rotate"); a.status != http.StatusMethodNotAllowed {
			t.Errorf("expected 405, got %d", a.status)
		}
	})
}

func TestWhatAPageMayLoad(t *testing.T) {
	f := serve(t, true)
	a := f.get(t, "/")
	policy := a.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "connect-src 'self' "+apiOrigin+";") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("expected a strict policy, got %s", policy)
	}
	for _, inline := range []string{`<script>`, `<style`, `style="`, `javascript:`} {
		if strings.Contains(a.body, inline) {
			t.Errorf("expected nothing inline, got %s", inline)
		}
	}
	if handler := regexp.MustCompile(`\son[a-z]+=`).FindString(a.body); handler != "" {
		t.Errorf("expected no inline handler, got %s", handler)
	}
	for _, found := range regexp.MustCompile(`(?:src|href)="(/[^"?#]+)"`).FindAllStringSubmatch(a.body, -1) {
		if asset := f.get(t, found[1]); asset.status != http.StatusOK {
			t.Errorf("expected %s to be there, got %d", found[1], asset.status)
		}
	}
	for asset, kind := range map[string]string{"console.js": "text/javascript", "style.css": "text/css", "icon.svg": "image/svg+xml"} {
		if a := f.get(t, "/"+asset); a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), kind) || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("expected %s as %s, got %d %v", asset, kind, a.status, a.header)
		}
	}
}

func TestPageIsForEverybody(t *testing.T) {
	body := serve(t, true).get(t, "/").body
	for _, found := range regexp.MustCompile(`<(?:input|select|textarea)[^>]*>`).FindAllString(body, -1) {
		id := regexp.MustCompile(` id="([^"]+)"`).FindStringSubmatch(found)
		hidden, wrapped := strings.Contains(found, `type="hidden"`), strings.Contains(found, `type="checkbox"`)
		if !hidden && !wrapped && (id == nil || !strings.Contains(body, `for="`+id[1]+`"`)) {
			t.Errorf("expected a label for %s", found)
		}
	}
	for what, part := range map[string]string{
		"a language":                  `<html lang="en">`,
		"a way past the header":       `<a class="skip" href="#request">`,
		"somewhere to skip to":        `id="request" aria-labelledby="request-title" tabindex="-1"`,
		"an outcome that is read out": `<p id="heard" class="visually-hidden" role="status">`,
		"a status that is read out":   `<div id="status" role="status">`,
		"a width for phones":          `content="width=device-width, initial-scale=1"`,
	} {
		if !strings.Contains(body, part) {
			t.Errorf("expected %s: %s", what, part)
		}
	}
}

func TestTokensOfAnotherIssuer(t *testing.T) {
	f := serve(t, false)
	body := f.get(t, "/").body
	field := regexp.MustCompile(`<textarea id="token"[^>]*>`).FindString(body)
	if field == "" || strings.Contains(field, "name=") {
		t.Errorf("expected a field that no form sends, got %q", field)
	}
	if strings.Contains(body, "/rotate") || strings.Contains(body, `name="audience"`) {
		t.Error("expected no way to make tokens")
	}
	for path, want := range map[string]int{"/rotate": 409, "/revoke": 409} {
		if a := f.post(t, path, nil); a.status != want || !strings.Contains(a.message(t), "paste it") {
			t.Errorf("expected %s to be refused with %d, got %d %s", path, want, a.status, a.body)
		}
	}
	for preset, want := range map[string]int{"pasted": 200, "without": 200, "good": 400, "expired": 400} {
		a := f.post(t, "/prepare", url.Values{"preset": {preset}, "expiry": {"60"}})
		if a.status != want || strings.Contains(a.body, "Bearer") {
			t.Errorf("expected %d for %s and no token, got %d %s", want, preset, a.status, a.body)
		}
	}
}

func TestKeys(t *testing.T) {
	f := serve(t, true)
	a := f.post(t, "/rotate", nil)
	token, err := f.issuer.Token(issuer.TokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	header := part(t, token, 0)
	if a.status != 200 || !strings.Contains(a.message(t), header["kid"].(string)) {
		t.Errorf("expected to be told the key of new tokens, %v, got %d %s", header["kid"], a.status, a.body)
	}
	keys := func() int {
		w := httptest.NewRecorder()
		f.issuer.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil))
		return strings.Count(w.Body.String(), `"kid"`)
	}
	if n := keys(); n != 3 {
		t.Errorf("expected the former key to stay published, got %d keys", n)
	}
	if a := f.post(t, "/revoke", nil); a.status != 200 || keys() != 2 {
		t.Errorf("expected the former key to be gone, got %d, %d keys", a.status, keys())
	}
}

func TestLatestRequests(t *testing.T) {
	f := serve(t, true)
	f.record(gateway.Exchange{RequestID: "first", Method: "GET", Path: "/test/<script>alert(1)</script>", Status: 403, AnsweredBy: "gateway",
		Reason: "no <b>such</b> path", Time: time.Now(), Steps: []gateway.Step{{Hop: "route", Detail: "<img src=x>"}}})
	if opened := f.get(t, "/?number=1").body; !strings.Contains(opened, "&lt;img src=x&gt;") {
		t.Error("expected the steps of the one that is open")
	}
	f.Report(Status{State: Failed, At: time.Now(), Detail: "seats.rego:3: rego_parse_error: <tag>"})
	body := f.get(t, "/").body
	for _, want := range []string{"/test/&lt;script&gt;", "no &lt;b&gt;such", "Not reloaded", "rego_parse_error: &lt;tag&gt;"} {
		if !strings.Contains(body, want) {
			t.Errorf("expected %q on the page", want)
		}
	}
	for range 2 * kept {
		f.record(gateway.Exchange{Method: "GET", Path: "/test/seats", Status: 200})
	}
	body = f.get(t, "/").body
	if n := strings.Count(body, "<li><a href"); n != kept || strings.Contains(body, "alert") {
		t.Errorf("expected the latest %d requests, got %d", kept, n)
	}
	f.Report(Status{State: Serving, At: time.Now()})
	if body := f.get(t, "/").body; strings.Contains(body, "rego_parse_error") {
		t.Error("expected the error to be gone")
	}
}

func TestStackAsJSON(t *testing.T) {
	want := `{"project":"cinema","name":"test","endpoints":[` +
		`{"method":"GET","path":"/seats/{row}","url":"http://127.0.0.1:8080/test/seats/example","header":"Authorization","policy":"policies/seats",` +
		`"allowed":{"scope":"read:seats","permissions":"see:rows"},"denied":{"scope":"book:seats"}},` +
		`{"method":"POST","path":"/seats","url":"http://127.0.0.1:8080/test/seats","header":"","policy":"","allowed":null,"denied":null}],` +
		`"issuer":"http://127.0.0.1:8081/","audience":"https://seats.test/","scopes":["book:seats","read:seats"],"notices":["aws:dynamodb/table:Table seats: not run here \u003cb\u003e"]}`
	if a := serve(t, true).get(t, "/stack"); a.status != 200 || a.body != want {
		t.Errorf("expected %s, got %d %s", want, a.status, a.body)
	}
}

func TestPageSaysWhatIsNotRun(t *testing.T) {
	if body := serve(t, true).get(t, "/").body; !strings.Contains(body, "<li>aws:dynamodb/table:Table seats: not run here &lt;b&gt;</li>") {
		t.Error("expected the notices of the stack")
	}
}

func TestFormBeginsWithTheAllowedCaller(t *testing.T) {
	body := serve(t, true).get(t, "/").body
	for _, want := range []string{
		`value="read:seats" checked>`, `value="book:seats">`, `name="permissions" value="see:rows"`, `name="sub" value=""`,
		`<option selected>GET</option>`, `value="http://127.0.0.1:8080/test/seats/example" list="urls"`,
		`<option value="http://127.0.0.1:8080/test/seats">POST /seats</option>`,
		`data-hint="403 by policies/seats: the token is valid, and the policy denies this caller.">Denied: a token with the scope book:seats</option>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("expected %s on the page", want)
		}
	}
}

func TestStackWithoutPolicies(t *testing.T) {
	stack := Stack{Project: "cinema", Name: "test", Endpoints: []Endpoint{{Method: "POST", Path: "/seats", URL: apiOrigin + "/test/seats"}}}
	c, err := New(Options{Stack: func() Stack { return stack }, Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8082/", nil)
	c.ServeHTTP(page, r)
	if body := page.Body.String(); page.Code != 200 || !strings.Contains(body, "no endpoint has a policy") || strings.Contains(body, `value="denied"`) {
		t.Errorf("expected a page without rules and without a denied caller, got %d %s", page.Code, body)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing":  {},
		"no root":  {Stack: func() Stack { return Stack{} }},
		"no stack": {Root: "."},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: expected an error, got none", name)
		}
	}
}
