package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

// quiet answers what it is told to and remembers nothing.
type quiet struct{ authorizer, books lambda.Result }

func (q *quiet) Invoke(_ context.Context, arn string, _ []byte) (lambda.Result, error) {
	if strings.HasSuffix(arn, ":authorizer") {
		return q.authorizer, nil
	}
	return q.books, nil
}

func newQuiet() *quiet {
	return &quiet{
		authorizer: lambda.Result{Payload: []byte(allowing(booksARN))},
		books:      lambda.Result{Payload: []byte(`{"statusCode":200,"body":"{\"title\":\"Añil\"}"}`)},
	}
}

func request(token string) *http.Request {
	r := httptest.NewRequest("GET", "/live/books", nil)
	if token != "" {
		r.Header.Set("Authorization", token)
	}
	return r
}

// BenchmarkServe is the gateway's own share of a request: the functions do nothing.
func BenchmarkServe(b *testing.B) {
	for _, bb := range []struct {
		name, token string
		ttl         float64
		report      func(Exchange)
	}{
		{"authorized", bearer, 0, nil},
		{"authorized, reported", bearer, 0, func(Exchange) {}},
		{"authorized, cached", bearer, 300, nil},
		{"refused without a token", "", 0, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			g, err := New(&gatewaytest.New().Set("token", "authorizerResultTtlInSeconds", bb.ttl).Graph, Options{Functions: newQuiet(), Report: bb.report})
			if err != nil {
				b.Fatal(err)
			}
			r := request(bb.token)
			want := 200
			if bb.token == "" {
				want = 401
			}
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				if g.ServeHTTP(w, r); w.Code != want {
					b.Fatalf("got %d", w.Code)
				}
			}
		})
	}
}
