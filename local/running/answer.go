package running

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// Answer is what a stack answers to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Request sends a request with pairs of a header's name and value.
func Request(t *testing.T, method, url string, header ...string) Answer {
	t.Helper()
	a, err := send(t.Context(), http.DefaultClient, method, url, header...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func send(ctx context.Context, client *http.Client, method, url string, header ...string) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return Answer{}, err
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("no answer: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("half an answer: %w", err)
	}
	return Answer{response.StatusCode, response.Header, string(body)}, nil
}

// Send sends a GET request from any goroutine, and expects the answer of a gateway. The
// body begins with the type of an error, if there is one.
func Send(ctx context.Context, client *http.Client, url, header, value string) (status int, body string, err error) {
	a, err := send(ctx, client, http.MethodGet, url, header, value)
	if err != nil {
		return 0, "", err
	}
	if a.Header.Get("X-Amzn-Requestid") == "" {
		return 0, "", errors.New("an answer without a request ID")
	}
	if kind := a.Header.Get("X-Amzn-Errortype"); kind != "" {
		return a.Status, kind + " " + a.Body, nil
	}
	return a.Status, a.Body, nil
}

// Expect compares the status and the body.
func (a Answer) Expect(t *testing.T, status int, body string) {
	t.Helper()
	if a.Status != status || a.Body != body {
		t.Errorf("expected %d %s, got %d %s", status, body, a.Status, a.Body)
	}
}
