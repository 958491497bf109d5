package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	// maxDocumentBytes bounds a key set after decompression. API Gateway's own JWT
	// authorizer reads as much:
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
	maxDocumentBytes = 150_000
	// userAgent is for the provider's log (RFC 9110, section 10.1.5).
	userAgent = "jwt-authorizer"
	// maxDetailBytes bounds the text of an error that may quote a server.
	maxDetailBytes = 200
)

// newClient returns a copy of the given client, or the package's own if there is none. It
// follows no redirect: the keys would come from another host than the configured one.
func newClient(given *http.Client, uri string) *http.Client {
	client := &http.Client{}
	switch {
	case given != nil:
		*client = *given
	case strings.HasPrefix(uri, "http:"):
		client.Transport = newTransport(nil)
	default:
		client.Transport = newTransport(systemBundle())
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// fetch gets and parses the set, and returns it with its lifetime. It tries a connection that
// broke once more: load balancers close some, and a cold function has no older keys.
func (s *Source) fetch(ctx context.Context, limit time.Duration) (set Set, lifetime time.Duration, err error) {
	// The handler's recover does not cover this goroutine. A panic in a given client
	// would end the process.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T during the fetch", p)
		}
	}()
	if s.ownsHTTP {
		// net/http keeps a dial for the next request when its own is cancelled. This
		// ends it.
		defer s.client.CloseIdleConnections()
	}
	document, header, err := s.get(ctx)
	if isBroken(err) && ctx.Err() == nil {
		document, header, err = s.get(ctx)
	}
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return Set{}, 0, errors.New("every caller gave up")
	case ctx.Err() != nil:
		return Set{}, 0, fmt.Errorf("no complete answer within %v", limit)
	case err != nil:
		return Set{}, 0, brief(err)
	}
	set, err = Parse(document, s.algorithms...)
	if err != nil {
		return Set{}, 0, err
	}
	return set, freshness(header), nil
}

// get makes one GET request and reads the answer whole.
func (s *Source) get(ctx context.Context) ([]byte, http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.uri, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", userAgent)
	response, err := s.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, statusError{response.StatusCode, retryAfter(response.Header, s.wall())}
	}
	// net/http decompresses while reading, so the bound is on the decompressed bytes.
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocumentBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if len(document) > maxDocumentBytes {
		return nil, nil, errTooLarge
	}
	return document, response.Header, nil
}

// statusError is an answer without a key set.
type statusError struct {
	status     int
	retryAfter time.Duration
}

func (e statusError) Error() string {
	text := fmt.Sprintf("status %d, want 200", e.status)
	if e.status >= 300 && e.status < 400 {
		text += ": redirects are not followed, configure the address that the key set has moved to"
	}
	return text
}

// isBroken reports whether err means that the connection ended early.
func isBroken(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// brief returns err without the address, and cut off where it quotes a server at length.
func brief(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	if text := err.Error(); len(text) > maxDetailBytes {
		return errors.New(text[:maxDetailBytes] + "…")
	}
	return err
}
