package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"account-api/local/gateway"
	"account-api/local/gateway/gatewaytest"
	"account-api/local/lambda"
)

// held is a function that answers when it is released.
type held struct{ begun, released chan struct{} }

func (h held) Invoke(context.Context, string, []byte) (lambda.Result, error) {
	close(h.begun)
	<-h.released
	return lambda.Result{Payload: []byte(`{"statusCode":200,"body":"from the shelf"}`)}, nil
}

func TestAReplacedGenerationEndsAfterItsRequests(t *testing.T) {
	h := held{make(chan struct{}), make(chan struct{})}
	stack := gatewaytest.New()
	stack.Set("get-books", "authorization", "NONE").Set("get-books", "authorizerId", nil)
	served, err := gateway.New(&stack.Graph, gateway.Options{Functions: h})
	if err != nil {
		t.Fatal(err)
	}
	var board switchboard
	board.replace(&generation{gateway: served})
	answer, answered, ended := httptest.NewRecorder(), make(chan struct{}), make(chan struct{})
	go func() {
		board.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/live/books", nil))
		close(answered)
	}()
	<-h.begun
	board.replace(&generation{})
	go func() {
		board.draining.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		t.Error("expected the functions of the former generation to live on while one has a request, got them ended")
	case <-time.After(50 * time.Millisecond): // a generation without requests ends within microseconds
	}
	close(h.released)
	<-answered
	<-ended
	if got := answer.Body.String(); answer.Code != http.StatusOK || got != "from the shelf" {
		t.Errorf("expected the request to be answered by the function that has it, got %d %s", answer.Code, got)
	}
}
