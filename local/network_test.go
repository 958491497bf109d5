package main

import (
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/local/graph"
	"account-api/local/running"
)

// keysHost is the host of the certificate that httptest makes. The proxy resolves it; no
// request leaves this machine.
const keysHost = "example.com"

// newProxy is a proxy that only CONNECT requests for keysHost get through, to the server.
func newProxy(t *testing.T, server *httptest.Server) (proxy *httptest.Server, connections *atomic.Int64) {
	t.Helper()
	connections = &atomic.Int64{}
	proxy = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != keysHost+":443" {
			http.Error(w, "another host", http.StatusForbidden)
			return
		}
		connections.Add(1)
		there, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
		var halves sync.WaitGroup
		halves.Go(func() { io.Copy(there, here); there.Close() })
		halves.Go(func() { io.Copy(here, there); here.Close() })
		halves.Wait()
	}))
	t.Cleanup(proxy.Close)
	return proxy, connections
}

// plainTokens are settings for which the tests' provider makes tokens, and 401 is the answer
// while it is down, whatever the stack says.
var plainTokens = []string{"-config", "provider=", "-config", "algorithms=", "-config", "outage=401"}

func TestKeysBehindAProxyAndAPrivateCA(t *testing.T) {
	issuer := newProvider(t, freeAddress(t), "any")
	keys := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { issuer.ServeHTTP(w, r) }))
	defer keys.Close()
	proxy, connections := newProxy(t, keys)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	running.Write(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: keys.Certificate().Raw})))
	for _, name := range networkVariables {
		t.Setenv(name, "")
	}
	t.Setenv("HTTPS_PROXY", "http://user:hunter22@"+strings.TrimPrefix(proxy.URL, "http://"))
	t.Setenv("SSL_CERT_FILE", authority)

	c := project(t, "..", append(plainTokens, "-issuer", "stack", "-config", "issuer=http://"+issuer.server.Addr+"/", "-config", "audience=any",
		"-config", "jwksUri=https://"+keysHost+"/.well-known/jwks.json")...)
	token, err := issuer.Token(c.Endpoint().Allowed.Token())
	if err != nil {
		t.Fatal(err)
	}
	c.granted(t, c.call(t, token))
	if connections.Load() == 0 {
		t.Error("expected the keys fetched through the proxy")
	}
	const differs = "Not as on AWS: the function with TOKEN_ISSUER has SSL_CERT_FILE, HTTPS_PROXY of this terminal."
	if out := c.Output(); !strings.Contains(out, differs) || strings.Contains(out, "hunter22") {
		t.Errorf("expected %q and no password, got\n%s", differs, out)
	}
}

func TestNetworkVariablesAreLentToOneFunction(t *testing.T) {
	function := func(variables map[string]any) graph.Resource {
		return graph.Resource{Type: functionType, Inputs: map[string]any{"environment": map[string]any{"variables": variables}}}
	}
	verifying := map[string]any{issuerVariable: "https://issuer.test/", "NO_PROXY": "own"}
	other := map[string]any{"TABLE": "t"}
	g := &graph.Graph{Resources: []graph.Resource{function(verifying), function(other), {Type: functionType}}}
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"NO_PROXY": "*", "https_proxy": "http://proxy.test", "SSL_CERT_DIR": "a" + string(os.PathListSeparator) + "/b", "HOME": "/root"}
	lent := lendNetwork(g, func(name string) string { return given[name] })
	if want := []string{"SSL_CERT_DIR", "https_proxy"}; !reflect.DeepEqual(lent, want) {
		t.Errorf("expected %q lent, got %q", want, lent)
	}
	want := map[string]any{issuerVariable: "https://issuer.test/", "NO_PROXY": "own", "https_proxy": "http://proxy.test",
		"SSL_CERT_DIR": filepath.Join(working, "a") + string(os.PathListSeparator) + "/b"}
	if !reflect.DeepEqual(verifying, want) || !reflect.DeepEqual(other, map[string]any{"TABLE": "t"}) {
		t.Errorf("expected the variables %v, got %v and %v", want, verifying, other)
	}
}

// TestOutageOfTheProvider sends requests before the provider listens. The answer 401 is in
// TestProviderOfTheStack.
func TestOutageOfTheProvider(t *testing.T) {
	p := newProvider(t, freeAddress(t), "any")
	c := project(t, "..", append(plainTokens, "-issuer", "stack", "-config", "issuer=http://"+p.server.Addr+"/", "-config", "jwksUri=",
		"-config", "audience=any", "-config", "outage=503")...)
	token, err := p.Token(c.Endpoint().Allowed.Token())
	if err != nil {
		t.Fatal(err)
	}
	unauthenticated := c.call(t, "")
	unauthenticated.Expect(t, http.StatusUnauthorized, unauthorized)
	c.call(t, "e30.e30.e30").Expect(t, http.StatusUnauthorized, unauthorized)
	down := c.call(t, token)
	if down.Status != http.StatusServiceUnavailable || down.Header.Get("Retry-After") == "" {
		t.Errorf("expected 503 with Retry-After, got %d %v", down.Status, down.Header)
	}
	c.Says(t, "make explain STACK=", 1)
	const origin = "Access-Control-Allow-Origin"
	if got, want := down.Header.Get(origin), unauthenticated.Header.Get(origin); got != want || want == "" {
		t.Errorf("expected a page to be able to read the 503 as a 401, got %q and %q", got, want)
	}
	if exposed := down.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "Retry-After") {
		t.Errorf("expected Retry-After exposed to a page, got %q", exposed)
	}
	p.listen(t)
	for deadline := time.Now().Add(running.Patience); c.call(t, token).Status == http.StatusServiceUnavailable && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
	c.granted(t, c.call(t, token))
}
