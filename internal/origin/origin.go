// Package origin checks the setting that says whose pages may call the API.
package origin

import (
	"fmt"
	"net/url"
	"strings"
)

// Check accepts * for pages of any origin, or one origin as a browser sends it (RFC 6454,
// section 6.2). It refuses "null", which every sandboxed page of every site sends, and
// anything that equals no page's origin. The error ends with the fix.
func Check(origin string) error {
	if origin == "*" {
		return nil
	}
	parsed, err := url.Parse(origin)
	if err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http" || strings.ContainsAny(origin, "'*, \t") {
		return fmt.Errorf("expected * or one origin, got %q; set for example %q", origin, "https://app.example.com")
	}
	host := strings.ToLower(parsed.Host)
	if port := parsed.Port(); port == "443" && parsed.Scheme == "https" || port == "80" && parsed.Scheme == "http" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	if sent := parsed.Scheme + "://" + host; origin != sent {
		// What was given is not quoted: it may hold a password.
		return fmt.Errorf("expected an origin as browsers send it, in lower case, without user, default port, path or final slash; set %q", sent)
	}
	return nil
}
