package gateway

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"account-api/local/gateway/gatewaytest"
)

func TestConcurrentRequests(t *testing.T) {
	s := gatewaytest.New().Set("token", "authorizerResultTtlInSeconds", float64(1))
	var mu sync.Mutex
	reported := map[int]int{}
	seen := map[string]bool{}
	g, err := New(&s.Graph, Options{Functions: newQuiet(), Report: func(e Exchange) {
		mu.Lock()
		defer mu.Unlock()
		reported[e.Status]++
		seen[e.RequestID] = true
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	defer srv.Close()
	const clients, each = 16, 40
	var wg sync.WaitGroup
	for n := range clients {
		wg.Go(func() {
			for i := range each {
				req, err := http.NewRequest("GET", srv.URL+"/live/books", nil)
				if err != nil {
					t.Error(err)
					return
				}
				want := 401
				if (n+i)%2 == 0 {
					req.Header.Set("Authorization", bearer)
					want = 200
				}
				res, err := srv.Client().Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				res.Body.Close()
				if res.StatusCode != want {
					t.Errorf("got %d, want %d", res.StatusCode, want)
				}
			}
		})
	}
	wg.Wait()
	srv.Close() // waits for the handlers, and so for their reports
	if reported[200] != clients*each/2 || reported[401] != clients*each/2 || len(seen) != clients*each {
		t.Errorf("reported %v, %d distinct request IDs", reported, len(seen))
	}
}
