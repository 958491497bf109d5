package endpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
)

// Request is a request that the policy allows.
type Request struct {
	ID string // API Gateway's request ID, or else Lambda's: it links a log line to the access log and the decision log

	// Principal is the sub claim of the verified token. It is empty if the policy allows a
	// caller without one. Do not log it.
	Principal string

	event []byte
}

// Format implements [fmt.Formatter]. For every verb it writes the ID only, so that a %+v in
// an error shows neither the caller nor the token.
func (r Request) Format(to fmt.State, _ rune) { io.WriteString(to, "request "+r.ID) }

// LogValue implements [slog.LogValuer], likewise.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.ID) }

// Content is what the client sent besides its token. The policy has not seen it. If the path
// has a parameter such as {account}, the policy does not say whose account the caller may
// read: the endpoint has to compare the parameter with the principal.
type Content struct {
	Path  map[string]string // the path's parameters by name, decoded
	Query url.Values        // decoded
	Body  []byte            // nil if there is none
}

// Content reads the rest of the event, for an endpoint that needs it. An endpoint returns its
// errors as they are. A path that is not percent-encoded is a [ClientError].
func (r Request) Content() (Content, error) {
	var event struct {
		PathParameters map[string]string `json:"pathParameters"`
		Query          url.Values        `json:"multiValueQueryStringParameters"`
		Body           *string           `json:"body"`
		Base64         bool              `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(r.event, &event); err != nil {
		return Content{}, fmt.Errorf("read content: %w", withoutText(err))
	}
	content := Content{Path: event.PathParameters, Query: event.Query}
	// API Gateway decodes the query, not the path.
	for name, value := range content.Path {
		decoded, err := url.PathUnescape(value)
		if err != nil {
			return Content{}, &ClientError{http.StatusBadRequest, "the path is not percent-encoded"}
		}
		content.Path[name] = decoded
	}
	if event.Body == nil {
		return content, nil
	}
	content.Body = []byte(*event.Body)
	if event.Base64 {
		decoded, err := base64.StdEncoding.DecodeString(*event.Body)
		if err != nil {
			return Content{}, errors.New("read content: expected a body in base64, as isBase64Encoded says, got something else")
		}
		content.Body = decoded
	}
	return content, nil
}
