package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	// answerTime is how long an answer may take: the 29 s that API Gateway waits for a
	// function by default, twice rounded up, as one request may wait for an authorizer.
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
	answerTime = 60 * time.Second
	// maxBody, in bytes, is far more than any answer here has.
	maxBody = 1 << 20
	// userAgent tells whoever reads the access log where the odd requests come from.
	userAgent = "account-api-conform"
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

// request is one request of a case. The zero value asks for the endpoint.
type request struct {
	method string // "" is GET
	path   string // "" is the endpoint's
	query  string
	header []string // name, value, name, value …
}

func (r request) String() string { return cmp.Or(r.method, http.MethodGet) + " " + r.path }

// answer is what came back. Header names are in Go's canonical form: over HTTP/2 they
// are all lower-case on the wire, so that their spelling can carry no meaning.
// https://www.rfc-editor.org/rfc/rfc9113#section-8.2
type answer struct {
	request  request
	status   int
	header   http.Header
	body     string
	length   int64 // Content-Length; -1 without one
	major    int   // version of HTTP
	proto    string
	took     time.Duration
	previous *answer // to the request that the same case sent before; nil for the first
}

// caller sends requests to the target and remembers what was answered.
type caller struct {
	client *http.Client
	target target
	seen   []*answer
}

// send makes one request. Its error is a sentence, see [explain].
func (c *caller) send(ctx context.Context, r request) (*answer, error) {
	r.path = cmp.Or(r.path, c.target.url.Path)
	address := url.URL{Scheme: c.target.url.Scheme, Host: c.target.url.Host, Path: r.path, RawQuery: r.query}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.method, http.MethodGet), address.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("expected a path that can be requested: %w", err)
	}
	req.Header.Set("User-Agent", userAgent)
	for i := 0; i < len(r.header); i += 2 {
		req.Header[http.CanonicalHeaderKey(r.header[i])] = []string{r.header[i+1]}
	}
	start := time.Now()
	response, err := c.client.Do(req)
	if err != nil {
		return nil, explain(c.target, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, explain(c.target, err)
	}
	a := &answer{
		request: r, status: response.StatusCode, header: response.Header, body: string(body), length: response.ContentLength,
		major: response.ProtoMajor, proto: response.Proto, took: time.Since(start),
	}
	c.seen = append(c.seen, a)
	return a, nil
}

// probe finds out whether there is such an API at all, so that a wrong URL is one
// sentence and not a table of differences.
func (c *caller) probe(ctx context.Context) (*answer, error) {
	a, err := c.send(ctx, request{})
	if err != nil {
		return nil, err
	}
	location := c.target.url.String()
	kind := a.header.Get(errorTypeHeader)
	switch {
	case a.header.Get("Location") != "" && a.status >= 300 && a.status < 400:
		return nil, fmt.Errorf("%s redirects, which no REST API of API Gateway does by itself: expected the invoke URL; %s", location, urlHint)
	case a.header.Get("Apigw-Requestid") != "":
		return nil, fmt.Errorf("%s is an HTTP API, which answers otherwise: expected a REST API; %s", location, urlHint)
	case kind == "" && a.header.Get(requestIDHeader) == "" && a.header.Get(extendedIDHeader) == "":
		return nil, fmt.Errorf("%s answered %d, but not as API Gateway: it has no x-amzn-RequestId and no x-amz-apigw-id; %s", location, a.status, urlHint)
	case kind == "ForbiddenException" && a.status == http.StatusForbidden:
		return nil, fmt.Errorf("%s is forbidden: expected a stage that exists and lets you in, the first part of the path; %s", location, urlHint)
	case kind == "MissingAuthenticationTokenException":
		return nil, fmt.Errorf("%s has no GET method: expected the path of the profile endpoint, /STAGE/profile; %s", location, urlHint)
	}
	return a, nil
}
