package corpus

import (
	"strconv"
	"strings"

	"account-api/internal/token/tokentest"
)

// Edit derives one JSON object from another.
type Edit = func(tokentest.Object) tokentest.Object

// Set gives a member a raw value, in place if it is there.
func Set(name, value string) Edit {
	return func(o tokentest.Object) tokentest.Object { return o.With(name, value) }
}

// Also appends a member, even when the name is taken.
func Also(name, value string) Edit {
	return func(o tokentest.Object) tokentest.Object { return o.Also(name, value) }
}

// Before puts a member first, even when the name is taken.
func Before(name, value string) Edit {
	return func(o tokentest.Object) tokentest.Object { return o.Before(name, value) }
}

// Drop removes a member.
func Drop(name string) Edit {
	return func(o tokentest.Object) tokentest.Object { return o.Without(name) }
}

func apply(o tokentest.Object, edits []Edit) string {
	for _, edit := range edits {
		o = edit(o)
	}
	return o.String()
}

// Headers is a good token with an edited header. Like the tokens of the next three functions
// it is signed with the provider's key, so only the edit can be the reason to refuse it.
func Headers(edits ...Edit) string { return RawHeader(apply(tokentest.Header("k1"), edits)) }

// Claims is a good token with an edited payload.
func Claims(edits ...Edit) string { return RawPayload(apply(tokentest.Payload(), edits)) }

// RawHeader is a good token with any text as its header.
func RawHeader(text string) string {
	return tokentest.Sign([]byte(text), tokentest.Payload().JSON(), tokentest.K1())
}

// RawPayload is a good token with any text as its payload.
func RawPayload(text string) string {
	return tokentest.Sign(tokentest.Header("k1").JSON(), []byte(text), tokentest.K1())
}

// SignedAsIs signs a signing input whose parts need not be encoded canonically.
func SignedAsIs(input string) string {
	return input + "." + tokentest.Segment(tokentest.Signature(input, tokentest.K1()))
}

// Forged is a good token with the attacker's signature.
func Forged() string {
	return tokentest.Sign(tokentest.Header("k1").JSON(), tokentest.Payload().JSON(), tokentest.K3())
}

// Unsigned is a token up to and with its last dot.
func Unsigned(compact string) string { return compact[:strings.LastIndexByte(compact, '.')+1] }

// In is the JSON text of a moment so many seconds from [tokentest.Now].
func In(seconds int64) string { return strconv.FormatInt(tokentest.Unix+seconds, 10) }

// Nested is depth arrays within each other.
func Nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
