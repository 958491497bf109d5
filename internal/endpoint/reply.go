package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ClientError is an error that the client can correct, such as a body that lacks a member,
// or an account that does not exist. It is not logged: the access log has its status. It is
// not for denials, which are the policy's.
type ClientError struct {
	Status  int    // from 400 to 499
	Message string // the message of the body; the client reads it
}

// Error names status and message.
func (e *ClientError) Error() string { return fmt.Sprintf("%d %s", e.Status, e.Message) }

// reply answers a request that the policy allows. Its errors quote nothing secret.
func (h *Handler) reply(ctx context.Context, request Request) ([]byte, error) {
	body, err := h.answer(ctx, request)
	if err != nil {
		mendable, ok := errors.AsType[*ClientError](err)
		switch {
		case !ok:
			return nil, fmt.Errorf("answer: failed with %s", types(err))
		case mendable.Status < 400 || mendable.Status > 499:
			return nil, fmt.Errorf("answer: expected a ClientError's status to be from 400 to 499, got %d", mendable.Status)
		}
		return h.responses.refused(mendable), nil
	}
	if !jsontext.Value(body).IsValid() {
		return nil, fmt.Errorf("answer: expected JSON, got %d bytes that are not", len(body))
	}
	return h.responses.answer(http.StatusOK, body), nil
}

// types describes an error by its type and the types of the errors that it wraps. Their
// messages may quote a claim or what the client sent.
func types(err error) string {
	description := fmt.Sprintf("%T", err)
	switch wrapper := err.(type) {
	case interface{ Unwrap() error }:
		if wrapped := wrapper.Unwrap(); wrapped != nil {
			description += " of " + types(wrapped)
		}
	case interface{ Unwrap() []error }:
		var wrapped []string
		for _, err := range wrapper.Unwrap() {
			wrapped = append(wrapped, types(err))
		}
		description += " of [" + strings.Join(wrapped, ", ") + "]"
	}
	return description
}
