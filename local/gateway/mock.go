package gateway

import (
	"mime"
	"slices"
	"strings"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
)

// mock answers from a MOCK integration: the request template yields a status, the
// status selects an integration response, and that one's status is answered.
func (c *call) mock(m *declaration.Mock) (answer, *fault) {
	contentType := "application/json"
	if sent := c.request.Header.Get("Content-Type"); sent != "" {
		contentType = sent
		if media, _, err := mime.ParseMediaType(sent); err == nil {
			contentType = media
		}
	}
	c.exchange.AnsweredBy = "mock"
	template, ok := m.Templates[strings.ToLower(contentType)]
	if !ok {
		if m.Passthrough == "NEVER" || m.Passthrough == "WHEN_NO_TEMPLATES" && len(m.Templates) > 0 {
			return answer{}, c.fail("mock", gatewayresponse.UnsupportedMediaType, "no request template for the request's content type, and passthroughBehavior is %s", m.Passthrough)
		}
		if template = declaration.ParseMockTemplate(string(c.body)); template.Err != nil {
			return answer{}, c.fail("mock", gatewayresponse.APIConfigurationError, "no request template for the request's content type, so the body is passed through, and it is no {\"statusCode\": …}")
		}
	}
	if template.Err != nil {
		return answer{}, c.fail("mock", gatewayresponse.APIConfigurationError, "%v", template.Err)
	}
	response := m.Select(template.Status)
	if response == nil {
		return answer{}, c.fail("mock", gatewayresponse.APIConfigurationError, "no integration response matches status %d and none is the default", template.Status)
	}
	out := answer{status: response.Status, body: []byte(response.Body)}
	out.set("Content-Type", "application/json")
	allowed := c.match.method.Responses[response.Status].Headers
	for _, h := range response.Headers {
		if slices.Contains(allowed, h.Name) {
			out.set(h.Name, h.Value)
		}
	}
	c.step("mock", "template yields %d, integration response %s answers %d", template.Status, response.Declared, response.Status)
	c.exchange.Reason = "answered by the gateway itself, without a function"
	return out, nil
}
