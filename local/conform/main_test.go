package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"account-api/local/running"
)

// The stack that tests share, with a token of each kind: see [needStack].
var (
	stack       *running.Stack
	good, scant string
)

// start starts it once. Fuzzing, which starts many processes of this test, needs none.
var start = sync.OnceValue(func() (err error) {
	ctx := context.Background()
	if stack, err = running.Start(ctx, "../.."); err != nil {
		return err
	}
	if good, err = stack.Token(ctx, "get:profile"); err != nil {
		return err
	}
	scant, err = stack.Token(ctx, "update:profile")
	return err
})

func needStack(t *testing.T) {
	t.Helper()
	if err := start(); err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if stack != nil {
		if err := stack.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// result is one run of the command.
type result struct {
	status    int
	out, errs string
}

func invoke(t *testing.T, client *http.Client, environment map[string]string, arguments ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), arguments, func(name string) string { return environment[name] }, client, &out, &errs)
	for _, token := range []string{good, scant} {
		for _, part := range strings.Split(token, ".") {
			if text := out.String() + errs.String(); strings.Contains(text, part) {
				t.Errorf("expected no part of a token in the output, got one:\n%s", strings.ReplaceAll(text, part, "<HERE>"))
			}
		}
	}
	return result{code, out.String(), errs.String()}
}

// counts is the line below the table.
var counts = regexp.MustCompile(`(?m)^\d+ pass, (\d+) differ, (\d+) not run$`)

// tokens are in the environment, where make conform puts them.
func tokens() map[string]string {
	return map[string]string{"CONFORM_TOKEN": good, "CONFORM_TOKEN_WITHOUT_SCOPE": scant}
}

// relay passes requests on to the stack, and its answers back as mutate changes them.
type relay struct {
	t      *testing.T
	mutate func(r *http.Request, a *reply)
}

// reply is an answer that may be changed.
type reply struct {
	status  int
	header  http.Header
	body    string
	chunked bool // no Content-Length
}

