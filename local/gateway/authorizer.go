package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"account-api/local/gateway/iampolicy"
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
// allows this very method ARN. Every other way out is a fault.
func (c *call) authorize(a *authorizer) *fault {
	note := &Authorization{Authorizer: a.name}
	c.exchange.Authorization = note
	// Several fields of one name are one value (RFC 9110, section 5.3). Which of
	// them the deployed gateway would take is not documented, so none is picked.
	value := strings.Join(c.request.Header.Values(a.header), ", ")
	if value == "" {
		c.step("identity", "header %s is missing or empty: the authorizer is not invoked", a.header)
		return c.unauthorized(fmt.Sprintf("no %s header: the authorizer was not invoked", a.header))
	}
	if a.expression != nil && !matchesWhole(a.expression, value) {
		c.step("identity", "header %s does not match %s: %s", a.header, a.source, shape(value))
		return c.unauthorized(fmt.Sprintf("the %s header does not match the identity validation expression (%s): the authorizer was not invoked", a.header, shape(value)))
	}
	c.step("identity", "header %s is present and matches", a.header)
	// The path is the requested one, not the template.
	note.MethodARN = fmt.Sprintf("%s/%s/%s/%s", c.gateway.api.executionARN, c.stage.name, c.exchange.Method, strings.TrimPrefix(c.path, "/"))
	if len(note.MethodARN) > maxMethodARN {
		return uriTooLong(fmt.Sprintf("the method ARN has %d bytes, at most %d pass", len(note.MethodARN), maxMethodARN))
	}
	var (
		key     [sha256.Size]byte
		granted *grant
	)
	if a.ttl > 0 {
		key = cacheKey(c.stage.name, a.id, value)
		granted, note.CacheAge, note.CacheHit = c.gateway.cache.get(key, c.exchange.Time)
	}
	if note.CacheHit {
		c.step("cache", "hit, %s old of %s: the authorizer is not invoked, its policy is evaluated again", note.CacheAge.Round(time.Millisecond), a.ttl)
		c.authorizerLatency = cachedLatency
	} else {
		var f *fault
		if granted, f = c.ask(a, value); f != nil {
			note.Verdict = "failed"
			if f.kind == unauthorized {
				note.Verdict = "unauthorized"
			}
			return f
		}
		if a.ttl > 0 {
			c.gateway.cache.put(key, granted, c.exchange.Time, a.ttl)
			c.step("cache", "stored for %s, whatever the token's own expiry", a.ttl)
		}
	}
	c.granted = granted
	return c.evaluate(granted, note)
}

// evaluate applies the policy to the request's method ARN.
func (c *call) evaluate(granted *grant, note *Authorization) *fault {
	verdict := granted.policy.Evaluate(invokeAction, note.MethodARN)
	note.Verdict, note.Statement, note.Pattern = verdict.Decision.String(), verdict.Statement, verdict.Pattern
	switch verdict.Decision {
	case iampolicy.Allow:
		note.ContextKeys = names(granted.context)
		c.step("policy", "statement %d (%s) allows %s", verdict.Statement, verdict.Pattern, note.MethodARN)
		c.step("context", "passed on: principalId %s", strings.Join(note.ContextKeys, " "))
		return nil
	case iampolicy.ExplicitDeny:
		c.exchange.AnsweredBy = "authorizer"
		c.step("policy", "statement %d (%s) denies %s", verdict.Statement, verdict.Pattern, note.MethodARN)
		return newFault(accessDenied, fmt.Sprintf("statement %d of the policy denies this method", verdict.Statement)).saying(explicitDenyMessage)
	default:
		c.exchange.AnsweredBy = "authorizer"
		reason := "no statement of the policy allows this method"
		if note.CacheHit {
			reason += ": the policy was cached for another one, so a cached policy must cover every method of the API"
		}
		c.step("policy", "no statement allows %s", note.MethodARN)
		return newFault(accessDenied, reason)
	}
}

// ask invokes the authorizer.
func (c *call) ask(a *authorizer, value string) (*grant, *fault) {
	source := c.gateway.api.executionARN + "/authorizers/" + a.id
	if ok, why := c.gateway.api.permitted(a.function, source); !ok {
		c.step("authorizer", "%s", why)
		return nil, newFault(authorizerConfigError, why)
	}
	note := c.exchange.Authorization
	event, err := json.Marshal(authorizerEvent{"TOKEN", note.MethodARN, value})
	if err != nil {
		return nil, newFault(authorizerConfigError, "the authorizer's event could not be encoded")
	}
	result, invocation, err := c.invoke(a.function, event, authorizerTimeout)
	note.Invocation, note.Reason = invocation, invocation.LoggedAsReason
	c.authorizerLatency = milliseconds(invocation.Latency)
	c.exchange.AnsweredBy = "authorizer"
	switch {
	case err != nil:
		c.step("authorizer", "%s gave no answer", a.function.name)
		return nil, newFault(authorizerConfigError, "the authorizer gave no answer: "+noAnswer(err))
	case result.FunctionError != "":
		return nil, c.failed(result.Payload, invocation)
	}
	granted, err := parseAuthorizerOutput(result.Payload)
	if err != nil {
		c.step("authorizer", "%s answered what cannot be used: %v", a.function.name, err)
		return nil, newFault(authorizerConfigError, "the authorizer's answer cannot be used: "+err.Error())
	}
	c.exchange.AnsweredBy = "gateway" // the authorizer let it pass; whoever answers says so
	c.step("authorizer", "%s answered with a policy%s", a.function.name, timing(invocation))
	return granted, nil
}

// failed tells the one failure that is a 401 from all others. Only the message
// counts, exactly as it is spelled.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
func (c *call) failed(payload []byte, invocation *Invocation) *fault {
	message := errorMessage(payload)
	logged := ""
	if invocation.LoggedAsReason != "" {
		logged = " (reason " + invocation.LoggedAsReason + ")"
	}
	if message == "Unauthorized" {
		c.step("authorizer", "%s said Unauthorized%s%s", invocation.Function, logged, timing(invocation))
		return c.unauthorized("the authorizer refused the token" + logged)
	}
	reason := fmt.Sprintf("the authorizer failed with error type %s%s", invocation.FailureType, logged)
	if strings.Contains(strings.ToLower(message), "unauthorized") {
		reason += `: its message contains "Unauthorized" but is not exactly that, so return the error unwrapped`
	}
	c.step("authorizer", "%s", reason)
	return newFault(failedAuthorizerType, reason)
}

func (c *call) unauthorized(reason string) *fault { return newFault(unauthorized, reason) }

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
	default:
		return fmt.Sprintf("the token has %d part(s) between dots", strings.Count(token, ".")+1)
	}
}

// timing says how long a function took.
func timing(i *Invocation) string {
	cold := ""
	if i.ColdStart {
		cold = ", cold start"
	}
	return fmt.Sprintf(" in %s%s", i.Latency.Round(time.Microsecond), cold)
}

// noAnswer explains an invocation without a result. The error's text stays out: it
// may quote what the caller sent.
func noAnswer(err error) string {
	if isTimeout(err) {
		return "it took too long"
	}
	return "it could not be invoked"
}

// grant is what an authorizer said, as it is cached: policy and context, not a
// verdict.
type grant struct {
	principal string
	context   map[string]string
	policy    iampolicy.Policy
}

// forIntegration is event.requestContext.authorizer.
func (g *grant) forIntegration(latency int64) map[string]any {
	m := make(map[string]any, len(g.context)+2)
	for key, value := range g.context {
		m[key] = value
	}
	m["principalId"] = g.principal
	m["integrationLatency"] = latency
	return m
}

func isTimeout(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
