package declaration

import "testing"

// FuzzExpression: an expression that compiles is the same set of strings as its
// plain RE2 form anchored at both ends, over printable ASCII.
func FuzzExpression(f *testing.F) {
	for _, expression := range []string{`^Bearer [-0-9A-Za-z_.]+$`, `(?i)a|b`, `[a-\d]`, `\`, `[`, `(?<n>x)`, `a{2}`, `[^]`} {
		f.Add(expression, bearer)
	}
	f.Fuzz(func(t *testing.T, expression, value string) {
		compiled, err := ParseExpression(expression)
		if err != nil {
			return
		}
		if compiled.Matches(value) {
			if at := compiled.compiled.FindStringIndex(value); at[0] != 0 || at[1] != len(value) {
				t.Fatalf("%q matches a part of %q", expression, value)
			}
		}
	})
}

// FuzzMockTemplate: a template yields a status that HTTP knows, or an error.
func FuzzMockTemplate(f *testing.F) {
	for _, text := range []string{`{"statusCode": 200}`, `{statusCode: 200}`, `{"statusCode": 1e2}`, `{statusCode: "200"}`, `{`, `{a:{b:1},statusCode:204}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if m := ParseMockTemplate(text); m.Err == nil && (m.Status < 100 || m.Status > 599) {
			t.Fatalf("%q yields %d", text, m.Status)
		}
	})
}
