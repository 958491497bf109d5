package jwks

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
)

// maxHeaderBytes bounds the response's header. net/http would read 10 MB.
const maxHeaderBytes = 16 << 10

// bundleFirst is a transport that verifies a server against the roots in the system's bundle,
// and only if they do not suffice against all roots that Go finds.
//
// Go parses the bundle and then the directories around it, which have the same roots once or
// twice more. That is the largest part of a cold start. The transport trusts exactly Go's
// roots: those of the bundle are among them.
type bundleFirst struct {
	bundle *http.Transport // nil if there is none or it is not needed
	system *http.Transport
}

func newTransport(bundle *x509.CertPool) *bundleFirst {
	with := func(roots *x509.CertPool) *http.Transport {
		return &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			DialContext:     dialer{net.DefaultResolver}.dial,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			// A kept connection is dead after a freeze, and has two goroutines.
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}
	}
	t := &bundleFirst{system: with(nil)}
	if bundle != nil {
		t.bundle = with(bundle)
	}
	return t
}

// RoundTrip implements [http.RoundTripper]. Its requests have no body and can be sent again.
func (t *bundleFirst) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.bundle != nil {
		response, err := t.bundle.RoundTrip(request)
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
			return response, err
		}
	}
	return t.system.RoundTrip(request)
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] calls.
func (t *bundleFirst) CloseIdleConnections() {
	if t.bundle != nil {
		t.bundle.CloseIdleConnections()
	}
	t.system.CloseIdleConnections()
}

// bundles are the files in which Linux distributions keep all roots. They are Go's, in Go's
// order. Lambda's Amazon Linux has the second.
// https://go.dev/src/crypto/x509/root_linux.go
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian and its descendants
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Amazon Linux, Fedora
	"/etc/ssl/ca-bundle.pem",                            // SUSE
	"/etc/pki/tls/cacert.pem",                           // OpenELEC
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Red Hat
	"/etc/ssl/cert.pem",                                 // Alpine
}

// systemBundle reads the bundle once per process, as crypto/x509 does. There is none on other
// systems than Linux: macOS and Windows verify by themselves and may distrust a file's roots.
var systemBundle = sync.OnceValue(func() *x509.CertPool {
	if runtime.GOOS != "linux" {
		return nil
	}
	return readBundle(os.Getenv, bundles)
})

// readBundle returns the roots of SSL_CERT_FILE, or else of the first file that exists. It
// returns nil if that file has none.
func readBundle(getenv func(string) string, files []string) *x509.CertPool {
	if named := getenv("SSL_CERT_FILE"); named != "" {
		files = []string{named}
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if roots := x509.NewCertPool(); roots.AppendCertsFromPEM(content) {
			return roots
		}
		return nil
	}
	return nil
}
