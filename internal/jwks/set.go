package jwks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/refusal"
	"account-api/internal/signature"
)

const (
	// maxKeys bounds the work for one set. Providers publish two to four keys.
	maxKeys = 100
	// maxDepth bounds nesting. A set with certificate chains has depth 4.
	maxDepth = 32
)

var errTooLarge = fmt.Errorf("the key set is larger than %d bytes", maxDocumentBytes)

// Set is one key set document, judged key by key. Its zero value has no keys.
type Set struct {
	entries  map[string]entry // by key ID
	usable   int              // of them, those with a key
	findings []finding
}

// entry is the verdict on one key ID.
type entry struct {
	key   *signature.Key // nil: no key that may be used
	why   string         // what is wrong, if key is nil; follows "the key"
	final bool           // whether no other key with this ID makes it usable
}

// finding is why one member of a document is not used.
type finding struct {
	level slog.Level
	index int    // in "keys"
	kid   string // as published; empty if there is no usable one
	why   string
}

// Parse reads a JWK Set (RFC 7517, section 5). It does no I/O and keeps no reference to
// document.
//
// The document must be strict JSON (UTF-8, one value, no name twice in the set's own object)
// of at most 150 000 bytes, 100 keys and 32 levels. At least one member of "keys" must be a
// JWK. All else is decided key by key. A key that is malformed, too weak or of an unknown kind
// does not affect the others (section 5: SHOULD be ignored).
//
// Keys for other algorithms than the given ones are not usable. None given means RS256.
//
// After an error nothing is known about any key.
func Parse(document []byte, algorithms ...signature.Algorithm) (Set, error) {
	if len(algorithms) == 0 {
		algorithms = []signature.Algorithm{signature.RS256}
	}
	members, err := split(document)
	if err != nil {
		return Set{}, err
	}
	judged := make([]judgement, len(members))
	leaked := map[string]bool{}
	isSet := false
	for i, raw := range members {
		judged[i] = judge(raw, algorithms)
		isSet = isSet || judged[i].isJWK
		if judged[i].leaked && judged[i].identity != "" {
			leaked[judged[i].identity] = true
		}
	}
	if !isSet {
		return Set{}, errors.New(`no member of "keys" is a JWK (RFC 7517, section 4: an object with a string "kty")`)
	}
	set := Set{entries: make(map[string]entry, len(members))}
	for i, j := range judged {
		// Once its private half is published, a key is not used anywhere.
		if j.key != nil && leaked[j.identity] {
			j.entry, j.level = entry{why: whyPrivate, final: true}, slog.LevelError
		}
		if j.key == nil {
			set.note(j.level, i, j.kid, j.why)
		}
		if j.kid != "" {
			set.admit(i, j.kid, j.entry)
		}
	}
	for _, e := range set.entries {
		if e.key != nil {
			set.usable++
		}
	}
	return set, nil
}

// admit adds the verdict on one more key. Keys of different kinds may share a key ID (RFC
// 7517, section 4.5), so an unusable key does not exclude a usable one. Of two different
// usable keys neither is used: each would have to be tried, or the token would choose.
func (s *Set) admit(index int, kid string, e entry) {
	prior, seen := s.entries[kid]
	switch {
	case !seen:
		s.entries[kid] = e
	case prior.final:
	case e.final:
		s.entries[kid] = e
	case e.key == nil:
	case prior.key == nil:
		s.entries[kid] = e
	case !prior.key.Equal(e.key):
		s.entries[kid] = entry{why: whyAmbiguous, final: true}
		s.note(slog.LevelError, index, kid, whyAmbiguous)
	}
}

func (s *Set) note(level slog.Level, index int, kid, why string) {
	s.findings = append(s.findings, finding{level, index, kid, why})
}

// Key returns the usable key with this ID. The error is a [*refusal.Error] with
// reason unknown_kid or key_rejected.
func (s Set) Key(kid string) (*signature.Key, error) {
	e, ok := s.entries[kid]
	var refused *refusal.Error
	switch {
	case !ok:
		refused = refusal.New(refusal.UnknownKid, "the key set has no key with this key ID")
	case e.key == nil:
		refused = refusal.New(refusal.KeyRejected, "the key with this key ID %s", e.why)
		if e.final { // published with its private half, or twice
			refused.By = refusal.Attack
		}
	default:
		return e.key, nil
	}
	if s.Len() == 0 && refused.By == "" {
		refused.By, refused.Detail = refusal.Misconfiguration, refused.Detail+"; the key set has no usable key at all: compare its algorithms with the settings"
	}
	return nil, refused
}