func (p *relay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upstream, err := url.Parse(stack.API)
	if err != nil {
		p.t.Error(err)
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI, out.Host = "", upstream.Host
	out.URL.Scheme, out.URL.Host = upstream.Scheme, upstream.Host
	if r.Header.Get("User-Agent") != userAgent {
		p.t.Errorf("expected the user agent %q, got %q", userAgent, r.Header.Get("User-Agent"))
	}
	response, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		p.t.Error(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Error(err)
		return
	}
	a := &reply{status: response.StatusCode, header: response.Header, body: string(text)}
	if p.mutate != nil {
		p.mutate(r, a)
	}
	if r.Method != http.MethodHead && a.status != http.StatusNoContent && a.header.Get("Content-Length") != "" {
		a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if a.chunked {
		w.(http.Flusher).Flush()
	}
	if r.Method != http.MethodHead {
		io.WriteString(w, a.body)
	}
}

// serve starts a relay and returns the endpoint's URL there.
func serve(t *testing.T, mutate func(*http.Request, *reply)) string {
	t.Helper()
	server := httptest.NewServer(&relay{t, mutate})
	t.Cleanup(server.Close)
	return server.URL + "/dev/profile"
}

func TestTheLocalStackConforms(t *testing.T) {
	needStack(t)
	for _, row := range []struct {
		name        string
		environment map[string]string
		arguments   []string
		notRun      string
	}{
		{"without a token", nil, nil, "20"},
		{"with a token", map[string]string{"CONFORM_TOKEN": " " + good + "\n"}, nil, "4"},
		{"with only a token that lacks the scope", nil, []string{"-token-without-scope", scant}, "17"},
		{"with both, in the environment", tokens(), nil, "0"},
		{"with both, as flags", nil, []string{"-token", good, "-token-without-scope", scant, "-v"}, "0"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invoke(t, newClient(), row.environment, append([]string{"-url", stack.API}, row.arguments...)...)
			found := counts.FindStringSubmatch(r.out)
			if r.status != exitConforms || found == nil || found[1] != "0" || found[2] != row.notRun || r.errs != "" {
				t.Errorf("expected no difference and %s cases not run, got exit status %d:\n%s%s", row.notRun, r.status, r.out, r.errs)
			}
			if !strings.Contains(r.out, "Not settled") || strings.Contains(r.out, "settled  ") {
				t.Errorf("expected an emulation to settle nothing, got:\n%s", r.out)
			}
		})
	}
	t.Run("with a trailing slash in the URL", func(t *testing.T) {
		if r := invoke(t, newClient(), nil, "-url", stack.API+"/"); r.status != exitConforms {
			t.Errorf("expected no difference, got exit status %d:\n%s%s", r.status, r.out, r.errs)
		}
	})
}

// What CloudFront adds before an edge-optimized API, and what HTTP/2 takes away, is
// not a difference.
func TestTransportIsNoDifference(t *testing.T) {
	needStack(t)
	server := httptest.NewUnstartedServer(&relay{t, func(_ *http.Request, a *reply) {
		a.header.Del("Connection")
		a.header.Del("Content-Length")
		for name, value := range map[string]string{
			"Via": "1.1 0123456789abcdef.cloudfront.net (CloudFront)", "X-Cache": "Error from cloudfront",
			"X-Amz-Cf-Pop": "FRA56-P1", "X-Amz-Cf-Id": "aBcDeF-0123456789==", "Alt-Svc": `h3=":443"; ma=86400`,
		} {
			a.header.Set(name, value)
		}
	}})
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, row := range []struct{ name, proto string }{{"HTTP/2", "HTTP/2.0"}, {"HTTP/1.1", "HTTP/1.1"}} {
		t.Run(row.name, func(t *testing.T) {
			client := newClient()
			transport := server.Client().Transport.(*http.Transport).Clone()
			if row.proto == "HTTP/1.1" {
				transport.ForceAttemptHTTP2 = false
				transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
			}
			client.Transport = transport
			r := invoke(t, client, tokens(), "-url", server.URL+"/dev/profile")
			if r.status != exitConforms || !strings.Contains(r.out, "over "+row.proto) {
				t.Errorf("expected no difference over %s, got exit status %d:\n%s%s", row.proto, r.status, r.out, r.errs)
			}
		})
	}
}

// differing returns the rows that a run found to differ, as "group: name".
func differing(out string) map[string]bool {
	found := map[string]bool{}
	group := ""
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "  differ   "); ok {
			found[group+": "+name] = true
		} else if line != "" && line[0] != ' ' {
			group = line
		}
	}
	return found
}

func TestOneAllowedOrigin(t *testing.T) {
	needStack(t)
	const origin = "https://app.example.com"
	allow := func(vary bool) func(*http.Request, *reply) {
		return func(_ *http.Request, a *reply) {
			if a.header.Get("Access-Control-Allow-Origin") != "" {
				a.header.Set("Access-Control-Allow-Origin", origin)
				if vary {
					a.header.Set("Vary", "Accept-Encoding, Origin")
				}
			}
		}
	}
	if r := invoke(t, newClient(), tokens(), "-url", serve(t, allow(true))); r.status != exitConforms {
		t.Errorf("expected one origin to be fine, got exit status %d:\n%s%s", r.status, r.out, r.errs)
	}
	if r := invoke(t, newClient(), tokens(), "-url", serve(t, allow(false))); !differing(r.out)["preflight: it allows an origin"] {
		t.Errorf("expected one origin without Vary to differ, got exit status %d:\n%s%s", r.status, r.out, r.errs)
	}
}

func TestStoppedRunSaysSo(t *testing.T) {
	needStack(t)
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs bytes.Buffer
	endpoint := serve(t, func(r *http.Request, _ *reply) {
		if r.Header.Get("Authorization") != "" {
			cancel()
		}
	})
	code := run(ctx, []string{"-url", endpoint}, func(string) string { return "" }, newClient(), &out, &errs)
	if code != exitNotRun || !strings.Contains(errs.String(), "stopped after") {
		t.Errorf("expected a stopped run to be no result, got exit status %d: %s", code, &errs)
	}
}
