package gatewayresponse

import (
	"strings"
)

// Response is one gateway response that the stack customises.
type Response struct {
	Declared  string // logical name in the program
	Type      Type
	Status    int // 0 = the type's own
	Headers   []HeaderValue
	Templates map[string]Template // by content type; nil = the built-in template
}

// HeaderValue is a header that the stack adds, and where its value comes from.
type HeaderValue struct {
	Name  string
	Value Part
}

// Sets reports whether the response has a header, and returns its literal value.
func (r *Response) Sets(name string) (literal string, ok bool) {
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value.Text, true
		}
	}
	return "", false
}

// Negotiate picks the template for an Accept header: the first acceptable one that is
// declared, else JSON, else the first by name. ok is false when there are no templates.
func (r *Response) Negotiate(accept string) (contentType string, t Template, ok bool) {
	for wanted := range strings.SplitSeq(strings.ToLower(accept)+",application/json", ",") {
		wanted, _, _ = strings.Cut(wanted, ";")
		wanted = strings.TrimSpace(wanted)
		if t, ok := r.Templates[wanted]; ok {
			return wanted, t, true
		}
	}
	for candidate, template := range r.Templates {
		if !ok || candidate < contentType {
			contentType, t, ok = candidate, template, true
		}
	}
	return contentType, t, ok
}
