package declaration

import (
	"fmt"
	"regexp"
	"strings"
)

// Expression is a regular expression that matches whole strings of printable ASCII.
type Expression struct {
	Source   string // as declared
	compiled *regexp.Regexp
}

// ParseExpression reads an expression that API Gateway runs as java.util.regex. For whole strings
// of printable ASCII, RE2 and Java agree on most of the syntax. What only one of them
// understands, or each in its own way, is refused by name.
//
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html
// https://github.com/google/re2/wiki/Syntax
func ParseExpression(source string) (*Expression, error) {
	if construct := foreign(source); construct != "" {
		return nil, fmt.Errorf("%s means something else in Java's regular expressions than in RE2: write the expression without it", construct)
	}
	// Alone first: a)|(b is valid only between the anchors, where it would match parts.
	compiled, err := regexp.Compile(source)
	if err == nil {
		compiled, err = regexp.Compile(`\A(?:` + source + `)\z`)
	}
	if err != nil {
		return nil, fmt.Errorf("the expression uses syntax that RE2 lacks (%v): write it without", err)
	}
	return &Expression{source, compiled}, nil
}

// Matches reports whether the whole value matches. A value with a character outside
// printable ASCII never does. What the deployed gateway makes of such bytes is not
// documented, and no token has them (RFC 6750, section 2.1).
func (e *Expression) Matches(value string) bool {
	for i := range len(value) {
		if value[i] < 0x20 || value[i] > 0x7e {
			return false
		}
	}
	return e.compiled.MatchString(value)
}

// foreign names the first construct that the two dialects do not share; "" when
// there is none. What RE2 does not even compile is left to the compiler.
func foreign(expression string) string {
	inClass := false
	for i := 0; i < len(expression); i++ {
		rest := expression[i:]
		switch c := expression[i]; {
		case c >= 0x80:
			return "a character outside ASCII"
		case c == '\\' && len(rest) > 1:
			if strings.IndexByte("0123456789bBvQECZGRXhHkNcepPu", rest[1]) >= 0 {
				return fmt.Sprintf("the escape %q", rest[:2])
			}
			if strings.HasPrefix(rest, `\x{`) {
				return `the escape "\\x{"`
			}
			i++
		case inClass && c == '[':
			return `"[" inside a character class`
		case inClass && strings.HasPrefix(rest, "&&"):
			return `"&&" inside a character class`
		case inClass && c == ']':
			inClass = false
		case inClass:
		case c == '[':
			inClass = true
			after := strings.TrimPrefix(rest[1:], "^")
			if strings.HasPrefix(after, "]") {
				return `"]" as the first character of a class`
			}
			i += len(rest) - 1 - len(after)
		case strings.HasPrefix(rest, "(?"):
			if !sharedGroup(rest) {
				return fmt.Sprintf("the group %q", rest[:min(len(rest), 4)])
			}
		case c == '{':
			length := repetition(rest)
			if length == 0 {
				return `"{" that opens no repetition`
			}
			i += length - 1
		case c == '}':
			return `"}" that closes no repetition`
		}
	}
	return ""
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
)

// sharedGroup reports whether a "(?" opens a group that both dialects read alike:
// (?:, (?<name>, (?i) and its kin.
func sharedGroup(rest string) bool {
	inner := rest[2:]
	if name, ok := strings.CutPrefix(inner, "<"); ok {
		name, _, closed := strings.Cut(name, ">")
		return closed && strings.Trim(name, letters+digits) == "" && strings.IndexAny(name, letters) == 0
	}
	end := strings.IndexAny(inner, ":)")
	return end >= 0 && strings.Trim(inner[:end], "ims-") == ""
}

// repetition returns the length of a leading {n}, {n,} or {n,m}; 0 when there is none.
func repetition(s string) int {
	end := strings.IndexByte(s, '}')
	if end < 2 {
		return 0
	}
	low, high, _ := strings.Cut(s[1:end], ",")
	if low == "" || strings.Trim(low+high, digits) != "" {
		return 0
	}
	return end + 1
}

// readExpression compiles a property; nil when it is absent.
func readExpression(d declared, property string) *Expression {
	source := d.text(property, "")
	if source == "" {
		return nil
	}
	expression, err := ParseExpression(source)
	if err != nil {
		d.refuse(property, "%v", err)
	}
	return expression
}
