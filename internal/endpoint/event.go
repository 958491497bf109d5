package endpoint

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/decision"
)

// proxyEvent is the part of an event that every endpoint uses.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
type proxyEvent struct {
	Method         text                `json:"httpMethod"`
	Resource       text                `json:"resource"`
	Parameters     map[string]string   `json:"pathParameters"`
	Query          map[string][]string `json:"multiValueQueryStringParameters"`
	RequestContext object[struct {
		RequestID   text  `json:"requestId"`
		RequestTime int64 `json:"requestTimeEpoch"` // in milliseconds
		Authorizer  object[struct {
			PrincipalID text `json:"principalId"`
			Scope       text `json:"scope"`
			Permissions text `json:"permissions"`
			AZP         text `json:"azp"`
			Issuer      text `json:"issuer"`
			Claims      text `json:"claims"` // JSON: a context holds no objects
		}] `json:"authorizer"`
	}] `json:"requestContext"`
}

// readEvent reads a Lambda proxy integration's event, but for headers and body. API Gateway
// writes the event, not the client. So an event that is not JSON, or has a member twice, is
// an error and a 500. A path that is not percent-encoded is the client's: a [ClientError].
//
// A claim that is absent or not a string is absent from the policy's input. The policy says
// what a caller without that claim may do, so a gateway without an authorizer ends in the
// policy's denial. The request's ID may be empty too.
func readEvent(payload []byte) (Request, decision.Input, error) {
	if kind := jsontext.Value(payload).Kind(); kind != '{' {
		return Request{}, decision.Input{}, fmt.Errorf("read event: expected a JSON object, got kind %q", kind)
	}
	var event proxyEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return Request{}, decision.Input{}, fmt.Errorf("read event: %w", withoutText(err))
	}
	requestContext := event.RequestContext.members
	authorizer := requestContext.Authorizer.members
	input := decision.Input{
		Method:          string(event.Method),
		Resource:        string(event.Resource),
		Query:           event.Query,
		Time:            time.UnixMilli(requestContext.RequestTime).UnixNano(),
		Principal:       string(authorizer.PrincipalID),
		Scope:           string(authorizer.Scope),
		Permissions:     string(authorizer.Permissions),
		AuthorizedParty: string(authorizer.AZP),
		Issuer:          string(authorizer.Issuer),
		Claims:          decision.Claims(authorizer.Claims),
	}
	request := Request{ID: string(requestContext.RequestID), Principal: input.Principal, query: event.Query, event: payload}
	var err error
	input.Path, input.Parameters, err = readPath(input.Resource, event.Parameters)
	request.parameters = input.Parameters
	return request, input, err
}

// readPath puts a path together from the declared one and its parameters, which API Gateway
// does not decode. The event's own path begins with the base path if a custom domain has one.
// {name+} stands for several parts.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
func readPath(resource string, escaped map[string]string) (parts []string, parameters map[string]string, err error) {
	for name, value := range escaped {
		if parameters == nil {
			parameters = make(map[string]string, len(escaped))
		}
		if parameters[name], err = unescape(value); err != nil {
			return nil, nil, err
		}
	}
	for part := range strings.SplitSeq(strings.Trim(resource, "/"), "/") {
		name, isParameter := strings.CutPrefix(part, "{")
		if !isParameter {
			if part != "" {
				parts = append(parts, part)
			}
			continue
		}
		value, found := escaped[strings.TrimRight(name, "+}")]
		if !found {
			return nil, nil, errors.New("read event: expected a value for each parameter of resource, got none for one")
		}
		for value := range strings.SplitSeq(value, "/") {
			value, err := unescape(value)
			if err != nil {
				return nil, nil, err
			}
			parts = append(parts, value)
		}
	}
	return parts, parameters, nil
}

// unescape decodes a part of a path once.
func unescape(escaped string) (string, error) {
	value, err := url.PathUnescape(escaped)
	if err != nil || !utf8.ValidString(value) {
		return "", &ClientError{http.StatusBadRequest, "the path is not percent-encoded UTF-8"}
	}
	return value, nil
}

// object is a JSON object with the members of T, or none of them for any other value.
type object[T any] struct{ members T }

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (o *object[T]) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	if decoder.PeekKind() != '{' {
		return decoder.SkipValue()
	}
	return json.UnmarshalDecode(decoder, &o.members)
}

// text is the content of a JSON string, or "" for any other value.
type text string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (t *text) UnmarshalJSONFrom(decoder *jsontext.Decoder) error {
	if decoder.PeekKind() != '"' {
		return decoder.SkipValue()
	}
	token, err := decoder.ReadToken()
	if err != nil {
		return err
	}
	*t = text(token.String())
	return nil
}

// withoutText reduces a JSON error to its position. Its message may quote the event, which
// has the client's headers.
func withoutText(err error) error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Errorf("malformed JSON at byte %d", syntactic.ByteOffset)
	}
	return fmt.Errorf("unusable JSON (%T)", err)
}
