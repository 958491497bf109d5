package gateway

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// readOutput reads what a function answered, one JSON object without repeated or unknown
// names. Errors name members and never quote values.
func readOutput(payload []byte, into any, members string) error {
	if jsontext.Value(payload).Kind() != jsontext.KindBeginObject {
		return errors.New("expected a JSON object with " + members)
	}
	err := json.Unmarshal(payload, into, json.RejectUnknownMembers(true))
	wrong := (*json.SemanticError)(nil)
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return errors.New("has a member that is none of " + members)
	case errors.Is(err, errNested):
		errors.As(err, &wrong)
		return fmt.Errorf("%s: a value is an object or a list: make it a string", member(wrong.JSONPointer))
	case errors.As(err, &wrong):
		return fmt.Errorf("%s has an unusable value", member(wrong.JSONPointer))
	case err != nil:
		return errors.New("expected a JSON object with " + members + ", each once")
	}
	return nil
}

// member is the first name of a pointer, such as headers of /headers/Vary.
func member(p jsontext.Pointer) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(string(p), "/"), "/")
	return name
}

// scalar is a JSON string, number or boolean as text, which API Gateway takes wherever it
// expects a string. A null is absent.
type scalar struct {
	text    string
	present bool
}

var errNested = errors.New("expected a string, a number or a boolean")

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (s *scalar) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		return errNested
	case jsontext.KindString:
		s.present = true
		return json.UnmarshalDecode(d, &s.text)
	}
	value, err := d.ReadValue()
	if s.present = value.Kind() != jsontext.KindNull; s.present {
		s.text = string(value)
	}
	return err
}
