package token

import (
	"bytes"
	"errors"
	"io"

	"account-api/internal/refusal"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep a header or payload may nest, its own braces included. Usual claims
// reach 4 or 5.
const maxDepth = 32

// members receives each member of an object, in order. The name is unescaped and valid
// during the call only.
type members interface{ take(name []byte, v value) }

// reader has the buffers for reading one token. It is reused for the next token, so
// whatever outlives the token is copied.
type reader struct {
	token   unverified
	input   []byte // what is signed
	decoded []byte // the decoded parts of the token, one after the other
	buffer  bytes.Buffer
	decoder jsontext.Decoder
}

// readPart decodes one part of a token and reads the JSON object in it.
func (r *reader) readPart(part, segment string, into members) *refusal.Error {
	text, refused := r.decode(part, segment)
	if refused != nil {
		return refused
	}
	if err := r.readObject(text, into); err != nil {
		return refusal.New(refusal.MalformedToken, "expected a strict JSON object as %s, got %s", part, complaint(err))
	}
	return nil
}

var (
	errNotObject = errors.New("another value")
	errTooDeep   = errors.New("one that nests too deep")
	errTrailing  = errors.New("something after it")
)

// readObject reads a text that is exactly one object. At every level the decoder demands
// unique names and valid UTF-8 (RFC 7515, section 4; RFC 7519, section 7.2). encoding/json
// does not.
func (r *reader) readObject(text []byte, into members) error {
	r.buffer = *bytes.NewBuffer(text)
	r.decoder.Reset(&r.buffer)
	if open, err := r.decoder.ReadToken(); err != nil {
		return err
	} else if open.Kind() != jsontext.KindBeginObject {
		return errNotObject
	}
	for r.decoder.PeekKind() != jsontext.KindEndObject {
		name, err := r.decoder.ReadValue()
		if err != nil {
			return err
		}
		name = text[r.offset()-len(name) : r.offset()] // the decoder's slice ends with the next read
		v, err := r.readValue(text)
		if err != nil {
			return err
		}
		unescaped, _ := value(name).text()
		into.take(unescaped, v)
	}
	if _, err := r.decoder.ReadToken(); err != nil {
		return err
	}
	if _, err := r.decoder.ReadToken(); err != io.EOF {
		return errTrailing
	}
	return nil
}

// readValue returns the text of the next member's value. It reads objects and arrays token
// by token to bound their depth.
func (r *reader) readValue(text []byte) (value, error) {
	switch r.decoder.PeekKind() {
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
	default:
		v, err := r.decoder.ReadValue()
		return text[r.offset()-len(v) : r.offset()], err
	}
	start := 0 // none yet: the outer object is at 0
	for start == 0 || r.decoder.StackDepth() > 1 {
		if _, err := r.decoder.ReadToken(); err != nil {
			return nil, err
		}
		if r.decoder.StackDepth() > maxDepth {
			return nil, errTooDeep
		}
		if start == 0 {
			start = r.offset() - 1 // the opening bracket
		}
	}
	return text[start:r.offset()], nil
}

// offset is where in the text the last token or value ended.
func (r *reader) offset() int { return int(r.decoder.InputOffset()) }

// complaint describes an error. It does not quote the text, as the decoder's errors do.
func complaint(err error) string {
	switch {
	case errors.Is(err, errNotObject), errors.Is(err, errTooDeep), errors.Is(err, errTrailing):
		return err.Error()
	case errors.Is(err, jsontext.ErrDuplicateName):
		return "one that repeats a name"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "one that ends early"
	default:
		return "a syntax error or invalid UTF-8"
	}
}

// value is the JSON text of a member's value, without white space around it. It is nil if
// the member is absent.
type value []byte

// kind is the value's JSON type. All numbers that begin with the same character have one kind.
func (v value) kind() jsontext.Kind {
	if len(v) == 0 {
		return jsontext.KindInvalid
	}
	return jsontext.Kind(v[0])
}

// text returns the unescaped content of a string, or false for anything else.
func (v value) text() ([]byte, bool) {
	if v.kind() != jsontext.KindString {
		return nil, false
	}
	if inner := v[1 : len(v)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	unescaped, err := jsontext.AppendUnquote(nil, []byte(v))
	return unescaped, err == nil
}

// elements returns the members of an array, or false for anything else.
func (v value) elements() ([]value, bool) {
	if v.kind() != jsontext.KindBeginArray {
		return nil, false
	}
	decoder := jsontext.NewDecoder(bytes.NewBuffer(v))
	_, err := decoder.ReadToken()
	list := []value{}
	for err == nil && decoder.PeekKind() != jsontext.KindEndArray {
		var element jsontext.Value
		element, err = decoder.ReadValue()
		end := int(decoder.InputOffset())
		list = append(list, v[end-len(element):end])
	}
	return list, err == nil
}
