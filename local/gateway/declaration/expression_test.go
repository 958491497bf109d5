package declaration

import (
	"strings"
	"testing"
)

const bearer = "Bearer aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"

func TestCompile(t *testing.T) {
	for _, tt := range []struct {
		expression string
		refused    string // part of the error; "" = compiles
		matches    []string
		not        []string
	}{
		{`^Bearer [-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`, "", []string{bearer, "Bearer a-_.b.c"}, []string{"bearer a.b.c", "Bearer a.b", "Bearer a.b.c.d", "Bearer  a.b.c", " Bearer a.b.c", "Bearer a.b.c ", "Bearer a.b.ë", "Bearer a.b.c\n"}},
		{`^Bearer [-0-9a-zA-z\.]*$`, "", []string{bearer, "Bearer ", "Bearer a_b", "Bearer a^b"}, []string{"Bearer a/b"}},
		{`a|ab`, "", []string{"a", "ab"}, []string{"abc"}},
		{`.*`, "", []string{"", "anything printable"}, []string{"tab\t", "ë", "\x00"}},
		{`(?i)bearer \w+`, "", []string{"BEARER x"}, nil},
		{`(?<scheme>Bearer) x{2,3}`, "", []string{"Bearer xx"}, []string{"Bearer x"}},
		{`\Aa\z`, "", []string{"a"}, nil},
		{`[^.]+\{\}`, "", []string{"a{}"}, nil},
		{`(?=a)b`, "group", nil, nil},
		{`(?<=a)b`, "group", nil, nil},
		{`(?<!a)b`, "group", nil, nil},
		{`(?>a)`, "group", nil, nil},
		{`(?P<n>a)`, "group", nil, nil},
		{`(?x)a`, "group", nil, nil},
		{`(?U)a+`, "group", nil, nil},
		{`a++`, "RE2 lacks", nil, nil},
		{`a)|(b`, "unexpected )", nil, nil},
		{`(a)\1`, "escape", nil, nil},
		{`\12`, "escape", nil, nil},
		{`\bx`, "escape", nil, nil},
		{`\Qa\E`, "escape", nil, nil},
		{`\p{Alpha}`, "escape", nil, nil},
		{`\v`, "escape", nil, nil},
		{`\h`, "escape", nil, nil},
		{`\Z`, "escape", nil, nil},
		{`\u0041`, "escape", nil, nil},
		{`\x{41}`, "escape", nil, nil},
		{`[a-z&&[aeiou]]`, "inside a character class", nil, nil},
		{`[[:alpha:]]`, "inside a character class", nil, nil},
		{`[]a]`, "first character of a class", nil, nil},
		{`[^]a]`, "first character of a class", nil, nil},
		{`a{,2}`, "opens no repetition", nil, nil},
		{`a{`, "opens no repetition", nil, nil},
		{`a}`, "closes no repetition", nil, nil},
		{`a{1001}`, "RE2 lacks", nil, nil},
		{`(a`, "RE2 lacks", nil, nil},
		{`é`, "outside ASCII", nil, nil},
	} {
		t.Run(tt.expression, func(t *testing.T) {
			compiled, err := ParseExpression(tt.expression)
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("got %v, want %q", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range tt.matches {
				if !compiled.Matches(value) {
					t.Errorf("%q does not match", value)
				}
			}
			for _, value := range tt.not {
				if compiled.Matches(value) {
					t.Errorf("%q matches", value)
				}
			}
		})
	}
}
