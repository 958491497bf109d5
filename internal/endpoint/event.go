package endpoint

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/decision"
)

// proxyEvent is the part of an event that every endpoint uses.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format
type proxyEvent struct {
	RequestContext object[struct {
		RequestID  text `json:"requestId"`
		Authorizer object[struct {
			PrincipalID text `json:"principalId"`
			Scope       text `json:"scope"`
			Permissions text `json:"permissions"`
			AZP         text `json:"azp"`
		}] `json:"authorizer"`
	}] `json:"requestContext"`
}

// readEvent reads requestContext of a Lambda proxy integration's event. API Gateway writes
// the event, not the client. So an event that is not JSON, or has a member twice, is an
// error and a 500.
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
		Principal:       string(authorizer.PrincipalID),
		Scope:           string(authorizer.Scope),
		Permissions:     string(authorizer.Permissions),
		AuthorizedParty: string(authorizer.AZP),
	}
	return Request{ID: string(requestContext.RequestID), Principal: input.Principal, event: payload}, input, nil
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
