package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/local/example"
	"account-api/local/running"
)

// Both take seconds to start, so tests share them: see [need]. Every test opens pages
// of its own, and where caches matter on an origin of its own.
var (
	chromium *Browser
	stack    *running.Stack // as make run starts it
)

var start = sync.OnceValue(func() (err error) {
	if chromium, err = Launch(); err != nil {
		return err
	}
	stack, err = running.Start(context.Background(), "../..")
	return err
})

func need(t *testing.T) {
	t.Helper()
	if err := start(); err != nil {
		t.Fatal(err)
	}
}

// TestMain says once what is missing, not once a test.
func TestMain(m *testing.M) {
	if _, err := Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	var err error
	if chromium != nil {
		err = chromium.Close()
	}
	if stack != nil {
		err = errors.Join(err, stack.Stop())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// patience is how long the browser may take for anything but a start of the stack.
const patience = time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// site serves an empty page on an origin of its own, and returns that origin.
func site(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>a page on another origin</title>")
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func open(t *testing.T, url string) *Page {
	t.Helper()
	need(t)
	p, err := chromium.Open(within(t), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return p
}

func startStack(t *testing.T, root string, arguments ...string) *running.Stack {
	t.Helper()
	s, err := running.Start(t.Context(), root, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func token(t *testing.T, s *running.Stack, scope string) string {
	t.Helper()
	token, err := s.Token(t.Context(), example.Caller{Scope: scope})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// read is what a page learned from a request.
type read struct {
	Status    int    `json:"status"`
	Body      string `json:"body"`
	Challenge string `json:"challenge"`
	RequestID string `json:"requestId"`
	Blocked   string `json:"blocked"` // what fetch threw, "" when the page could read the answer
}

// fetch makes the page call the API, as its scripts would.
// https://fetch.spec.whatwg.org/#fetch-method
func fetch(t *testing.T, p *Page, url string, options map[string]any) read {
	t.Helper()
	script, err := json.Marshal([]any{url, options})
	if err != nil {
		t.Fatal(err)
	}
	var r read
	err = p.Evaluate(within(t), `(async ([url, options]) => {
		try {
			const answer = await fetch(url, options);
			return {
				status: answer.status, body: await answer.text(),
				challenge: answer.headers.get("WWW-Authenticate") ?? "", requestId: answer.headers.get("x-amzn-RequestId") ?? "",
			};
		} catch (blocked) {
			return {blocked: String(blocked)};
		}
	})(`+string(script)+`)`, &r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bearing(token string) map[string]any {
	return map[string]any{"headers": map[string]string{"Authorization": "Bearer " + token}}
}

// The answers of the API.
const (
	profileBody      = `{"name":"Daniël"}`
	noScopeBody      = `{"message":"Error: Forbidden","info":"scope \"get:profile\" is required"}`
	unauthorizedBody = `{"message":"Unauthorized"}`
	noRouteBody      = `{"message":"Missing Authentication Token"}`
)

func expectRead(t *testing.T, r read, status int, body string) {
	t.Helper()
	if r.Blocked != "" || r.Status != status || r.Body != body {
		t.Errorf("expected the page to read %d %s, got %d %s (%s)", status, body, r.Status, r.Body, r.Blocked)
	}
}

func expectBlocked(t *testing.T, r read) {
	t.Helper()
	if !strings.Contains(r.Blocked, "TypeError") {
		t.Errorf("expected the browser to block it, got %d %s (%s)", r.Status, r.Body, r.Blocked)
	}
}

func TestAPageOnAnotherOrigin(t *testing.T) {
	need(t)
	s := stack
	p := open(t, site(t))
	good, scant := token(t, s, "get:profile"), token(t, s, "update:profile")

	for _, row := range []struct {
		name, url string
		options   map[string]any
		status    int
		body      string
	}{
		{"reads 200 with a token", s.API, bearing(good), 200, profileBody},
		{"reads 403 with the reason of the policy", s.API, bearing(scant), 403, noScopeBody},
		{"reads 401 of a token that the authorizer refuses", s.API, bearing("aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"), 401, unauthorizedBody},
		{"reads 401 of a token that never gets there", s.API, bearing("x"), 401, unauthorizedBody},
		{"reads 401 without a token, for which no preflight is made", s.API, nil, 401, unauthorizedBody},
		{"reads 403 of an unknown path, if it sends no token", s.API + "s", nil, 403, noRouteBody},
		{"reads 403 of POST, which no preflight can forbid", s.API, map[string]any{"method": "POST", "body": "x"}, 403, noRouteBody},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := fetch(t, p, row.url, row.options)
			expectRead(t, r, row.status, row.body)
			if len(r.RequestID) != 36 {
				t.Errorf("expected the page to read the request ID, got %q", r.RequestID)
			}
			if want := map[bool]string{true: "Bearer"}[row.status == 401]; r.Challenge != want {
				t.Errorf("expected the challenge %q, got %q", want, r.Challenge)
			}
		})
	}
	stage, path, _ := strings.Cut(strings.TrimPrefix(s.API, "http://"), "/dev/")
	for _, row := range []struct {
		name, url string
		options   map[string]any
	}{
		{"does not learn that a path is unknown, if it sends a token", s.API + "s", bearing(good)},
		{"does not learn that a stage is unknown", "http://" + stage + "/staging/" + path, nil},
		{"cannot DELETE, which the preflight does not allow", s.API, map[string]any{"method": "DELETE"}},
		{"cannot send a header that the preflight does not allow", s.API, map[string]any{"headers": map[string]string{"X-Other": "x"}}},
		{"cannot send cookies, as any origin is allowed", s.API, map[string]any{"credentials": "include"}},
	} {
		t.Run(row.name, func(t *testing.T) { expectBlocked(t, fetch(t, p, row.url, row.options)) })
	}
}

// counter counts the preflights on their way to a stack.
func counter(t *testing.T, s *running.Stack, maxAge string) (api string, preflights *atomic.Int64) {
	t.Helper()
	upstream, err := url.Parse(s.API)
	if err != nil {
		t.Fatal(err)
	}
	preflights = &atomic.Int64{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: upstream.Scheme, Host: upstream.Host}) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method == http.MethodOptions {
				preflights.Add(1)
				if maxAge != "" {
					r.Header.Set("Access-Control-Max-Age", maxAge)
				}
			}
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL + upstream.Path, preflights
}

func TestPreflightIsCached(t *testing.T) {
	need(t)
	s := stack
	good := token(t, s, "get:profile")
	for _, row := range []struct {
		name, maxAge string
		calls, want  int64
	}{
		{"one preflight is enough for five calls", "", 5, 1},
		{"were it not to be kept, each call would have one", "0", 5, 5},
	} {
		t.Run(row.name, func(t *testing.T) {
			api, preflights := counter(t, s, row.maxAge)
			p := open(t, site(t))
			for range row.calls {
				expectRead(t, fetch(t, p, api, bearing(good)), 200, profileBody)
			}
			if got := preflights.Load(); got != row.want {
				t.Errorf("expected %d preflights for %d calls, got %d", row.want, row.calls, got)
			}
		})
	}
}

func TestOneAllowedOrigin(t *testing.T) {
	t.Run("another one is blocked, whatever the answer", func(t *testing.T) {
		s := startStack(t, "../..", "-config", "account-api:allowedOrigin=https://other.example")
		p := open(t, site(t))
		expectBlocked(t, fetch(t, p, s.API, bearing(token(t, s, "get:profile"))))
		expectBlocked(t, fetch(t, p, s.API, bearing("x")))
		expectBlocked(t, fetch(t, p, s.API, nil))
		if out := s.Output(); strings.Contains(out, "GET /dev/profile 200") {
			t.Errorf("expected the preflight to stop the call with a token, got:\n%s", out)
		}
	})
	t.Run("the allowed one reads every answer", func(t *testing.T) {
		origin := site(t)
		s := startStack(t, "../..", "-config", "account-api:allowedOrigin="+origin)
		p := open(t, origin)
		expectRead(t, fetch(t, p, s.API, bearing(token(t, s, "get:profile"))), 200, profileBody)
		expectRead(t, fetch(t, p, s.API, bearing(token(t, s, "update:profile"))), 403, noScopeBody)
		expectRead(t, fetch(t, p, s.API, nil), 401, unauthorizedBody)
	})
}
