package gateway

import (
	"fmt"
	"io"
	"net/http"

	"account-api/local/gateway/gatewayresponse"
)

// Quotas of a REST API.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	maxURL       = 10_240   // characters of the request's URL
	maxHeaders   = 10_240   // bytes of all header values together
	maxBody      = 10 << 20 // bytes of a request's body
	maxMethodARN = 1_600    // bytes, with a Lambda authorizer
	maxEvent     = 6 << 20  // bytes that a function can be invoked with (Lambda's quota)
)

// readBody refuses what is too large, and reads the body. The quotas are documented.
// Which status the deployed gateway gives a long URL or large headers is not.
func (c *call) readBody() *fault {
	size := 0
	for _, values := range c.request.Header {
		for _, value := range values {
			size += len(value)
		}
	}
	switch {
	case len(c.request.RequestURI) > maxURL:
		return c.uriTooLong("the URL has %d characters, at most %d pass", len(c.request.RequestURI), maxURL)
	case size > maxHeaders:
		return c.fail("limits", gatewayresponse.RequestTooLarge, "the header values have %d bytes, at most %d pass", size, maxHeaders).
			saying(fmt.Sprintf("HTTP header is larger than %d bytes.", maxHeaders))
	case c.request.ContentLength > maxBody:
		return c.bodyTooLarge()
	case c.request.Body == nil:
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody+1))
	switch {
	case len(body) > maxBody:
		return c.bodyTooLarge()
	case err != nil:
		return c.fail("limits", gatewayresponse.BadRequestBody, "the body ended early")
	}
	c.body = body
	return nil
}

func (c *call) bodyTooLarge() *fault {
	return c.fail("limits", gatewayresponse.RequestTooLarge, "the body has more than %d bytes", maxBody)
}

// uriTooLong is a 414, documented for method ARNs. No gateway response type has it.
func (c *call) uriTooLong(format string, args ...any) *fault {
	return c.fail("limits", gatewayresponse.Default4XX, format, args...).saying("Request URI too long").answering(http.StatusRequestURITooLong)
}
