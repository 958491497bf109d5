package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// listen starts a TCP server that is not an HTTP server.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

// dialing is a client whose connections fail, as they do without a name server.
func dialing(err error) *http.Client {
	client := newClient()
	client.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) { return nil, err }
	return client
}

// expired makes a certificate that was valid once.
func expired(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "conform"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

func TestTroubleIsOneSentence(t *testing.T) {
	needStack(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	quietly(secure)
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	trusting := func(name string) *http.Client {
		client := newClient()
		roots := x509.NewCertPool()
		roots.AddCert(secure.Certificate())
		client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: name}
		return client
	}
	certificate, roots := expired(t)
	outdated := httptest.NewUnstartedServer(http.NotFoundHandler())
	quietly(outdated)
	outdated.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	outdated.StartTLS()
	defer outdated.Close()
	late := newClient()
	late.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
	modern := httptest.NewUnstartedServer(http.NotFoundHandler())
	quietly(modern)
	modern.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
	modern.StartTLS()
	defer modern.Close()
	old := newClient()
	old.Transport.(*http.Transport).TLSClientConfig = &tls.Config{MaxVersion: tls.VersionTLS12}
	impatient := newClient()
	impatient.Timeout = 50 * time.Millisecond
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	foreign := func(header, value string, status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return server.URL + "/dev/profile"
	}

	for _, row := range []struct {
		name   string
		url    string
		client *http.Client
		says   string
	}{
		{"a host that does not exist", "https://nowhere.example/dev/profile", dialing(&net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true}), "the host nowhere.example does not exist"},
		{"no name server", "https://nowhere.example/dev/profile", dialing(&net.DNSError{Err: "server misbehaving", Name: "nowhere.example", IsTemporary: true}), "is this machine online?"},
		{"nobody listens", "http://" + closed.Addr().String() + "/dev/profile", nil, "start the API with make run"},
		{"no route", "https://nowhere.example/dev/profile", dialing(errors.New("network is unreachable")), "cannot be called"},
		{"a certificate by an unknown authority", secure.URL + "/dev/profile", nil, "signed by nobody whom this machine trusts"},
		{"a certificate for another host", secure.URL + "/dev/profile", trusting("other.test"), "is for another host"},
		{"an expired certificate", outdated.URL + "/dev/profile", late, "has expired"},
		{"no TLS version in common", modern.URL + "/dev/profile", old, "refuses the TLS handshake"},
		{"https to a server of http", strings.Replace(plain.URL, "http:", "https:", 1) + "/dev/profile", nil, "does not speak TLS: use http://"},
		{"http to a server of https", strings.Replace(secure.URL, "https:", "http:", 1) + "/dev/profile", nil, "not as API Gateway"},
		{"a server that says nothing", "http://" + listen(t, func(net.Conn) {}) + "/dev/profile", impatient, "gave no answer"},
		{"a server that hangs up", "http://" + listen(t, func(c net.Conn) { c.Close() }) + "/dev/profile", nil, "closed the connection"},
		{"a server of something else", "http://" + listen(t, func(c net.Conn) { c.Read(make([]byte, 1)); c.Write([]byte("-ERR\r\n")) }) + "/dev/profile", nil, "does not answer in HTTP"},
		{"a server that speaks first", "http://" + listen(t, func(c net.Conn) { c.Write([]byte("220 mail.example ESMTP\r\n")) }) + "/dev/profile", nil, "does not answer in HTTP"},
		{"a web site", plain.URL + "/dev/profile", nil, "answered 404, but not as API Gateway"},
		{"a redirect", foreign("Location", "/login", 302), nil, "redirects"},
		{"an HTTP API", foreign("Apigw-Requestid", "JKJaXmPLvHcESHA=", 404), nil, "is an HTTP API"},
		{"another stage", strings.Replace(stack.API, "/dev/", "/staging/", 1), nil, "expected a stage that exists"},
		{"another path", stack.API + "s", nil, "has no GET method"},
		{"no path", "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/", nil, "expected a URL with the stage and the path"},
		{"no URL", "", nil, "expected -url"},
		{"no scheme", "127.0.0.1:8080/dev/profile", nil, "expected -url to be https://"},
		{"another scheme", "ftp://127.0.0.1/dev/profile", nil, "expected -url to be https://"},
		{"a user", "https://user:secretword@api.example.com/dev/profile", nil, "without a user"},
		{"a query", "https://api.example.com/dev/profile?token=secretword", nil, "a query or a fragment"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.client == nil {
				row.client = newClient()
			}
			r := invoke(t, row.client, nil, "-url", row.url)
			if r.status != exitNotRun || r.out != "" || strings.Count(r.errs, "\n") != 1 || !strings.Contains(r.errs, row.says) || strings.Contains(r.errs, "secretword") {
				t.Errorf("expected one sentence that says %q, got exit status %d, %s%s", row.says, r.status, r.out, r.errs)
			}
		})
	}
}

