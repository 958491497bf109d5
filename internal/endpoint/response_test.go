package endpoint

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestResponseHeaders(t *testing.T) {
	const plain = `{"Content-Type":"application/json","Cache-Control":"no-store"`
	const expose = `"Access-Control-Expose-Headers":"x-amzn-RequestId, WWW-Authenticate"`
	for _, row := range []struct{ name, origin, want string }{
		{"no origin, no CORS", "", plain + `}`},
		{"any origin", "*", plain + `,"Access-Control-Allow-Origin":"*",` + expose + `}`},
		{"one origin, which caches have to tell apart", "https://app.example.com",
			plain + `,"Access-Control-Allow-Origin":"https://app.example.com",` + expose + `,"Vary":"Origin"}`},
		{"one origin with a port", "http://localhost:3000",
			plain + `,"Access-Control-Allow-Origin":"http://localhost:3000",` + expose + `,"Vary":"Origin"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, _ := newTestHandler(t, func(_ *Config, e *Environment) { e.AllowedOrigin = row.origin })
			for _, payload := range []string{event(scope(t, "read:orders")), event(`null`), `not JSON`} {
				if got := invoke(t, h, payload); !strings.Contains(got, `,"headers":`+row.want+`,"body":`) {
					t.Errorf("got %s\nwant headers %s", got, row.want)
				}
			}
		})
	}
}

func TestAllowedOriginIsChecked(t *testing.T) {
	for _, row := range []struct{ name, origin, want string }{
		{"a host without a scheme", "app.example.com", "https://app.example.com"},
		{"another scheme", "ftp://app.example.com", "https://app.example.com"},
		{"a scheme without a host", "https://", "https://app.example.com"},
		{"the null origin", "null", "https://app.example.com"},
		{"a wildcard subdomain", "https://*.example.com", "https://app.example.com"},
		{"a trailing slash", "https://app.example.com/", `use "https://app.example.com"`},
		{"a path", "https://app.example.com/a", `use "https://app.example.com"`},
		{"a query", "https://app.example.com?a", `use "https://app.example.com"`},
		{"a fragment", "https://app.example.com#a", `use "https://app.example.com"`},
		{"a user", "https://user:word@app.example.com", `use "https://app.example.com"`},
		{"an upper case host", "https://App.Example.com", `use "https://app.example.com"`},
		{"an upper case scheme", "HTTPS://app.example.com", `use "https://app.example.com"`},
		{"a default port", "https://app.example.com:443", `use "https://app.example.com"`},
		{"the other default port", "http://localhost:80", `use "http://localhost"`},
		{"two origins", "https://a.example.com, https://b.example.com", "https://app.example.com"},
		{"white space", " https://app.example.com", "https://app.example.com"},
		{"a header of its own", "https://app.example.com\r\nSet-Cookie: a=b", "https://app.example.com"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := newResponses(row.origin)
			if err == nil || !strings.HasPrefix(err.Error(), "ALLOWED_ORIGIN: ") || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got error %v, want one of ALLOWED_ORIGIN that says %s", err, row.want)
			}
		})
	}
}

// Reasons are the policy's: whatever they hold, the answer is well-formed.
func TestForbiddenJoinsAndEscapesReasons(t *testing.T) {
	h, _ := newTestHandler(t, withPolicy("package orders\n\n"+
		`decision := {"allow": false, "reasons": {"é & <b> \"c\" \\ \n", "a"}}`+"\n"))
	var response struct {
		StatusCode int
		Body       string
	}
	if err := json.Unmarshal([]byte(invoke(t, h, `{}`)), &response); err != nil {
		t.Fatal(err)
	}
	want := `{"message":"Error: Forbidden","info":"a; é & <b> \"c\" \\ \n"}`
	if response.StatusCode != 403 || response.Body != want {
		t.Errorf("got %d %s, want 403 %s", response.StatusCode, response.Body, want)
	}
}
