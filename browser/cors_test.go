package browser

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// read is what a page learned from a request.
type read struct {
	Status    int    `json:"status"`
	Body      string `json:"body"`
	Challenge string `json:"challenge"`
	RequestID string `json:"requestId"`
	Blocked   string `json:"blocked"` // what fetch threw, "" when the page could read the answer
}

// fetch makes the page send a request, as its scripts would.
// https://fetch.spec.whatwg.org/#fetch-method
func fetch(t *testing.T, tab context.Context, url string, options map[string]any) read {
	t.Helper()
	arguments, err := json.Marshal([]any{url, options})
	if err != nil {
		t.Fatal(err)
	}
	return get(t, tab, chromedp.Evaluate[read](`(async ([url, options]) => {
		try {
			const answer = await fetch(url, options);
			return {
				status: answer.status, body: await answer.text(),
				challenge: answer.headers.get("WWW-Authenticate") ?? "", requestId: answer.headers.get("x-amzn-RequestId") ?? "",
			};
		} catch (blocked) {
			return {blocked: String(blocked)};
		}
	})(`+string(arguments)+`)`, chromedp.EvalAwaitPromise))
}

func with(authorization string) map[string]any {
	return map[string]any{"headers": map[string]string{"Authorization": authorization}}
}

// content checks the body that a page has read.
type content func(t *testing.T, body string)

func something(t *testing.T, body string) {
	if body == "" {
		t.Error("expected the page to read a body")
	}
}

func denial(t *testing.T, body string) { reason(t, body) }

// fromGateway is the body of an answer that API Gateway makes by itself.
func fromGateway(message string) content {
	return func(t *testing.T, body string) {
		if want := `{"message":"` + message + `"}`; body != want {
			t.Errorf("expected the page to read %s, got %s", want, body)
		}
	}
}

var (
	unauthorized = fromGateway("Unauthorized")
	noRoute      = fromGateway("Missing Authentication Token")
)

func expectRead(t *testing.T, r read, status int, body content) {
	t.Helper()
	if r.Blocked != "" || r.Status != status && !(status == http.StatusOK && shared.Granted(r.Status)) {
		t.Errorf("expected the page to read %d, got %d %s (%s)", status, r.Status, r.Body, r.Blocked)
		return
	}
	body(t, r.Body)
}

func expectBlocked(t *testing.T, r read) {
	t.Helper()
	if !strings.Contains(r.Blocked, "TypeError") {
		t.Errorf("expected the browser to block it, got %d %s (%s)", r.Status, r.Body, r.Blocked)
	}
}

// otherStage returns the URL with its first segment, the stage, replaced.
func otherStage(t *testing.T, endpoint string) string {
	t.Helper()
	u, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	u.Path = "/no-such-stage/" + path
	return u.String()
}

func TestAPageOnAnotherOrigin(t *testing.T) {
	endpoint, allowed, denied := shared.url(), shared.allowed(t), shared.denied(t)
	unknown := endpoint + "/no/such/path"
	tab := open(t, site(t))

	for _, row := range []struct {
		name, url string
		options   map[string]any
		status    int
		body      content
	}{
		{"reads 200 with a token", endpoint, with(allowed), 200, something},
		{"reads 403 with the reason of the policy", endpoint, with(denied), 403, denial},
		{"reads 401 of a token that the authorizer refuses", endpoint, with("Bearer aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"), 401, unauthorized},
		{"reads 401 of a token that never gets there", endpoint, with("Bearer x"), 401, unauthorized},
		{"reads 401 without a token, for which no preflight is made", endpoint, nil, 401, unauthorized},
		{"reads 403 of an unknown path, if it sends no token", unknown, nil, 403, noRoute},
		{"reads 403 of POST to it, which no preflight can forbid", unknown, map[string]any{"method": "POST", "body": "x"}, 403, noRoute},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := fetch(t, tab, row.url, row.options)
			expectRead(t, r, row.status, row.body)
			if len(r.RequestID) != 36 {
				t.Errorf("expected the page to read the request ID, got %q", r.RequestID)
			}
			if want := map[bool]string{true: "Bearer"}[row.status == 401]; r.Challenge != want {
				t.Errorf("expected the challenge %q, got %q", want, r.Challenge)
			}
		})
	}
	for _, row := range []struct {
		name, url string
		options   map[string]any
	}{
		{"does not learn that a path is unknown, if it sends a token", unknown, with(allowed)},
		{"does not learn that a stage is unknown", otherStage(t, endpoint), nil},
		{"cannot use a method that the preflight does not allow", endpoint, map[string]any{"method": "PURGE"}},
		{"cannot send a header that the preflight does not allow", endpoint, map[string]any{"headers": map[string]string{"X-Other": "x"}}},
		{"cannot send cookies, as any origin is allowed", endpoint, map[string]any{"credentials": "include"}},
	} {
		t.Run(row.name, func(t *testing.T) { expectBlocked(t, fetch(t, tab, row.url, row.options)) })
	}
}

// counter counts what a browser sends to an endpoint. A maxAge replaces how long the
// answer to a preflight may be kept.
type counter struct {
	url              string
	preflights, rest atomic.Int64
}

func count(t *testing.T, endpoint, maxAge string) *counter {
	t.Helper()
	upstream, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{}
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: upstream.Scheme, Host: upstream.Host}) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method != http.MethodOptions {
				c.rest.Add(1)
				return nil
			}
			c.preflights.Add(1)
			if maxAge != "" {
				r.Header.Set("Access-Control-Max-Age", maxAge)
			}
			return nil
		},
	})
	t.Cleanup(server.Close)
	c.url = server.URL + upstream.Path
	return c
}

func TestPreflightIsCached(t *testing.T) {
	allowed := shared.allowed(t)
	for _, row := range []struct {
		name, maxAge string
		calls, want  int64
	}{
		{"one preflight is enough for five calls", "", 5, 1},
		{"without a cache each call has one", "0", 5, 5},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := count(t, shared.url(), row.maxAge)
			tab := open(t, site(t))
			for range row.calls {
				expectRead(t, fetch(t, tab, c.url, with(allowed)), 200, something)
			}
			if got := c.preflights.Load(); got != row.want {
				t.Errorf("expected %d preflights for %d calls, got %d", row.want, row.calls, got)
			}
		})
	}
}

func TestOneAllowedOrigin(t *testing.T) {
	t.Run("another one is blocked, whatever the answer", func(t *testing.T) {
		s := startStack(t, root, "-config", "allowedOrigin=https://other.example")
		c := count(t, s.url(), "")
		tab := open(t, site(t))
		expectBlocked(t, fetch(t, tab, c.url, with(s.allowed(t))))
		expectBlocked(t, fetch(t, tab, c.url, with("Bearer x")))
		if preflights, rest := c.preflights.Load(), c.rest.Load(); preflights == 0 || rest > 0 {
			t.Errorf("expected preflights to stop both calls with a token, got %d preflights and %d calls", preflights, rest)
		}
		expectBlocked(t, fetch(t, tab, c.url, nil))
		if rest := c.rest.Load(); rest != 1 {
			t.Errorf("expected the call without a token to be sent, got %d calls", rest)
		}
	})
	t.Run("the allowed one reads every answer", func(t *testing.T) {
		origin := site(t)
		s := startStack(t, root, "-config", "allowedOrigin="+origin)
		tab := open(t, origin)
		expectRead(t, fetch(t, tab, s.url(), with(s.allowed(t))), 200, something)
		expectRead(t, fetch(t, tab, s.url(), with(s.denied(t))), 403, denial)
		expectRead(t, fetch(t, tab, s.url(), nil), 401, unauthorized)
	})
}
