package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"account-api/local/running"
)

// counts is the line below the table.
var counts = regexp.MustCompile(`(?m)^(\d+) pass, (\d+) differ, (\d+) not run$`)

func TestTheFixtureConforms(t *testing.T) {
	url := serve(t, nil)
	for _, row := range []struct {
		name        string
		environment map[string]string
		arguments   []string
		notRun      string
		says        string
	}{
		{"without a token", nil, []string{"-url", url + "/orders"}, "16", "GET /reports with TOKEN (needs TOKEN)"},
		{"with a token", map[string]string{"CONFORM_TOKEN": " " + reader + "\n"}, []string{"-url", url}, "3", "GET /orders with TOKEN is allowed: answered"},
		{"with only the second token", nil, []string{"-url", url, "-token-without-scope", clerk}, "3", "GET /orders with TOKEN_WITHOUT_SCOPE is denied: 403"},
		{"with both, in the environment", both(), []string{"-url", url + "/"}, "0", "GET /reports with TOKEN is denied: 403"},
		{"with both, as flags, and what was answered", nil, []string{"-url", url + "/orders/7/lines", "-token", reader, "-token-without-scope", clerk, "-v"}, "0", ". GET /test/orders/conform/lines: 404"},
		{"about a method whose header no expression guards", both(), []string{"-url", url + "/reports"}, "4", "not run  with a lower-case scheme: 401 (needs an identityValidationExpression"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invoke(t, newClient(), row.environment, row.arguments...)
			found := counts.FindStringSubmatch(r.out)
			if r.status != exitConforms || found == nil || found[2] != "0" || found[3] != row.notRun || r.errs != "" || !strings.Contains(r.out, row.says) {
				t.Errorf("expected no difference, %s cases not run and %q, got exit status %d:\n%s%s", row.notRun, row.says, r.status, r.out, r.errs)
			}
			if !strings.Contains(r.out, "POST /admin was not called") || !strings.Contains(r.out, "This is an emulation") {
				t.Errorf("expected remarks about what was not asked, got:\n%s", r.out)
			}
		})
	}
}

func TestRemarksAboutWhatNoTokenShows(t *testing.T) {
	url := serve(t, nil)
	g := shop()
	for i, r := range g.Resources {
		if r.Name == "reportsGET" {
			g.Resources[i].Inputs["authorization"] = "AWS_IAM"
		}
	}
	root := checkout(t, g)
	for _, row := range []struct{ name, token, says string }{
		{"a token that every policy allows", reader, "Nothing was tried that a policy denies"},
		{"a token that every policy denies", clerk, "Nothing was tried that a policy allows"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invokeIn(t, root, newClient(), nil, "-graph", filepath.Join(root, "graph.json"), "-url", url, "-token", row.token)
			if r.status != exitConforms || !strings.Contains(r.out, row.says) {
				t.Errorf("expected %q, got exit status %d:\n%s%s", row.says, r.status, r.out, r.errs)
			}
		})
	}
}

// deployed serves the fixture under any name, over TLS, as API Gateway does.
func deployed(t *testing.T, base string, http2 bool, mutate func(*http.Request, *reply)) *http.Client {
	t.Helper()
	server := httptest.NewUnstartedServer(&gateway{t: t, base: base, mutate: mutate})
	server.EnableHTTP2 = http2
	server.StartTLS()
	t.Cleanup(server.Close)
	client := newClient()
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.com"} // that of the test's certificate
	transport.ForceAttemptHTTP2 = http2
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	client.Transport = transport
	return client
}

// The version of HTTP is no difference, nor is a domain, which has no stage.
func TestTransportIsNoDifference(t *testing.T) {
	for _, row := range []struct {
		name, base, url string
		http2           bool
		says            string
	}{
		{"HTTP/2", "/test", "https://abcdefghij.execute-api.eu-north-1.amazonaws.com/test/orders", true, "/test on API Gateway, over HTTP/2.0"},
		{"HTTP/1.1", "/test", "https://abcdefghij.execute-api.eu-north-1.amazonaws.com/test", false, "/test on API Gateway, over HTTP/1.1"},
		{"the stack's domain", "/v1", "https://api.shop.test/v1", true, "https://api.shop.test/v1 on API Gateway"},
		{"an endpoint of the stack's domain", "/v1", "https://api.shop.test/v1/orders/7/lines", true, "https://api.shop.test/v1 on API Gateway"},
		{"another domain", "", "https://shop.test/orders", true, "(Neither API Gateway nor the stack names the host shop.test"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invoke(t, deployed(t, row.base, row.http2, nil), both(), "-url", row.url)
			if r.status != exitConforms || !strings.Contains(r.out, row.says) {
				t.Errorf("expected no difference, and %q, got exit status %d:\n%s%s", row.says, r.status, r.out, r.errs)
			}
		})
	}
}

