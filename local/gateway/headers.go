package gateway

import (
	"net/http"
	"strings"
)

// droppedFromRequest never reach an integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
var droppedFromRequest = []string{
	"Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards", "Proxy-Authenticate", "Server",
	"Te", "Transfer-Encoding", "Trailer", "Upgrade", "Www-Authenticate",
	// Handled by the gateway; an integration gets it only by explicit mapping.
	"X-Http-Method-Override",
}

// remappedInResponse come back under another name, because the gateway speaks for
// itself in these (same source). Keys are in canonical form.
var remappedInResponse = map[string]bool{
	"Authorization": true, "Connection": true, "Content-Length": true, "Content-Md5": true, "Date": true,
	"Expect": true, "Host": true, "Max-Forwards": true, "Proxy-Authenticate": true, "Server": true,
	"Trailer": true, "Upgrade": true, "User-Agent": true, "Www-Authenticate": true,
	"X-Amzn-Requestid": true, "X-Amz-Apigw-Id": true,
}

const remapped = "x-amzn-Remapped-"

// droppedFromResponse would contradict how the response is really framed.
var droppedFromResponse = map[string]bool{"Transfer-Encoding": true, "Te": true}

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
	for _, value := range h["Authorization"] {
		if strings.HasPrefix(value, "AWS4-HMAC-SHA256") {
			h.Del("Authorization")
			break
		}
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

// validHeaderName reports whether s is a field name (RFC 9110, section 5.1).
func validHeaderName(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// validHeaderText reports whether s is a field value (RFC 9110, section 5.5): no
// control characters, so that a value cannot end its line.
func validHeaderText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
