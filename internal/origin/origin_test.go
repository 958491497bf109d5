package origin_test

import (
	"strings"
	"testing"

	"account-api/internal/origin"
)

func TestCheckAccepts(t *testing.T) {
	for _, accepted := range []string{"*", "https://app.example.com", "http://localhost:3000", "https://[::1]:8443", "https://xn--bcher-kva.example"} {
		if err := origin.Check(accepted); err != nil {
			t.Errorf("%s: got error %v, want none", accepted, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, row := range []struct{ name, origin, want string }{
		{"a host without a scheme", "app.example.com", "https://app.example.com"},
		{"another scheme", "ftp://app.example.com", "https://app.example.com"},
		{"a scheme without a host", "https://", "https://app.example.com"},
		{"the null origin", "null", "https://app.example.com"},
		{"a wildcard subdomain", "https://*.example.com", "https://app.example.com"},
		{"a trailing slash", "https://app.example.com/", `set "https://app.example.com"`},
		{"a path", "https://app.example.com/a", `set "https://app.example.com"`},
		{"a query", "https://app.example.com?a", `set "https://app.example.com"`},
		{"a fragment", "https://app.example.com#a", `set "https://app.example.com"`},
		{"a user", "https://user:word@app.example.com", `set "https://app.example.com"`},
		{"an upper case host", "https://App.Example.com", `set "https://app.example.com"`},
		{"an upper case scheme", "HTTPS://app.example.com", `set "https://app.example.com"`},
		{"a default port", "https://app.example.com:443", `set "https://app.example.com"`},
		{"the other default port", "http://localhost:80", `set "http://localhost"`},
		{"two origins", "https://a.example.com, https://b.example.com", "https://app.example.com"},
		{"white space", " https://app.example.com", "https://app.example.com"},
		{"a header of its own", "https://app.example.com\r\nSet-Cookie: a=b", "https://app.example.com"},
		{"nothing", "", "https://app.example.com"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := origin.Check(row.origin)
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "user:word") {
				t.Errorf("got error %v, want one that says %s", err, row.want)
			}
		})
	}
}
