package jwks

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

// breaking is a listener whose first connections are reset before the handshake.
type breaking struct {
	net.Listener
	left, seen atomic.Int64
}

func (b *breaking) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		b.seen.Add(1)
		if b.left.Add(-1) < 0 {
			return conn, nil
		}
		bufio.NewReader(conn).Peek(1) // the client has begun to write
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
	}
}

func TestABrokenConnectionIsTriedOnceMore(t *testing.T) {
	for resets, want := range map[int64]refusal.Reason{1: "", 2: refusal.JWKSUnavailable} {
		t.Run(fmt.Sprint(resets, " resets"), func(t *testing.T) {
			server := httptest.NewUnstartedServer(both())
			listener := &breaking{Listener: server.Listener}
			listener.left.Store(resets)
			server.Listener = listener
			server.StartTLS()
			defer server.Close()
			s := sourceFor(t, server.URL, server)
			if want == "" {
				s.wantKey(t, "k1", tokentest.K1())
			} else {
				s.wantRefused(t, "k1", want)
			}
			if seen := listener.seen.Load(); seen != 2 {
				t.Errorf("got %d connections, want 2", seen)
			}
		})
	}
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}
	t.Run("an end before the header", func(t *testing.T) {
		var p *provider
		p = serve(t, func(w http.ResponseWriter, r *http.Request) { p.says(both()); hangUp(w, r) })
		p.source(t).wantKey(t, "k1", tokentest.K1())
		p.wantGets(t, 2)
	})
	t.Run("an end within the body", func(t *testing.T) {
		var p *provider
		p = serve(t, func(w http.ResponseWriter, r *http.Request) {
			p.says(both())
			headed("Content-Length", "9999", []byte("{"))(w, r)
		})
		p.source(t).wantKey(t, "k1", tokentest.K1())
		p.wantGets(t, 2)
	})
	t.Run("a status is not a broken connection", func(t *testing.T) {
		p := serve(t, status(502))
		p.source(t).wantRefused(t, "k1", refusal.JWKSUnavailable)
		p.wantGets(t, 1)
	})
}

func TestNobodyThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "https://" + listener.Addr().String()
	listener.Close()
	for name, uri := range map[string]string{"ECONNREFUSED": closed, "no such name": "https://keys.invalid/jwks.json"} {
		t.Run(name, func(t *testing.T) {
			s := sourceFor(t, uri, nil)
			s.deadline = fetchDeadline // a resolver may take long
			s.wantRefused(t, "k1", refusal.JWKSUnavailable)
			wantNothingRunning(t)
		})
	}
}

func TestABlackHole(t *testing.T) {
	t.Run("connects and says nothing", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts; the kernel does
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		s := sourceFor(t, "https://"+listener.Addr().String(), nil)
		s.deadline = 50 * time.Millisecond
		s.wantRefused(t, "k1", refusal.JWKSUnavailable)
		wantNothingRunning(t)
	})
	t.Run("does not even connect", func(t *testing.T) {
		s := sourceFor(t, "https://127.0.0.1:1", nil)
		dialEnded := make(chan struct{})
		transport := newTransport(nil)
		s.client.Transport = transport
		transport.system.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			defer close(dialEnded)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		s.deadline = 50 * time.Millisecond
		s.wantRefused(t, "k1", refusal.JWKSUnavailable)
		<-dialEnded // net/http alone would not end it
		wantNothingRunning(t)
	})
}

