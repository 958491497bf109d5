package gateway

import (
	"account-api/local/gateway/field"
	"account-api/local/gateway/gatewayresponse"
)

// render makes the answer for a fault: the type's own response if the stack has one,
// else its family's with the type's own status, else the built-in one. They are never
// merged.
func (c *call) render(f *fault) answer {
	standard := gatewayresponse.Defaults[f.kind]
	out := answer{status: standard.Status}
	if f.status != 0 {
		out.status = f.status
	}
	custom, origin := c.customised(f.kind)
	if custom.Status != 0 {
		out.status = custom.Status
	}
	contentType, template, ok := custom.Negotiate(c.request.Header.Get("Accept"))
	if !ok {
		// Unverified: a DEFAULT_4XX that only adds headers leaves ACCESS_DENIED its body with a
		// capital "Message". With an explicit template on DEFAULT_4XX it makes no difference.
		contentType, template = "application/json", standard.Template
	}
	value := func(r gatewayresponse.Reference) string { return c.resolve(r, f) }
	out.body = template.Render(value)
	out.set("x-amzn-ErrorType", standard.ErrorType)
	out.set("Content-Type", contentType)
	if f.kind == gatewayresponse.Unauthorized || f.kind == gatewayresponse.AccessDenied {
		out.set("X-Amzn-Trace-Id", c.traceID())
	}
	for _, h := range custom.Headers {
		if text := h.Value.Value(value); text != "" && field.ValidValue(text) {
			out.set(h.Name, text)
		}
	}
	c.step("gateway response", "%s, status %d (%s)", f.kind, out.status, origin)
	return out
}

// customised returns the response that the stack declares for a type, or an empty one,
// and where it comes from.
func (c *call) customised(kind gatewayresponse.Type) (r *gatewayresponse.Response, origin string) {
	none := &gatewayresponse.Response{}
	specific, family := c.gateway.api.Responses[kind], c.gateway.api.Responses[kind.Family()]
	switch {
	case specific == nil && family == nil:
		return none, "built in"
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
	case kind == gatewayresponse.RequestTooLarge:
		return none, "built in: this type cannot be customised"
	case specific != nil:
		return specific, specific.Declared
	default:
		return family, family.Declared + ", inherited from " + string(family.Type)
	}
}
