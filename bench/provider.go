package main

import (
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"account-api/local/issuer"
)

// provider is an identity provider on this machine.
type provider struct {
	server *httptest.Server
	far    *httptest.Server // the same behind TLS, 30 ms away
	issuer *issuer.Issuer

	answeredFar atomic.Int64 // requests over TLS
}

func newProvider() (*provider, error) {
	p := &provider{}
	// The issuer's name is its address, which is known when it listens.
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.issuer.ServeHTTP(w, r) })
	p.server = httptest.NewServer(serve)
	p.far = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.answeredFar.Add(1)
		serve(w, r)
	}))
	p.far.Listener = farListener{p.far.Listener}
	p.far.StartTLS()
	var err error
	p.issuer, err = issuer.New(issuer.Options{URL: p.server.URL + "/", Audience: audience})
	return p, err
}

// keySet is the path of the provider's keys.
const keySet = "/.well-known/jwks.json"

// roots writes all roots of this system and the provider's certificate to a file, as the
// only bundle. A function parses them all before it trusts one.
func (p *provider) roots(directory string) (string, error) {
	for _, file := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"} {
		if content, err := os.ReadFile(file); err == nil {
			bundle := filepath.Join(directory, "roots.pem")
			own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.far.Certificate().Raw})
			return bundle, os.WriteFile(bundle, append(content, own...), 0o644)
		}
	}
	return "", errors.New("needs a file with the system's roots")
}

// distance is the time for a round trip to the provider, such as to another region.
const distance = 30 * time.Millisecond

// farListener accepts connections whose answers take as long as from a distance.
type farListener struct{ net.Listener }

func (l farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &farConnection{Conn: c, wait: 2 * distance}, err // for TCP's own handshake too
}

type farConnection struct {
	net.Conn
	mu   sync.Mutex
	wait time.Duration // before the next write
}

func (c *farConnection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wait = max(c.wait, distance)
	return n, err
}

func (c *farConnection) Write(p []byte) (int, error) {
	c.mu.Lock()
	wait := c.wait
	c.wait = 0
	c.mu.Unlock()
	time.Sleep(wait)
	return c.Conn.Write(p)
}
