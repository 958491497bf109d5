package tokentest

import (
	"encoding/json"
	"slices"
	"strings"
)

// Object is a JSON object as it will be written: members in order, duplicates kept, names and
// values raw. No method changes its receiver.
type Object []Member

// Member is one name/value pair. Name is written between quotes as it is, so it
// may contain JSON escapes; Value is raw JSON, or something that only looks like it.
type Member struct{ Name, Value string }

// With returns o with the member set to a raw value: in place if present, else appended.
func (o Object) With(name, value string) Object {
	at := slices.IndexFunc(o, func(m Member) bool { return m.Name == name })
	if at < 0 {
		return o.Also(name, value)
	}
	o = slices.Clone(o)
	o[at].Value = value
	return o
}

// Also returns o with a member appended, even when the name is already taken.
func (o Object) Also(name, value string) Object {
	return append(slices.Clone(o), Member{name, value})
}

// Before returns o with a member put first, even when the name is already taken.
func (o Object) Before(name, value string) Object {
	return append(Object{{name, value}}, o...)
}

// Without returns o without any member of that name.
func (o Object) Without(name string) Object {
	return slices.DeleteFunc(slices.Clone(o), func(m Member) bool { return m.Name == name })
}

// String returns the object as JSON text without white space.
func (o Object) String() string {
	var text strings.Builder
	text.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`"` + m.Name + `":` + m.Value)
	}
	text.WriteByte('}')
	return text.String()
}

// JSON returns the text of [Object.String] as bytes.
func (o Object) JSON() []byte { return []byte(o.String()) }

// Quote returns s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func Quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("tokentest: quote: " + err.Error())
	}
	return string(quoted)
}
