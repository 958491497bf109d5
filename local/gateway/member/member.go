// Package member reads JSON objects for a gateway, which is strict about names and
// tolerant about values. A member stays JSON until it is asked for. Errors never quote
// the text.
package member

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Of returns the members of an object by name. A repeated name, text that is not UTF-8,
// another value than an object, and anything after it are errors.
func Of(text []byte) (members map[string]jsontext.Value, err error) {
	if json.Unmarshal(text, &members) != nil || members == nil { // null
		return nil, errors.New("expected one JSON object without repeated names")
	}
	return members, nil
}

// Text returns the content of a JSON string, and false for any other value.
func Text(value jsontext.Value) (text string, ok bool) {
	if value.Kind() != jsontext.KindString {
		return "", false
	}
	unquoted, err := jsontext.AppendUnquote(nil, value)
	return string(unquoted), err == nil
}

// Optional is [Of] for an object that may as well be null.
func Optional(value jsontext.Value) (map[string]jsontext.Value, error) {
	if value.Kind() == jsontext.KindNull {
		return nil, nil
	}
	return Of(value)
}

// Scalar turns a JSON string, number or boolean into text, as API Gateway does wherever
// it expects a string. A null is absent.
func Scalar(value jsontext.Value) (text string, present bool, err error) {
	switch value.Kind() {
	case jsontext.KindString:
		if text, present = Text(value); !present {
			err = errors.New("expected text in UTF-8")
		}
		return text, present, err
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return string(value), true, nil
	case jsontext.KindNull:
		return "", false, nil
	default:
		return "", false, errors.New("expected a string, a number or a boolean")
	}
}
