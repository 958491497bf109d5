package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
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
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
	// Nothing listens on the port of a client, and no other process gets it.
	open, err := net.Dial("tcp4", plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	foreign := func(header, value string, status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
		}))
		t.Cleanup(server.Close)
		return server.URL + "/test/orders"
	}

	for _, row := range []struct {
		name   string
		url    string
		client *http.Client
		says   string
	}{
		{"a host that does not exist", "https://nowhere.example/orders", dialing(&net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true}), "no such host: expected the URL of an API that can be reached"},
		{"nothing listens", "http://" + open.LocalAddr().String() + "/test/orders", nil, "start the API with make run"},
		{"no route", "https://nowhere.example/orders", dialing(errors.New("network is unreachable")), "gave no answer: network is unreachable"},
		{"a certificate by an unknown authority", secure.URL + "/test/orders", nil, "signed by unknown authority: is it the right host? Is a TLS-inspecting proxy in between?"},
		{"a certificate for another host", secure.URL + "/test/orders", trusting("other.test"), "not other.test: is it the right host?"},
		{"an expired certificate", outdated.URL + "/test/orders", late, "certificate has expired"},
		{"no TLS version in common", modern.URL + "/test/orders", old, "protocol version not supported"},
		{"https to a server of http", strings.Replace(plain.URL, "http:", "https:", 1) + "/test/orders", nil, "server gave HTTP response to HTTPS client"},
		{"http to a server of https", strings.Replace(secure.URL, "https:", "http:", 1) + "/test/orders", nil, "not as a REST API of API Gateway"},
		{"a server that says nothing", "http://" + listen(t, func(net.Conn) {}) + "/test/orders", impatient, "expected the URL of an API that can be reached from here"},
		{"a server that hangs up", "http://" + listen(t, func(c net.Conn) { c.Close() }) + "/test/orders", nil, "gave no answer"},
		{"a server of something else", "http://" + listen(t, func(c net.Conn) { c.Read(make([]byte, 1)); c.Write([]byte("-ERR\r\n")) }) + "/test/orders", nil, "malformed HTTP response"},
		{"a web site", plain.URL + "/test/orders", nil, "answered 404, but not as a REST API of API Gateway"},
		{"a redirect", foreign("Location", "/login", 302), nil, "answered 302, but not as a REST API"},
		{"an HTTP API", foreign("Apigw-Requestid", "JKJaXmPLvHcESHA=", 404), nil, "answered 404, but not as a REST API"},
		{"a stage that the gateway does not have", deployedAs(t, "/other"), nil, "expected a stage that exists"},
		{"a checkout that is not deployed", serve(t, func(r *http.Request, a *reply) { a.header.Set(errorType, "MissingAuthenticationTokenException") }), nil, "is this checkout deployed there?"},
		{"another stage than declared", plain.URL + "/live/orders", nil, "expected a URL with the stage that stack test declares, " + plain.URL + "/test: choose another stack"},
		{"no stage", plain.URL, nil, "expected a URL with the stage"},
		{"a path that is not declared", plain.URL + "/test/ordres", nil, "fits no path that stack test declares, /admin, /health, /orders, /orders/{order}/lines, /reports: correct the URL"},
		{"such a path of another domain", "https://api.shop.test/v2", nil, "fits no path that stack test declares"},
		{"no URL", "", nil, "expected -url"},
		{"no scheme", "127.0.0.1:8080/test/orders", nil, "expected -url to be https://"},
		{"another scheme", "ftp://127.0.0.1/test/orders", nil, "expected -url to be https://"},
		{"a user", "https://user:secretword@api.shop.test/v1", nil, "without a user"},
		{"a query", "https://api.shop.test/v1?token=secretword", nil, "a query or a fragment"},
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
func quietly(server *httptest.Server) { server.Config.ErrorLog = log.New(io.Discard, "", 0) }

// deployedAs is the fixture's URL where the stage has another path.
func deployedAs(t *testing.T, base string) string {
	t.Helper()
	server := httptest.NewServer(&gateway{t: t, base: base})
	t.Cleanup(server.Close)
	return server.URL + "/test/orders"
}

func TestCommandLine(t *testing.T) {
	const url = "http://127.0.0.1:1/test"
	for _, row := range []struct {
		name        string
		environment map[string]string
		arguments   []string
		says        string
	}{
		{"a token with its scheme", nil, []string{"-url", url, "-token", "Bearer " + reader}, `TOKEN: expected the token alone, got it with its scheme: remove "Bearer "`},
		{"a token of another form", map[string]string{"CONFORM_TOKEN_WITHOUT_SCOPE": reader + "=x"}, []string{"-url", url}, "TOKEN_WITHOUT_SCOPE: expected a token"},
		{"a token that has expired", nil, []string{"-url", url, "-token", signed(`{"exp":1700000000}`)}, "TOKEN: expected a token that is valid, got one that has expired"},
		{"a token over the open net", nil, []string{"-url", "http://api.shop.test/v1", "-token", reader}, "is not encrypted"},
		{"an unknown flag", nil, []string{"-url", url, "-tokn=" + reader}, "conform -h explains them"},
		{"more than flags", nil, []string{"-url", url, reader}, "got 1 arguments more"},
		{"a file that is not there", nil, []string{"-url", url, "-graph", "nowhere.json"}, "nowhere.json"},
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

func FuzzParseTarget(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1:8080/test/orders", "https://abcdefghij.execute-api.eu-central-1.amazonaws.com/test/orders", "https://api.shop.test/orders/",
		"http://[::1]:8080/test/orders", "https://u:p@h/x", "//h/x", "https:///x", "https://h/%2F/x", "https://h//", "https://h/..", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		target, err := parseTarget(address)
		if err != nil {
			return
		}
		if u := target.url; u.Host == "" || u.User != nil || strings.HasSuffix(u.Path, "/") {
			t.Errorf("%q became %q", address, u)
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
