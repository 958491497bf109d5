package main

import (
	"regexp"
	"strings"
)

// tokenForm is a JSON Web Token, signed or not: its header is a JSON object, in base64url.
var tokenForm = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+(\.[\w-]*)*`)

// withoutTokens is what may be written to the terminal and to the functions' log. A client that
// puts its token into a URL would have it there otherwise.
func withoutTokens(text string) string {
	if !strings.Contains(text, "eyJ") {
		return text
	}
	return tokenForm.ReplaceAllLiteralString(text, "(a token)")
}
