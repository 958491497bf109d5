package endpoint

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
)

// Request is a request that the policy allows.
type Request struct {
	ID string // API Gateway's request ID, or else Lambda's: it links a log line to the access log and the decision log

	// Principal is the sub claim of the verified token. It is empty if the policy allows a
	// caller without one. Do not log it.
	Principal string

	parameters map[string]string
	headers    []string // that the endpoint declares
	query      map[string][]string
	event      []byte
}

// Format implements [fmt.Formatter]. For every verb it writes the ID only, so that a %+v in
// an error shows neither the caller nor the token.
func (r Request) Format(to fmt.State, _ rune) { io.WriteString(to, "request "+r.ID) }

// LogValue implements [slog.LogValuer], likewise.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.ID) }

// Content is what the client sent besides its token. The policy has seen path and query.
// Whether a caller may read the account that a parameter names is the policy's to say.
type Content struct {
	Path   map[string]string // the path's parameters by name, decoded
	Query  url.Values        // decoded
	Header http.Header       // those of [Config.Headers] that were sent
	Body   []byte            // nil if there is none
}

// Content reads the rest of the event, for an endpoint that needs it. An endpoint returns its
// errors as they are.
func (r Request) Content() (Content, error) {
	var event struct {
		Headers map[string][]string `json:"multiValueHeaders"`
		Body    *string             `json:"body"`
		Base64  bool                `json:"isBase64Encoded"`
	}
	if err := json.Unmarshal(r.event, &event); err != nil {
		return Content{}, fmt.Errorf("read content: %w", withoutText(err))
	}
	content := Content{Path: r.parameters, Query: r.query, Header: r.declared(event.Headers)}
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

// declared picks the headers that the endpoint reads. Names arrive as the client wrote them:
// in lower case by HTTP/2.
func (r Request) declared(sent map[string][]string) http.Header {
	var header http.Header
	for _, name := range r.headers {
		for sentName, values := range sent {
			if strings.EqualFold(name, sentName) {
				if header == nil {
					header = http.Header{}
				}
				name := http.CanonicalHeaderKey(name)
				header[name] = append(header[name], values...)
			}
		}
	}
	return header
}
