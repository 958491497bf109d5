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
	if _, err := newResponses("https://app.example.com/"); err == nil || !strings.HasPrefix(err.Error(), "ALLOWED_ORIGIN: ") {
		t.Errorf("got error %v, want one that names ALLOWED_ORIGIN", err)
	}
}

// Reasons are the policy's: whatever they hold, the answer is well-formed.
func TestForbiddenJoinsAndEscapesReasons(t *testing.T) {
	h, _ := newTestHandler(t, withPolicy("package orders\n\n"+
		`default decision := {"allow": false, "reasons": {"é & <b> \"c\" \\ \n", "a"}}`+"\n"))
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
