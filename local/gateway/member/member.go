// Package member reads JSON objects for a gateway, which is strict about names and
// tolerant about values. A member stays JSON until it is asked for. Errors never quote
// the text. Package json does the same by reflection, in twice the time.
package member

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// reader is the working memory of [Of], most of what a small object costs.
type reader struct {
	buffer  bytes.Buffer
	decoder jsontext.Decoder
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// Of returns the members of an object by name. A repeated name, text that is not UTF-8,
// another value than an object, and anything after it are errors. The values are parts of
// text.
func Of(text []byte) (map[string]jsontext.Value, error) {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.buffer = *bytes.NewBuffer(text)
	decoder := &r.decoder
	decoder.Reset(&r.buffer)
	if open, err := decoder.ReadToken(); err != nil || open.Kind() != jsontext.KindBeginObject {
		return nil, errObject
	}
	members := map[string]jsontext.Value{}
	for decoder.PeekKind() != jsontext.KindEndObject {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, errObject
		}
		key := name.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return nil, errObject
		}
		end := int(decoder.InputOffset())
		members[key] = jsontext.Value(text[end-len(value) : end : end])
	}
	if _, err := decoder.ReadToken(); err != nil {
		return nil, errObject
	}
	if _, err := decoder.ReadToken(); err != io.EOF {
		return nil, errObject
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

var errObject = errors.New("expected one JSON object without repeated names")
