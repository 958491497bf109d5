package gatewayresponse

import (
	"fmt"
	"regexp"
	"strings"
)

// Template is a text that refers to values of the request. It is plain substitution:
// templates of gateway responses are not VTL.
type Template []Part

// Part is a piece of a template, or the value of a header.
type Part struct {
	Text      string
	Reference *Reference // nil = the text
}

var referenceText = regexp.MustCompile(`\$(?:context|stageVariables|method\.request\.(?:header|querystring|path))\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*`)

// ParseTemplate reads a template. Its error names the first reference that is not modelled.
func ParseTemplate(text string) (Template, error) {
	var t Template
	end := 0
	for _, at := range referenceText.FindAllStringIndex(text, -1) {
		reference, ok := ParseReference(text[at[0]+1 : at[1]])
		if !ok {
			return nil, fmt.Errorf("%s is not modelled: use context.%s", text[at[0]:at[1]], strings.Join(ContextVariables, ", context."))
		}
		t = append(t, Part{Text: text[end:at[0]]}, Part{Reference: &reference})
		end = at[1]
	}
	return append(t, Part{Text: text[end:]}), nil
}

func mustParse(text string) Template {
	t, err := ParseTemplate(text)
	if err != nil {
		panic(err)
	}
	return t
}

// Render fills the template with the values that a function gives for its references.
func (t Template) Render(value func(Reference) string) []byte {
	var out []byte
	for _, part := range t {
		out = append(out, part.Value(value)...)
	}
	return out
}

// Value is the text, or what a function gives for the reference.
func (p Part) Value(value func(Reference) string) string {
	if p.Reference == nil {
		return p.Text
	}
	return value(*p.Reference)
}
