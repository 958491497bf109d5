package main

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var discard = log.New(io.Discard, "", 0)

// deployed serves a relay under any name, over TLS, as API Gateway does.
func deployed(t *testing.T, mutate func(*http.Request, *reply)) *http.Client {
	t.Helper()
	server := httptest.NewUnstartedServer(&relay{t, mutate})
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	client := newClient()
	transport := server.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.com"} // that of the test's certificate
	transport.ForceAttemptHTTP2 = true
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	client.Transport = transport
	return client
}

const executeAPIURL = "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/dev/profile"

func TestOpenQuestions(t *testing.T) {
	needStack(t)
	t.Run("a healthy stage settles what can be asked", func(t *testing.T) {
		r := invoke(t, deployed(t, nil), tokens(), "-url", executeAPIURL)
		for _, want := range []string{
			"on API Gateway, over HTTP/2.0",
			"settled  an unknown path with an Authorization header\n             assumed: 403 MissingAuthenticationTokenException, as without one\n             saw: 403 MissingAuthenticationTokenException with {message}",
			"open     the error type of an authorizer that fails other than with Unauthorized",
			"to settle it: take AUDIENCE from the authorizer's environment",
			"open     integrationLatency when the authorizer's answer was cached",
			"4 settled, 5 open",
		} {
			if !strings.Contains(r.out, want) {
				t.Errorf("expected the output to say %q, got:\n%s%s", want, r.out, r.errs)
			}
		}
	})
	t.Run("a broken authorizer settles its error type", func(t *testing.T) {
		r := invoke(t, deployed(t, func(req *http.Request, a *reply) {
			if strings.Count(req.Header.Get("Authorization"), ".") == 2 && a.status == 401 {
				a.status, a.body = 500, `{"message":null}`
				a.header.Set(errorTypeHeader, "AuthorizerFailureException")
			}
		}), nil, "-url", executeAPIURL)
		if !strings.Contains(r.out, "saw: 500 AuthorizerFailureException with {message}") || r.status != exitDiffers {
			t.Errorf("expected the type to be observed, got exit status %d:\n%s", r.status, r.out)
		}
	})
	t.Run("a policy that denies settles the spelling of its message", func(t *testing.T) {
		r := invoke(t, deployed(t, func(_ *http.Request, a *reply) {
			if a.status == 200 {
				a.status, a.body = 403, `{"Message":"User is not authorized to access this resource"}`
				a.header.Set(errorTypeHeader, "AccessDeniedException")
			}
		}), tokens(), "-url", executeAPIURL)
		if !strings.Contains(r.out, "saw: 403 AccessDeniedException with {Message}") {
			t.Errorf("expected the key to be observed, got:\n%s", r.out)
		}
	})
	t.Run("a custom domain is evidence only if it is one", func(t *testing.T) {
		r := invoke(t, deployed(t, nil), nil, "-url", "https://api.example.com/dev/profile")
		if !strings.Contains(r.out, "(api.example.com is not a name that API Gateway gives") || !strings.Contains(r.out, "not run  an unknown stage is forbidden (needs a URL that names a stage") {
			t.Errorf("expected doubt about the host and no case about stages, got:\n%s", r.out)
		}
	})
}

func TestWaitForAnAuthorizerIsObserved(t *testing.T) {
	failed := &answer{status: 500, header: http.Header{errorTypeHeader: {"AuthorizerConfigurationException"}}, body: `{"message":null}`}
	for _, row := range []struct {
		took time.Duration
		saw  string
	}{
		{29123 * time.Millisecond, "500 AuthorizerConfigurationException with {message} after 29.1s"},
		{40 * time.Millisecond, ""},
	} {
		failed.took = row.took
		questions := fromAnswers([]*answer{failed})
		if got := questions[len(questions)-1].saw; got != row.saw {
			t.Errorf("expected %q after %v, got %q", row.saw, row.took, got)
		}
	}
}
