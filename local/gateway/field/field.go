// Package field knows what HTTP allows in a header field, for the gateway that passes
// on fields of functions and of the declaration. It checks and splits text. It knows no
// field by name.
package field

import "strings"

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// ValidName reports whether s is a field name (RFC 9110, section 5.1).
func ValidName(s string) bool { return s != "" && strings.Trim(s, tokenCharacters) == "" }

// ValidValue reports whether s is a field value (RFC 9110, section 5.5). Without control
// characters, a value cannot end its line.
func ValidValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f })
}

// List splits field values at commas (RFC 9110, section 5.6.1), in lower case.
func List(values ...string) []string {
	var list []string
	for part := range strings.SplitSeq(strings.ToLower(strings.Join(values, ",")), ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}
