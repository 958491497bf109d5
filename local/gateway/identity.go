package gateway

import (
	"fmt"
	"strings"

	"account-api/local/gateway/declaration"
	"account-api/local/gateway/gatewayresponse"
)

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
	default:
		return fmt.Sprintf("the token has %d part(s) between dots", strings.Count(token, ".")+1)
	}
}
