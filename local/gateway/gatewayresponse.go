package gateway

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"account-api/local/graph"
)

// gatewayResponse is one customised gateway response.
type gatewayResponse struct {
	declared  graph.Resource
	kind      string
	status    int // 0 = not declared
	headers   []headerValue
	templates map[string]string // by content type; nil = the default template
}

// headerValue is a header and where its value comes from.
type headerValue struct {
	name    string
	literal string
	from    string // a reference such as context.requestId; "" = the literal
}

// reference is what a template may refer to. Templates of gateway responses are
// plain substitution, not VTL.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/gateway-response-params.html
var reference = regexp.MustCompile(`\$(?:context|stageVariables|method\.request\.(?:header|querystring|path))\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*`)

func parseGatewayResponse(d declared) *gatewayResponse {
	g := &gatewayResponse{declared: d.Resource, kind: d.text("responseType", "")}
	if _, ok := builtIn[g.kind]; !ok {
		d.refuse("responseType", "expected one of %s, got %q", strings.Join(names(builtIn), ", "), g.kind)
		return nil
	}
	if d.has("statusCode") {
		g.status = status(d, "statusCode")
	}
	parameters := d.texts("responseParameters")
	for _, key := range names(parameters) {
		name, ok := strings.CutPrefix(key, "gatewayresponse.header.")
		if !ok || !validHeaderName(name) {
			d.refuse("responseParameters", "expected gatewayresponse.header.<name>, got %q", key)
			continue
		}
		value, problem := parseHeaderValue(name, parameters[key])
		if problem != "" {
			d.refuse("responseParameters", "%q: %s", key, problem)
			continue
		}
		g.headers = append(g.headers, value)
	}
	if templates := d.texts("responseTemplates"); len(templates) > 0 {
		g.templates = templates
		for _, contentType := range names(templates) {
			for _, ref := range reference.FindAllString(templates[contentType], -1) {
				if !knownReference(ref[1:]) {
					d.refuse("responseTemplates", "%s is not modelled: use %s", ref, strings.Join(contextNames, ", "))
				}
			}
		}
	}
	return g
}

func parseHeaderValue(name, value string) (headerValue, string) {
	if literal, ok := quoted(value); ok {
		if !validHeaderText(literal) {
			return headerValue{}, "the literal has a character that no header may carry"
		}
		return headerValue{name: name, literal: literal}, ""
	}
	_, isParameter := parseParameter(value)
	if !isParameter && !knownReference(value) {
		return headerValue{}, "expected a literal in single quotes, method.request.…, context.… or stageVariables.…: write '" + strings.Trim(value, "'") + "' in single quotes"
	}
	return headerValue{name: name, from: value}, ""
}

// quoted strips the single quotes that mark a literal.
func quoted(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// render makes the answer for a fault: the type's own response if the stack has
// one, else its family's with the type's own status, else the built-in one. They
// are never merged.
func (c *call) render(f *fault) answer {
	standard := builtIn[f.kind]
	status := standard.status
	if f.status != 0 {
		status = f.status
	}
	template := standard.template
	if template == "" {
		template = messageTemplate
	}
	out := answer{status: status}
	contentType, origin := "application/json", "built in"
	custom := c.gateway.api.responses[f.kind]
	if custom != nil {
		origin = custom.declared.Name
	} else if custom = c.gateway.api.responses[family(f.kind)]; custom != nil {
		origin = custom.declared.Name + ", inherited from " + custom.kind
	}
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
	if f.kind == requestTooLarge && custom != nil {
		custom, origin = nil, "built in: this type cannot be customised"
	}
	if custom != nil {
		if custom.status != 0 {
			out.status = custom.status
		}
		switch {
		case custom.templates != nil:
			contentType, template = negotiate(custom.templates, c.request.Header.Get("Accept"))
		case template == capitalTemplate && !keepsCapitalMessage:
			template = messageTemplate
		}
	}
	out.body = []byte(reference.ReplaceAllStringFunc(template, func(ref string) string { return c.lookup(ref[1:], f) }))
	out.set("x-amzn-ErrorType", standard.errorType)
	out.set("Content-Type", contentType)
	if f.kind == unauthorized || f.kind == accessDenied {
		out.set("X-Amzn-Trace-Id", c.traceID())
	}
	if custom != nil {
		for _, h := range custom.headers {
			value := h.literal
			if h.from != "" {
				value = c.lookup(h.from, f)
			}
			if value != "" && validHeaderText(value) {
				out.set(h.name, value)
			}
		}
	}
	c.exchange.ErrorType = standard.errorType
	c.exchange.GatewayResponse = &Response{Type: f.kind, Origin: origin, Status: out.status}
	c.step("gateway response", "%s, status %s (%s)", f.kind, strconv.Itoa(out.status), origin)
	return out
}

// negotiate picks the template for an Accept header: the first acceptable one that
// is declared, else JSON, else the first by name.
func negotiate(templates map[string]string, accept string) (contentType, template string) {
	for _, wanted := range strings.Split(accept, ",") {
		wanted, _, _ = strings.Cut(wanted, ";")
		if template, ok := templates[strings.ToLower(strings.TrimSpace(wanted))]; ok {
			return strings.ToLower(strings.TrimSpace(wanted)), template
		}
	}
	if template, ok := templates["application/json"]; ok {
		return "application/json", template
	}
	first := slices.Min(names(templates))
	return first, templates[first]
}

// quotedMessage is $context.error.messageString: a JSON string, or null.
func (f *fault) quotedMessage() string {
	if f.message == nil {
		return "null"
	}
	text, _ := json.Marshal(*f.message) // a string always encodes
	return string(text)
}
