package console

import (
	"net"
	"net/http"
	"strings"

	"account-api/internal/loopback"
)

// guard admits the console's own page only.
//
// A page of any site can send requests to this machine. If its host name resolves to
// 127.0.0.1, it can read the answers too (DNS rebinding). But it cannot choose the Host
// and Origin headers, and a browser sends Origin with every POST:
// https://fetch.spec.whatwg.org/#append-a-request-origin-header
func guard(next http.Handler, apiOrigin func() string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", strings.Join([]string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
			"connect-src 'self' " + apiOrigin(), "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
		}, "; "))
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer, with which a form's POST would have the Origin "null".
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !isLoopback(r.Host):
			http.Error(w, "expected a Host of this machine: open the console by the address that make run prints", http.StatusMisdirectedRequest)
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Header.Get("Origin") != "http://"+r.Host:
			http.Error(w, "expected the console's own Origin: changes are made from its page", http.StatusForbidden)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			next.ServeHTTP(w, r)
		}
	})
}

// isLoopback reports whether a Host, with or without port, can only mean this machine.
func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return loopback.Is(host)
}
