package trace

import (
	"regexp"
	"strings"
)

// tokenBegin is the Base64 of a JSON object's beginning, with which every token begins.
const tokenBegin = "eyJ"

// tokenForm is a JSON Web Token, signed, encrypted or neither.
var tokenForm = regexp.MustCompile(tokenBegin + `[\w-]+\.[\w-]+(\.[\w-]*)*`)

// WithoutTokens is a text as a terminal or a log may show it. A message may quote a token, and
// a client may put its own into a URL.
func WithoutTokens(text string) string {
	return replaceTokens(text, func(string) string { return "[token]" })
}

// withoutForeignTokens leaves those of this machine, so that a request can be sent again.
func withoutForeignTokens(text string) string {
	return replaceTokens(text, func(token string) string {
		if ofThisMachine(token) {
			return token
		}
		return "[token]"
	})
}

func replaceTokens(text string, replace func(token string) string) string {
	if !strings.Contains(text, tokenBegin) {
		return text
	}
	return tokenForm.ReplaceAllStringFunc(text, replace)
}
