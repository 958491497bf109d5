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

// maxHeaderBytes bounds the response's header; net/http would read 10 MB.
const maxHeaderBytes = 16 << 10

// bundleFirst is a transport that verifies a server against the roots of the system's
// bundle, and against all that Go finds on this system only if they do not vouch for it.
//
// Go parses the bundle and then, as some systems have none, everything in the directories
// around it: the same roots twice or three times over. On the first HTTPS call of a
// process that is more than all else of a cold start. Trusted is what Go trusts, no more
// and no less, as the bundle's roots are among Go's.
type bundleFirst struct {
	bundle *http.Transport // nil if there is none, or no need of one
	system *http.Transport
}

func newTransport(bundle *x509.CertPool) *bundleFirst {
	with := func(roots *x509.CertPool) *http.Transport {
		return &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			DialContext:     (&net.Dialer{}).DialContext,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			// A kept connection is dead after a freeze, and its two goroutines are
			// not ours to leave behind.
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

// RoundTrip implements [http.RoundTripper]. Its requests have no body, so that one can be
// sent once more.
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

// bundles are the files in which Linux distributions keep every root that they trust: all
// that Go looks for, in its order, so that what is read is what Go would read. Lambda's
// Amazon Linux has the second.
// https://go.dev/src/crypto/x509/root_linux.go
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian and its descendants
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Amazon Linux, Fedora
	"/etc/ssl/ca-bundle.pem",                            // SUSE
	"/etc/pki/tls/cacert.pem",                           // OpenELEC
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Red Hat
	"/etc/ssl/cert.pem",                                 // Alpine
}

// systemBundle reads the bundle once in a process, as crypto/x509 does with what it finds.
// Elsewhere than on Linux there is none: macOS and Windows verify by themselves, and may
// distrust what a file has.
var systemBundle = sync.OnceValue(func() *x509.CertPool {
	if runtime.GOOS != "linux" {
		return nil
	}
	return readBundle(os.Getenv, bundles)
})

// readBundle returns the roots of the first file that is there, or of SSL_CERT_FILE, and nil
// if it has none.
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