func TestOpenQuestions(t *testing.T) {
	const url = "https://abcdefghij.execute-api.eu-north-1.amazonaws.com/test"
	for _, row := range []struct {
		name   string
		mutate func(*http.Request, *reply)
		says   []string
	}{
		{"a healthy stage settles what can be asked", nil, []string{
			"settled  an unknown path with an Authorization header\n             assumed: 403 MissingAuthenticationTokenException, as without one\n             saw: 403 MissingAuthenticationTokenException with {message}",
			"open     the error type of an authorizer that fails other than with Unauthorized",
			"4 settled, 3 open"}},
		{"a broken authorizer settles its error type", func(_ *http.Request, a *reply) {
			if a.status == 401 {
				a.status, a.body = 500, `{"message":null}`
				a.header.Set(errorType, "AuthorizerFailureException")
			}
		}, []string{"saw: 500 AuthorizerFailureException with {message}", "5 settled"}},
		{"a policy that denies settles the spelling of its message", onStatus(200, func(a *reply) {
			a.status, a.body = 403, `{"Message":"User is not authorized to access this resource"}`
			a.header.Set(errorType, "AccessDeniedException")
		}), []string{"saw: 403 AccessDeniedException with {Message}"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invoke(t, deployed(t, "/test", true, row.mutate), both(), "-url", url)
			for _, want := range row.says {
				if !strings.Contains(r.out, want) {
					t.Errorf("expected the output to say %q, got:\n%s%s", want, r.out, r.errs)
				}
			}
		})
	}
}

func TestWaitForAnAuthorizerIsObserved(t *testing.T) {
	p := &plan{first: endpoint{verb: "GET", path: "/orders"}}
	for _, took := range []time.Duration{29123 * time.Millisecond, 40 * time.Millisecond} {
		failed := &answer{Response: &http.Response{StatusCode: 500, Header: http.Header{}}, body: `{"message":null}`, took: took}
		failed.Header.Set(errorType, "AuthorizerConfigurationException")
		saw := ""
		for _, q := range p.questions() {
			if strings.HasPrefix(q.text, "how long") {
				saw = q.observe(t.Context(), &caller{seen: []*answer{failed}})
			}
		}
		if took > slow != strings.Contains(saw, "after 29.1 s") {
			t.Errorf("expected to observe slow authorizers only, got %q after %v", saw, took)
		}
	}
}

func TestStoppedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	url := serve(t, func(r *http.Request, _ *reply) {
		if r.Header.Get("Authorization") != "" {
			cancel()
		}
	})
	root := checkout(t, shop())
	code := run(ctx, []string{"-root", root, "-graph", filepath.Join(root, "graph.json"), "-url", url}, func(string) string { return "" }, newClient(), &out, &errs)
	if code != exitNotRun || !strings.Contains(errs.String(), "stopped after") {
		t.Errorf("expected a stopped run to be no result, got exit status %d: %s", code, &errs)
	}
}

// Whatever the project declares, what it declares is what it answers.
func TestThisProjectConforms(t *testing.T) {
	const root = "../.."
	stack, err := running.Start(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
	}()
	token, lesser := callers(t, stack)
	r := invokeIn(t, root, newClient(), map[string]string{"CONFORM_TOKEN": token, "CONFORM_TOKEN_WITHOUT_SCOPE": lesser}, "-url", stack.API)
	found := counts.FindStringSubmatch(r.out)
	if found == nil {
		t.Fatalf("expected a result, got exit status %d:\n%s%s", r.status, r.out, r.errs)
	}
	differ, lacking := found[2], "0"
	if stack.Granted(http.StatusInternalServerError) { // a handler may lack its table
		lacking = strconv.Itoa(strings.Count(r.out, "expected neither 401, 403 nor an error of the server, got 500"))
	}
	if differ != lacking || differ == "0" && r.status != exitConforms {
		t.Errorf("expected no difference but %s, which are for want of a table, got exit status %d:\n%s%s", lacking, r.status, r.out, r.errs)
	}
	agreesWithOpenAPI(t, stack, token, lesser)
}

// callers are the tokens of two callers, of whom the first may do more. Where the policy denies
// nobody that is known, both are the same.
func callers(t *testing.T, stack *running.Stack) (token, lesser string) {
	t.Helper()
	token, err := stack.Allowed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stack.Endpoint().Denied == nil {
		return token, token
	}
	if lesser, err = stack.Denied(t.Context()); err != nil {
		t.Fatal(err)
	}
	return token, lesser
}