// Len returns the number of key IDs with a usable key.
func (s Set) Len() int { return s.usable }

func (s Set) has(kid string) bool { _, ok := s.entries[kid]; return ok }

func (s Set) loaded() bool { return s.entries != nil }

// report logs the findings: a key for another purpose at debug, a faulty one at warn, one to
// alarm on at error. Only the last have a reason to count by, and a set without any usable key.
func (s Set) report(log *slog.Logger) {
	for _, f := range s.findings {
		attrs := []slog.Attr{slog.Int("index", f.index), slog.String("kid", f.kid), slog.String("detail", "the key "+f.why)}
		if f.level >= slog.LevelError {
			attrs = append(attrs, reasonAttrs(&refusal.Error{Reason: refusal.KeyRejected, By: refusal.Attack})...)
		}
		log.LogAttrs(context.Background(), f.level, "key not taken from the key set", attrs...)
	}
	if s.Len() == 0 {
		attrs := reasonAttrs(&refusal.Error{Reason: refusal.KeyRejected, By: refusal.Misconfiguration})
		log.LogAttrs(context.Background(), slog.LevelError, "the key set has no usable key: no token can be verified", attrs...)
	}
}

// split returns the raw members of "keys". A name twice is an error here, except within a
// member: that is for [judge].
func split(document []byte) ([]jsontext.Value, error) {
	if len(document) > maxDocumentBytes {
		return nil, errTooLarge
	}
	if err := checkSyntax(document); err != nil {
		return nil, err
	}
	d := newDecoder(document)
	if d.PeekKind() != '{' {
		return nil, errors.New("the key set is not a JSON object")
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(d)
	}
	var members []jsontext.Value
	names := map[string]bool{}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, notJSON(d)
		}
		name := token.String()
		if names[name] {
			return nil, fmt.Errorf("the key set has a member twice, at byte %d", d.InputOffset())
		}
		names[name] = true
		if name == "keys" {
			if members, err = splitKeys(d); err != nil {
				return nil, err
			}
			continue
		}
		if value, err := d.ReadValue(); err != nil || !value.IsValid() {
			return nil, notJSON(d)
		}
	}
	if !names["keys"] {
		return nil, errors.New(`the key set has no member "keys": a single JWK is not a set`)
	}
	return members, nil
}

// splitKeys returns the elements of the array that d is about to read.
func splitKeys(d *jsontext.Decoder) ([]jsontext.Value, error) {
	if d.PeekKind() != '[' {
		return nil, errors.New(`member "keys" is not an array`)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, notJSON(d)
	}
	var members []jsontext.Value
	for d.PeekKind() != ']' {
		value, err := d.ReadValue()
		if err != nil {
			return nil, notJSON(d)
		}
		if len(members) == maxKeys {
			return nil, fmt.Errorf("the key set has more than %d keys", maxKeys)
		}
		members = append(members, value.Clone())
	}
	_, err := d.ReadToken()
	return members, err
}

// checkSyntax reads the document to its end as exactly one JSON value.
func checkSyntax(document []byte) error {
	d := newDecoder(document)
	for {
		if _, err := d.ReadToken(); err != nil {
			return notJSON(d)
		}
		switch depth := d.StackDepth(); {
		case depth > maxDepth:
			return fmt.Errorf("the key set is nested deeper than %d levels", maxDepth)
		case depth > 0:
			continue
		}
		if _, err := d.ReadToken(); err != io.EOF {
			return fmt.Errorf("the key set is followed by something else, at byte %d", d.InputOffset())
		}
		return nil
	}
}

// newDecoder returns a decoder that is strict but for repeated names. The caller knows
// whether they are in the set or in one key.
func newDecoder(document []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewReader(document), jsontext.AllowDuplicateNames(true))
}

// notJSON says where reading failed. It quotes nothing: a document may hold a private key.
func notJSON(d *jsontext.Decoder) error {
	return fmt.Errorf("the key set is not strict JSON, after byte %d", d.InputOffset())
}
