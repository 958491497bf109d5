package jwks

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRootsOfTheBundleComeFirst(t *testing.T) {
	pool := func(c tls.Certificate) *x509.CertPool {
		leaf, err := x509.ParseCertificate(c.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(leaf)
		return roots
	}
	genuine, other := certificate(t, time.Now().Add(time.Hour)), certificate(t, time.Now().Add(time.Hour))
	expired := certificate(t, time.Now().Add(-time.Hour))
	for _, row := range []struct {
		name           string
		serves         tls.Certificate
		bundle, system *x509.CertPool
		works          bool
		handshakes     int64
	}{
		{"the bundle vouches", genuine, pool(genuine), pool(other), true, 1},
		{"only the system vouches", genuine, pool(other), pool(genuine), true, 2},
		{"nobody vouches", genuine, pool(other), pool(other), false, 2},
		{"there is no bundle", genuine, nil, pool(genuine), true, 1},
		{"there is no bundle and nobody vouches", genuine, nil, pool(other), false, 1},
		{"an expired certificate is no better for other roots", expired, pool(expired), pool(expired), false, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			var handshakes atomic.Int64
			server := httptest.NewUnstartedServer(both())
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = &tls.Config{
				Certificates:       []tls.Certificate{row.serves},
				GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { handshakes.Add(1); return nil, nil },
			}
			server.StartTLS()
			defer server.Close()
			transport := newTransport(row.bundle)
			transport.system.TLSClientConfig.RootCAs = row.system
			defer transport.CloseIdleConnections()

			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := transport.RoundTrip(request)
			if (err == nil) != row.works {
				t.Errorf("expected an answer: %t, got error %v", row.works, err)
			}
			if err == nil {
				response.Body.Close()
			}
			if got := handshakes.Load(); got != row.handshakes {
				t.Errorf("expected %d handshakes, got %d", row.handshakes, got)
			}
		})
	}
}

func TestReadBundle(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	directory := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(directory, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	root := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	bundle, empty, junk := write("bundle", "# a comment\n"+root), write("empty", ""), write("junk", "-----BEGIN CERTIFICATE-----\n")
	missing := filepath.Join(directory, "missing")

	for _, row := range []struct {
		name  string
		named string // by SSL_CERT_FILE
		files []string
		found bool
	}{
		{"a bundle", "", []string{bundle}, true},
		{"the first bundle that is there", "", []string{missing, bundle, empty}, true},
		{"a directory is no bundle", "", []string{directory, bundle}, true},
		{"no bundle", "", []string{missing}, false},
		{"no place to look for one", "", nil, false},
		{"an empty bundle", "", []string{empty, bundle}, false},
		{"a bundle of junk", "", []string{junk, bundle}, false},
		{"a file by SSL_CERT_FILE", bundle, []string{empty}, true},
		{"a missing file by SSL_CERT_FILE", missing, []string{bundle}, false},
		{"junk by SSL_CERT_FILE", junk, []string{bundle}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			roots := readBundle(func(string) string { return row.named }, row.files)
			if (roots != nil) != row.found {
				t.Fatalf("expected roots: %t, got %v", row.found, roots)
			}
			if roots == nil {
				return
			}
			if _, err := server.Certificate().Verify(x509.VerifyOptions{Roots: roots}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBundlesAreThoseOfGo: another file could hold a root that Go does not trust.
func TestBundlesAreThoseOfGo(t *testing.T) {
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src", "crypto", "x509", "root_linux.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, match := range regexp.MustCompile(`"(/etc/[^"]+\.(?:crt|pem))"`).FindAllSubmatch(source, -1) {
		files = append(files, string(match[1]))
	}
	if !slices.Equal(bundles, files) {
		t.Errorf("expected Go's files in Go's order, %q, got %q", files, bundles)
	}
}
