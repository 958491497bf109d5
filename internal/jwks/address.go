package jwks

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"account-api/internal/loopback"
)

// checkURI refuses an address that hides its host, or whose connection others can write to:
// whoever serves the key set can issue tokens. The errors name the part that is wrong and
// never the whole address, which may hold a password.
func checkURI(uri string) error {
	if uri == "" {
		return errors.New("key set address is empty, want https://<host>/.well-known/jwks.json")
	}
	u, err := url.Parse(uri)
	if err != nil {
		return errors.New("key set address is not a URL, want https://<host>/.well-known/jwks.json without spaces or control characters")
	}
	switch {
	case u.User != nil:
		return errors.New("key set address holds credentials: a key set is public, remove the part before the @")
	case strings.Contains(uri, "#"):
		return errors.New("key set address has a fragment, which is never sent: remove the # and all after it")
	case u.Hostname() == "":
		return errors.New("key set address has no host, want https://<host>/.well-known/jwks.json")
	case u.Scheme == "https", u.Scheme == "http" && loopback.Is(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("key set address is http, which anyone on the way can alter: use https://%s", u.Host+u.EscapedPath())
	default:
		return fmt.Errorf("key set address has scheme %q, want https", u.Scheme)
	}
}
