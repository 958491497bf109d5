package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"time"
)

const (
	// answerTime is how long an answer may take: the 29 s that API Gateway waits for a
	// function by default, twice rounded up, as one request may wait for an authorizer.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
	answerTime = 60 * time.Second
	// maxBody, in bytes, is the most that is read of an answer.
	maxBody = 1 << 20
	// userAgent tells readers of an access log where these requests come from.
	userAgent = "conform"
)

// newClient follows no redirect, keeps no cookie and asks for no compression: an
// answer is what the API sent.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       answerTime,
	}
}

// request is one request of a case. It never has a body.
type request struct {
	method, path, query string
	header              []string // name, value, name, value …
	before              *request // is sent first; nil for none
}

// with adds a header.
func (r request) with(name, value string) request {
	r.header = append(slices.Clone(r.header), name, value)
	return r
}

// answer is what came back. The spelling of header names carries no meaning: HTTP/2 has
// them in lower case only.
// https://www.rfc-editor.org/rfc/rfc9113#section-8.2
type answer struct {
	*http.Response
	request request
	body    string
	took    time.Duration
	before  *answer // to the request that was sent before; nil for none
}

// caller sends requests to the target and remembers what was answered.
type caller struct {
	client *http.Client
	target target
	seen   []*answer
}

// send makes one request, or two.
func (c *caller) send(ctx context.Context, r request) (*answer, error) {
	var before *answer
	if r.before != nil {
		var err error
		if before, err = c.send(ctx, *r.before); err != nil {
			return nil, err
		}
	}
	path, err := url.PathUnescape(r.path)
	if err != nil {
		return nil, fmt.Errorf("expected a path that can be requested: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.target.origin(), nil)
	if err != nil {
		return nil, fmt.Errorf("expected a method that can be requested: %w", err)
	}
	req.URL.Path, req.URL.RawPath, req.URL.RawQuery = path, r.path, r.query // as they are, with every slash
	req.Header.Set("User-Agent", userAgent)
	for i := 0; i < len(r.header); i += 2 {
		req.Header.Del(r.header[i])
		req.Header[r.header[i]] = []string{r.header[i+1]} // in the case that is given
	}
	start := time.Now()
	response, err := c.client.Do(req)
	if err != nil {
		return nil, c.target.explain(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, c.target.explain(err)
	}
	a := &answer{Response: response, request: r, body: string(body), took: time.Since(start), before: before}
	c.seen = append(c.seen, a)
	return a, nil
}

// probe finds out whether the API is there at all, so that a wrong URL is one sentence
// and not a table of differences.
func (c *caller) probe(ctx context.Context, r request) (*answer, error) {
	a, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	location, kind := c.target.origin()+r.path, a.Header.Get(errorType)
	switch {
	case kind == "" && a.Header.Get(requestID) == "" && a.Header.Get(extendedID) == "":
		return nil, fmt.Errorf("%s answered %d, but not as a REST API of API Gateway: it has no x-amzn-RequestId and no x-amz-apigw-id; %s", location, a.StatusCode, urlHint)
	case kind == "ForbiddenException" && a.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("%s is forbidden: expected a stage that exists and lets you in; %s", location, urlHint)
	case kind == "MissingAuthenticationTokenException":
		return nil, fmt.Errorf("the API has no %s %s, which the stack declares: is this checkout deployed there?", r.method, location)
	}
	return a, nil
}

// explain says in one sentence why a request got no answer, and what to do.
func (t target) explain(err error) error {
	var request *url.Error
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &request) {
		err = request.Err // without the URL, which may be long
	}
	hint := "expected the URL of an API that can be reached from here"
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped")
	case errors.As(err, &certificate):
		hint = "is it the right host? Is a TLS-inspecting proxy in between? Is this machine's clock right?"
	case errors.Is(err, syscall.ECONNREFUSED):
		hint = "start the API with make run, or correct the URL"
	}
	return fmt.Errorf("%s gave no answer: %w: %s", t.url.Host, err, hint)
}