// quietly keeps a test server's complaints, which the test provokes, off the screen.
func quietly(server *httptest.Server) { server.Config.ErrorLog = discard }

func TestCommandLine(t *testing.T) {
	needStack(t)
	for _, row := range []struct {
		name        string
		environment map[string]string
		arguments   []string
		says        string
	}{
		{"a token with its scheme", nil, []string{"-url", stack.API, "-token", "Bearer " + good}, `-token: expected the token alone, got it with its scheme: remove "Bearer "`},
		{"a token of another form", map[string]string{"CONFORM_TOKEN": good + "=x"}, []string{"-url", stack.API}, "CONFORM_TOKEN: expected a token"},
		{"a token that is not base64url", nil, []string{"-url", stack.API, "-token", "a.b.c"}, "got a part 1 that is none"},
		{"a token over the open net", nil, []string{"-url", "http://api.example.com/dev/profile", "-token", good}, "is not encrypted"},
		{"an unknown flag", nil, []string{"-url", stack.API, "-tokn=" + good}, "conform -h explains them"},
		{"more than flags", nil, []string{"-url", stack.API, good}, "got 1 arguments more"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := invoke(t, newClient(), row.environment, row.arguments...)
			if r.status != exitNotRun || !strings.Contains(r.errs, row.says) {
				t.Errorf("expected an error that says %q, got exit status %d, %s%s", row.says, r.status, r.out, r.errs)
			}
		})
	}
	if r := invoke(t, newClient(), nil, "-h"); r.status != exitConforms || r.out != usage {
		t.Errorf("expected the usage, got exit status %d, %s%s", r.status, r.out, r.errs)
	}
}

func TestTokenHints(t *testing.T) {
	needStack(t)
	for _, row := range []struct{ name, token, says string }{
		{"expired", stale(t), "the token has expired"},
		{"of another API", mustForge(t)[3].token, "is the token from the issuer"},
		{"without the scope", scant, "does the token lack the scope get:profile?"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if r := invoke(t, newClient(), nil, "-url", stack.API, "-token", row.token); !strings.Contains(r.out, row.says) || r.status != exitDiffers {
				t.Errorf("expected a hint that says %q, got:\n%s", row.says, r.out)
			}
		})
	}
	if r := invoke(t, newClient(), nil, "-url", stack.API, "-token-without-scope", good); !strings.Contains(r.out, "have the scope get:profile after all?") {
		t.Errorf("expected a hint about the scope, got:\n%s", r.out)
	}
}

// stale is a token that has expired. Nobody signed it, which nobody gets to see.
func stale(t *testing.T) string {
	t.Helper()
	parts := strings.Split(mustForge(t)[3].token, ".")
	return parts[0] + "." + encode([]byte(`{"exp":1700000000}`)) + "." + parts[2]
}

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1:8080/dev/profile", "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/prod/profile", "https://api.example.com/profile/",
		"http://[::1]:8080/dev/profile", "https://u:p@h/x", "//h/x", "https:///x", "https://h/%2F/x", "https://h//", "https://h/..", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		target, err := parseTarget(address)
		if err != nil {
			return
		}
		u := target.url
		if u.Host == "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasSuffix(u.Path, "/") || strings.Contains(target.stage, "/") {
			t.Errorf("%q became %q with the stage %q", address, u, target.stage)
		}
	})
}

func FuzzCheckToken(f *testing.F) {
	for _, seed := range []string{"aGVhZGVy.cGF5bG9hZA.c2ln", "Bearer aGVhZGVy.cGF5bG9hZA.c2ln", "a.b.c", " a.b.c\n", "a.b", "a.b.c\r\nX: y", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		tidy, err := checkToken("TOKEN", token)
		switch {
		case err != nil && len(token) >= minSecret && strings.Contains(err.Error(), token):
			t.Error("the error repeats the token")
		case err == nil && strings.ContainsAny(tidy, " \t\r\n:"):
			t.Errorf("accepted %q", token)
		}
	})
}