func TestTLS(t *testing.T) {
	old := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	rows := []struct {
		name    string
		config  *tls.Config
		host    string // instead of the certificate's
		trusted bool
	}{
		{"self-signed", nil, "", false},
		{"wrong host", nil, "localhost", true},
		{"expired", &tls.Config{Certificates: []tls.Certificate{certificate(t, time.Now().Add(-time.Hour))}}, "", true},
		{"TLS 1.1", old, "", true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var gets atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				gets.Add(1)
				both()(w, r)
			}))
			server.TLS = row.config
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
			server.StartTLS()
			defer server.Close()
			uri := server.URL
			if row.host != "" {
				uri = strings.Replace(uri, "127.0.0.1", row.host, 1)
			}
			var trusted *httptest.Server
			if row.trusted {
				trusted = server
			}
			sourceFor(t, uri, trusted).wantRefused(t, "k1", refusal.JWKSUnavailable)
			if gets.Load() != 0 {
				t.Error("the request was sent over a connection that is not verified")
			}
		})
	}
	t.Run("the same with a certificate that is still valid", func(t *testing.T) {
		server := httptest.NewUnstartedServer(both())
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t, time.Now().Add(time.Hour))}}
		server.StartTLS()
		defer server.Close()
		sourceFor(t, server.URL, server).wantKey(t, "k1", tokentest.K1())
	})
}

// certificate is for 127.0.0.1 and its own issuer.
func certificate(t *testing.T, expires time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             expires.Add(-24 * time.Hour),
		NotAfter:              expires,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestEnvironment runs this test binary as a program, because a process reads its roots and
// proxies once.
func TestEnvironment(t *testing.T) {
	p := serve(t, both())
	roots := filepath.Join(t.TempDir(), "roots.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}
	if err := os.WriteFile(roots, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(t.TempDir(), "strange.pem")
	block.Bytes = certificate(t, time.Now().Add(time.Hour)).Certificate[0]
	if err := os.WriteFile(strange, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	proxied := &proxy{to: p.Listener.Addr().String()}
	proxyServer := httptest.NewServer(proxied)
	defer proxyServer.Close()

	const elsewhere = "https://example.com/jwks.json" // which the provider's certificate names
	rows := []struct {
		name        string
		uri         string
		environment []string
		works       bool
		connects    string
	}{
		{"SSL_CERT_FILE is honoured", p.URL, []string{"SSL_CERT_FILE=" + roots}, true, ""},
		{"SSL_CERT_DIR is honoured", p.URL, []string{"SSL_CERT_DIR=" + filepath.Dir(roots)}, true, ""},
		{"a root in a directory is found next to others in a file", p.URL, []string{"SSL_CERT_FILE=" + strange, "SSL_CERT_DIR=" + filepath.Dir(roots)}, true, ""},
		{"SSL_CERT_FILE is honoured without the right root", p.URL, []string{"SSL_CERT_FILE=" + strange}, false, ""},
		{"nobody else's certificate is trusted", p.URL, nil, false, ""},
		{"HTTPS_PROXY is honoured", elsewhere, []string{"SSL_CERT_FILE=" + roots, "HTTPS_PROXY=" + proxyServer.URL}, true, "example.com:443"},
		{"HTTPS_PROXY is not for loopback", p.URL, []string{"SSL_CERT_FILE=" + roots, "HTTPS_PROXY=" + proxyServer.URL}, true, ""},
		{"a proxy cannot play the provider", elsewhere, []string{"HTTPS_PROXY=" + proxyServer.URL}, false, "example.com:443"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			proxied.connects.Store("")
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(row.environment, "JWKS_TEST_FETCH="+row.uri)
			output, err := cmd.Output()
			if works := err == nil && string(output) == "got the key\n"; works != row.works {
				t.Errorf("got %v with output %q", err, output)
			}
			if got := proxied.connects.Load(); got != row.connects {
				t.Errorf("the proxy was asked for %q, want %q", got, row.connects)
			}
		})
	}
}

// proxy tunnels every CONNECT (RFC 9110, section 9.3.6) to one address.
type proxy struct {
	to       string
	connects atomic.Value
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.connects.Store(r.Host)
	out, err := net.Dial("tcp", p.to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer out.Close()
	w.WriteHeader(http.StatusOK)
	in, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer in.Close()
	var ends sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		ends.Go(func() { io.Copy(way[0], way[1]); way[0].Close() })
	}
	ends.Wait()
}
