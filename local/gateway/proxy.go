package gateway

import (
	"encoding/json"
	"errors"
	"net/http"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/lambda"
)

// proxy answers from a Lambda proxy integration.
func (c *call) proxy(i *declaration.Integration) (answer, *fault) {
	if i.HTTPMethod != http.MethodPost {
		return answer{}, c.uncallable("integrationHttpMethod is %s: a function is called with POST", i.HTTPMethod)
	}
	if why := c.gateway.api.Forbids(i.Function, c.gateway.api.SourceARN(c.stage.Name, c.exchange.Method, c.match.method)); why != "" {
		return answer{}, c.uncallable("%s", why)
	}
	event, err := json.Marshal(c.event())
	if err != nil {
		return answer{}, c.uncallable("the function's event could not be encoded")
	}
	if len(event) > maxEvent {
		return answer{}, c.fail("integration", gatewayresponse.RequestTooLarge, "the function's event has %d bytes, at most %d pass", len(event), maxEvent)
	}
	result, note, err := c.invoke(i.Function, event, i.Timeout)
	c.exchange.Integration = note
	c.exchange.AnsweredBy = "integration " + i.Function.Name
	switch {
	case isTimeout(err):
		return answer{}, c.fail("integration", gatewayresponse.IntegrationTimeout, "the function did not answer within %s", i.Timeout)
	case errors.Is(err, lambda.ErrThrottled):
		return answer{}, c.uncallable("the function was not invoked: %v", err)
	case err != nil:
		return answer{}, c.uncallable("the function could not be invoked")
	case result.FunctionError != "":
		return answer{}, c.failed("the function failed with error type %s", note.FailureType)
	}
	a, err := parseProxyResponse(result.Payload)
	if err != nil {
		return answer{}, c.failed("the function's answer cannot be used: %v", err)
	}
	c.exchange.Reason = "answered by the function"
	if note.LoggedAsReason != "" {
		c.exchange.Reason += " (reason " + note.LoggedAsReason + ")"
	}
	c.step("integration", "%s answered %d%s", i.Function.Name, a.status, timing(note))
	if len(a.get("X-Amzn-Trace-Id")) == 0 {
		a.set("X-Amzn-Trace-Id", c.traceID())
	}
	return a, nil
}

// failed is a function that gives no usable answer. AWS answers INTEGRATION_FAILURE with
// 502 here, and not with the documented 504.
func (c *call) failed(format string, args ...any) *fault {
	return c.fail("integration", gatewayresponse.IntegrationFailure, format, args...).answering(http.StatusBadGateway)
}

// uncallable is a function that is not invoked. It is 500 even where Lambda's own answer is 429:
// https://repost.aws/knowledge-center/api-gateway-internal-server-error. Which type it has is not
// recorded, so it is customised through DEFAULT_5XX alone.
func (c *call) uncallable(format string, args ...any) *fault {
	return c.fail("integration", gatewayresponse.Default5XX, format, args...).answering(http.StatusInternalServerError)
}
