package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
	"account-api/local/gateway/iampolicy"
	"account-api/local/lambda"
)

// authorizerEvent is the whole input of a TOKEN authorizer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
type authorizerEvent struct {
	Type               string `json:"type"`
	MethodARN          string `json:"methodArn"`
	AuthorizationToken string `json:"authorizationToken"`
}

// invokeAction is what a policy has to allow.
const invokeAction = "execute-api:Invoke"

// authorize lets the request pass only if the authorizer's policy, fresh or cached,
// allows this method ARN. In all other cases it returns a fault.
func (c *call) authorize(a *declaration.Authorizer) *fault {
	note := &Authorization{}
	c.exchange.Authorization = note
	value, f := c.identity(a)
	if f != nil {
		return f
	}
	// The path is the requested one, not the template.
	note.MethodARN = fmt.Sprintf("%s/%s/%s/%s", c.gateway.api.ExecutionARN, c.stage.Name, c.exchange.Method, strings.TrimPrefix(c.path, "/"))
	if len(note.MethodARN) > maxMethodARN {
		return c.uriTooLong("the method ARN has %d bytes, at most %d pass", len(note.MethodARN), maxMethodARN)
	}
	var key cacheKey
	if a.TTL > 0 {
		key = keyOf(c.stage.Name, a.ID, value)
		c.granted, note.CacheAge, note.CacheHit = c.gateway.cache.get(key, c.exchange.Time)
	}
	if note.CacheHit {
		c.step("cache", "hit, %s old of %s: the authorizer is not invoked, its policy is evaluated again", note.CacheAge.Round(time.Millisecond), a.TTL)
		c.authorizerLatency = cachedLatency
		return c.evaluate()
	}
	if c.granted, f = c.ask(a, value); f != nil {
		return f
	}
	if a.TTL > 0 {
		c.gateway.cache.put(key, c.granted, c.exchange.Time, a.TTL)
		c.step("cache", "stored for %s, whatever the token's own expiry", a.TTL)
	}
	return c.evaluate()
}

// identity returns the value of the authorizer's identity source, if it may reach the
// authorizer.
func (c *call) identity(a *declaration.Authorizer) (string, *fault) {
	// Several fields of one name are one value (RFC 9110, section 5.3). Which of
	// them the deployed gateway would take is not documented, so none is picked.
	value := strings.Join(c.request.Header.Values(a.Header), ", ")
	if value == "" {
		return "", c.fail("identity", gatewayresponse.Unauthorized, "no %s header: the authorizer was not invoked", a.Header)
	}
	if a.Expression != nil && !a.Expression.Matches(value) {
		return "", c.fail("identity", gatewayresponse.Unauthorized, "the %s header does not match the identity validation expression %s (%s): the authorizer was not invoked",
			a.Header, a.Expression.Source, shape(value))
	}
	c.step("identity", "header %s is present and matches", a.Header)
	return value, nil
}

// shape describes an identity value without showing any of it.
func shape(value string) string {
	token, bearer := strings.CutPrefix(value, "Bearer ")
	switch {
	case len(value) >= 7 && strings.EqualFold(value[:7], "Bearer ") && !bearer:
		return `the scheme is not spelled "Bearer"`
	case !bearer:
		return `it does not start with "Bearer "`
	case strings.TrimSpace(token) == "":
		return "there is no token after the scheme"
	case strings.ContainsAny(token, " ,\t"):
		return "more than one value follows the scheme"
	}
	parts := strings.Split(token, ".")
	switch {
	case len(parts) == 1:
		return "the token has no dots, as an opaque one"
	case len(parts) != 3:
		return fmt.Sprintf("the token has %d parts between dots", len(parts))
	case parts[2] == "":
		return "the third part of the token is empty: it is not signed"
	case parts[0] == "" || parts[1] == "":
		return "a part of the token is empty"
	}
	return unencoded(token)
}

// unencoded says where a token of three parts has a character that base64url has not (RFC 7515,
// section 3.1). Only punctuation is shown: a letter may tell something of the token.
func unencoded(token string) string {
	const encoded = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
	for i, r := range []rune(token) {
		switch {
		case strings.ContainsRune(encoded, r):
		case r > ' ' && r < unicode.MaxASCII:
			return fmt.Sprintf("character %d of the token is %q, which base64url does not have", i+1, string(r))
		default:
			return fmt.Sprintf("character %d of the token is one that base64url does not have", i+1)
		}
	}
	return "the token has three parts of base64url"
}

