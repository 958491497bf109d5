package gateway

import (
	"net"
	"net/http"
	"slices"
	"strings"
)

// droppedFromRequest never reach an integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var droppedFromRequest = []string{
	"Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate", "Server",
	"Te", "Transfer-Encoding", "Trailer", "Upgrade", "Www-Authenticate",
	// The gateway acts on it. An integration gets it by explicit mapping only.
	"X-Http-Method-Override",
}

// forwarded are the request's headers as an integration sees them.
func (c *call) forwarded() http.Header {
	h := c.request.Header.Clone()
	if h == nil {
		h = http.Header{}
	}
	for _, name := range droppedFromRequest {
		h.Del(name)
	}
	// Signature Version 4 credentials are for the gateway and end there.
	if slices.ContainsFunc(h["Authorization"], func(value string) bool { return strings.HasPrefix(value, "AWS4-HMAC-SHA256") }) {
		h.Del("Authorization")
	}
	h["Host"] = []string{c.request.Host}
	h["X-Forwarded-For"] = []string{strings.Join(append(h["X-Forwarded-For"], c.exchange.SourceIP), ", ")}
	h["X-Forwarded-Proto"] = []string{"http"}
	if c.request.TLS != nil {
		h["X-Forwarded-Proto"] = []string{"https"}
	}
	h["X-Forwarded-Port"] = []string{c.port()}
	h["X-Amzn-Trace-Id"] = []string{c.traceID()}
	return h
}

// port is the one that the client reached.
func (c *call) port() string {
	if address, ok := c.request.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if _, port, err := net.SplitHostPort(address.String()); err == nil {
			return port
		}
	}
	return "80"
}
