package gateway

import (
	"fmt"
	"regexp"
	"strings"
)

// compileJava compiles an expression that API Gateway runs as java.util.regex, for
// matching whole strings of printable ASCII, where RE2 and Java agree. What only
// one of the two understands, or each in its own way, is refused by name.
//
// https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/regex/Pattern.html
// https://github.com/google/re2/wiki/Syntax
func compileJava(expression string) (*regexp.Regexp, error) {
	if construct := foreign(expression); construct != "" {
		return nil, fmt.Errorf("%s means something else in Java's regular expressions than in RE2: write the expression without it", construct)
	}
	compiled, err := regexp.Compile(`\A(?:` + expression + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("the expression uses syntax that RE2 lacks (%v): write it without", err)
	}
	return compiled, nil
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

// sharedGroup reports whether a "(?" opens a group that both dialects read alike:
// (?:, (?<name>, (?i) and its kin.
func sharedGroup(rest string) bool {
	inner := rest[2:]
	if name, ok := strings.CutPrefix(inner, "<"); ok {
		end := strings.IndexByte(name, '>')
		return end > 0 && isLetter(name[0]) && strings.IndexFunc(name[:end], func(r rune) bool {
			return !isLetter(byte(r)) && (r < '0' || r > '9')
		}) < 0
	}
	end := strings.IndexAny(inner, ":)")
	return end >= 0 && strings.Trim(inner[:end], "ims-") == ""
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// repetition returns the length of a leading {n}, {n,} or {n,m}; 0 when there is none.
func repetition(s string) int {
	end := strings.IndexByte(s, '}')
	if end < 2 {
		return 0
	}
	low, high, _ := strings.Cut(s[1:end], ",")
	if low == "" || strings.Trim(low+high, "0123456789") != "" {
		return 0
	}
	return end + 1
}

// matchesWhole reports whether the whole value matches. A value with a character
// outside printable ASCII never does: which text the deployed gateway makes of
// such bytes is not documented, and no token has them (RFC 6750, section 2.1).
func matchesWhole(expression *regexp.Regexp, value string) bool {
	for i := range len(value) {
		if value[i] < 0x20 || value[i] > 0x7e {
			return false
		}
	}
	return expression.MatchString(value)
}