// ask invokes the authorizer.
func (c *call) ask(a *declaration.Authorizer, value string) (*grant, *fault) {
	if why := c.gateway.api.Forbids(a.Function, c.gateway.api.AuthorizerARN(a)); why != "" {
		return nil, c.fail("authorizer", gatewayresponse.AuthorizerConfigError, "%s", why)
	}
	event, err := json.Marshal(authorizerEvent{"TOKEN", c.exchange.Authorization.MethodARN, value})
	if err != nil {
		return nil, c.fail("authorizer", gatewayresponse.AuthorizerConfigError, "the authorizer's event could not be encoded")
	}
	result, invocation, err := c.invoke(a.Function, event, authorizerTimeout)
	c.authorizerLatency = invocation.Latency.Milliseconds()
	c.exchange.Authorization.Invocation = invocation
	c.exchange.AnsweredBy = "authorizer"
	switch {
	case isTimeout(err):
		return nil, c.fail("authorizer", gatewayresponse.AuthorizerConfigError, "the authorizer gave no answer: it took too long")
	case errors.Is(err, lambda.ErrThrottled):
		return nil, c.fail("authorizer", gatewayresponse.AuthorizerConfigError, "the authorizer was not invoked: %v", err)
	case err != nil: // its text stays out, as it may quote what the caller sent
		return nil, c.fail("authorizer", gatewayresponse.AuthorizerConfigError, "the authorizer gave no answer: it could not be invoked")
	case result.FunctionError != "":
		return nil, c.refusal(readFailure(result.Payload), invocation.LoggedAsReason)
	}
	granted, err := parseGrant(result.Payload)
	if err != nil {
		return nil, c.fail("authorizer", gatewayresponse.AuthorizerConfigError, "the authorizer's answer cannot be used: %v", err)
	}
	c.exchange.AnsweredBy = "gateway" // the request passes the authorizer, so something else answers
	c.step("authorizer", "%s answered with a policy%s", a.Function.Name, timing(invocation))
	return granted, nil
}

// refusal tells the one failure that is a 401 from all others. Only the message
// counts, exactly as it is spelled.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func (c *call) refusal(f failure, logged string) *fault {
	if logged != "" {
		logged = " (reason " + logged + ")"
	}
	if f.Message == "Unauthorized" {
		return c.fail("authorizer", gatewayresponse.Unauthorized, "the authorizer refused the token%s", logged)
	}
	if strings.Contains(strings.ToLower(f.Message), "unauthorized") {
		logged += `: its message contains "Unauthorized" but is not exactly that, so return the error unwrapped`
	}
	return c.fail("authorizer", failedAuthorizerType, "the authorizer failed with error type %s%s", f.kind(), logged)
}

// evaluate applies the granted policy to the request's method ARN.
func (c *call) evaluate() *fault {
	note := c.exchange.Authorization
	verdict := c.granted.policy.Evaluate(invokeAction, note.MethodARN)
	if verdict.Decision == iampolicy.Allow {
		note.ContextKeys = slices.Sorted(maps.Keys(c.granted.context))
		c.step("policy", "statement %d (%s) allows %s", verdict.Statement, verdict.Pattern, note.MethodARN)
		c.step("context", "passed on: principalId %s", strings.Join(note.ContextKeys, " "))
		return nil
	}
	c.exchange.AnsweredBy = "authorizer"
	if verdict.Decision == iampolicy.ExplicitDeny {
		return c.fail("policy", gatewayresponse.AccessDenied, "statement %d of the policy (%s) denies %s", verdict.Statement, verdict.Pattern, note.MethodARN).
			saying("User is not authorized to access this resource with an explicit deny in an identity-based policy")
	}
	hint := ""
	if note.CacheHit {
		hint = ": the policy was cached for another one, so a cached policy must cover every method of the API"
	}
	return c.fail("policy", gatewayresponse.AccessDenied, "no statement of the policy allows this method%s", hint)
}
