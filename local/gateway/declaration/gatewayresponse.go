package declaration

import (
	"maps"
	"slices"
	"strings"

	"account-api/local/gateway/field"
	"account-api/local/gateway/gatewayresponse"
)

func readGatewayResponses(d *document) map[gatewayresponse.Type]*gatewayresponse.Response {
	all := map[gatewayresponse.Type]*gatewayresponse.Response{}
	d.each(TypeGatewayResponse, func(r declared) {
		response := &gatewayresponse.Response{Declared: r.Name, Type: gatewayresponse.Type(r.text("responseType", ""))}
		if _, ok := gatewayresponse.Defaults[response.Type]; !ok {
			r.refuse("responseType", "expected one of %v, got %q", slices.Sorted(maps.Keys(gatewayresponse.Defaults)), response.Type)
			return
		}
		if all[response.Type] != nil {
			r.refuse("responseType", "%s is declared twice: keep one", response.Type)
		}
		if r.has("statusCode") {
			response.Status = status(r)
		}
		keys, parameters := members[string](r, "responseParameters")
		for _, key := range keys {
			name := r.headerIn("responseParameters", key, "gatewayresponse.header.")
			response.Headers = append(response.Headers, gatewayresponse.HeaderValue{Name: name, Value: headerValue(r, key, parameters[key])})
		}
		types, templates := members[string](r, "responseTemplates")
		for _, contentType := range types {
			template, err := gatewayresponse.ParseTemplate(templates[contentType])
			if err != nil {
				r.refuse("responseTemplates", "%v", err)
			}
			if response.Templates == nil {
				response.Templates = map[string]gatewayresponse.Template{}
			}
			response.Templates[contentType] = template
		}
		all[response.Type] = response
	})
	return all
}

// headerValue reads a literal in single quotes or a reference.
func headerValue(d declared, key, text string) gatewayresponse.Part {
	literal, isLiteral := unquote(text)
	reference, isReference := gatewayresponse.ParseReference(text)
	switch {
	case isLiteral && !field.ValidValue(literal):
		d.refuse("responseParameters", "%q: the literal has a character that no header may carry", key)
	case !isLiteral && !isReference:
		d.refuse("responseParameters", "%q: expected a literal in single quotes, method.request.…, context.… or stageVariables.…: write '%s' in single quotes", key, strings.Trim(text, "'"))
	case isReference:
		return gatewayresponse.Part{Reference: &reference}
	}
	return gatewayresponse.Part{Text: literal}
}
