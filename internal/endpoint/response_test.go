package endpoint

import (
	"context"
	"encoding/json"
	"net/http"
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

func TestReplyInTheFormOfAProxyIntegration(t *testing.T) {
	const plain = `"Cache-Control":"no-store"`
	for _, row := range []struct {
		name   string
		origin string
		reply  Reply
		want   string
	}{
		{"created, and where", "", Reply{Status: 201, Header: http.Header{"Location": {"/orders/7"}}, Body: []byte(`{"id":7}`)},
			`{"statusCode":201,"headers":{"Content-Type":"application/json",` + plain + `,"Location":"/orders/7"},"body":"{\"id\":7}"}`},
		{"created, without a body", "", Reply{Status: 201, Header: http.Header{"Location": {"/orders/7"}}},
			`{"statusCode":201,"headers":{` + plain + `,"Location":"/orders/7"}}`},
		{"nothing to say", "", Reply{Status: 204}, `{"statusCode":204,"headers":{` + plain + `}}`},
		{"a table", "", Reply{Header: http.Header{"Content-Type": {"text/csv; charset=utf-8"}}, Body: []byte("id\n7\n")},
			`{"statusCode":200,"headers":{` + plain + `,"Content-Type":"text/csv; charset=utf-8"},"body":"id\n7\n"}`},
		{"a picture", "", Reply{Header: http.Header{"Content-Type": {"image/png"}}, Body: []byte("\x89PNG")},
			`{"statusCode":200,"headers":{` + plain + `,"Content-Type":"image/png"},"body":"iVBORw==","isBase64Encoded":true}`},
		{"an answer that caches keep", "", Reply{Header: http.Header{"cache-control": {"max-age=60"}}, Body: []byte(`{}`)},
			`{"statusCode":200,"headers":{"Content-Type":"application/json","Cache-Control":"max-age=60"},"body":"{}"}`},
		{"two cookies", "", Reply{Header: http.Header{"Set-Cookie": {"a=1", "b=2"}, "X-A": {"c", "d"}}, Body: []byte(`{}`)},
			`{"statusCode":200,"headers":{"Content-Type":"application/json",` + plain + `},"multiValueHeaders":{"Set-Cookie":["a=1","b=2"],"X-A":["c","d"]},"body":"{}"}`},
		{"for a page, which may read what is set", "https://app.example.com", Reply{Status: 201, Header: http.Header{"Location": {"/orders/7"}, "Vary": {"Accept"}}},
			`{"statusCode":201,"headers":{` + plain + `,"Access-Control-Allow-Origin":"https://app.example.com",` +
				`"Access-Control-Expose-Headers":"x-amzn-RequestId, WWW-Authenticate, Location, Vary","Vary":"Origin, Accept","Location":"/orders/7"}}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, _ := newTestHandler(t, func(c *Config, e *Environment) {
				e.AllowedOrigin = row.origin
				c.Answer = func(context.Context, Request) (Reply, error) { return row.reply, nil }
			})
			for range 2 { // an answer changes nothing about the next one
				if got := invoke(t, h, event(scope(t, "read:orders"))); got != row.want {
					t.Errorf("got  %s\nwant %s", got, row.want)
				}
			}
		})
	}
}
