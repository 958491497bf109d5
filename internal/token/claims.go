package token

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"account-api/internal/refusal"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxSubject, in characters, is the limit for sub in OpenID Connect Core 1.0,
	// section 2. It applies to azp too.
	maxSubject = 255

	// maxAudiences is how many entries aud may have. Auth0 issues two.
	maxAudiences = 32
)

// claims are the claims that a check looks at. An absent one is nil.
type claims struct {
	iss, sub, aud, jti value
	exp, nbf, iat      value
	scope, permissions value
	azp, cnf           value
	marks              [len(marks)]value // of claims that tell kinds of token apart
}

// take implements [members]. Null is absent. A claim that no check looks at may have any value.
func (c *claims) take(name []byte, v value) {
	if v.kind() == jsontext.KindNull {
		return
	}
	switch string(name) {
	case "iss":
		c.iss = v
	case "sub":
		c.sub = v
	case "aud":
		c.aud = v
	case "exp":
		c.exp = v
	case "nbf":
		c.nbf = v
	case "iat":
		c.iat = v
	case "jti":
		c.jti = v
	case "scope":
		c.scope = v
	case "permissions":
		c.permissions = v
	case "azp":
		c.azp = v
	case "cnf":
		c.cnf = v
	default:
		for i := range marks {
			if marks[i].claim == string(name) {
				c.marks[i] = v
			}
		}
	}
}

// claimChecks run in this order.
var claimChecks = []struct {
	name Check
	run  func(*Verifier, *unverified, time.Time) *refusal.Error
}{
	{Issuer, checkIssuer},
	{Confirmation, checkConfirmation}, // before the kind, which is DPoP in Keycloak's bound tokens
	{TokenKind, checkTokenKind},       // before the audience, which is the client's in an ID token
	{Audience, checkAudience},
	{Replicated, checkReplicated},
	{TokenID, checkTokenID},
	{Dates, checkDates},
	{Expiry, checkExpiry},
	{NotBefore, checkNotBefore},
	{IssuedAt, checkIssuedAt},
	{Lifetime, checkLifetime},
	{Principal, checkSubject},
	{AuthorizedParty, checkAuthorizedParty},
	{Scope, checkScope},
	{Permissions, takePermissions},
}

// checkIssuer compares iss byte for byte. RFC 7519, section 4.1.1, allows no normalisation.
func checkIssuer(v *Verifier, t *unverified, _ time.Time) *refusal.Error {
	iss, ok := t.claims.iss.text()
	if !ok {
		return refusal.New(refusal.BadIssuer, "expected iss as a string, got %s", absentOr(t.claims.iss, "another type"))
	}
	if string(iss) != v.expect.Issuer {
		return refusal.New(refusal.BadIssuer, "expected iss to be the configured issuer, got %s", difference(string(iss), v.expect.Issuer))
	}
	return nil
}

// checkAudience looks for the audience in aud, a string or an array of strings (RFC 7519,
// section 4.1.3).
func checkAudience(v *Verifier, t *unverified, _ time.Time) *refusal.Error {
	audiences, isArray := t.claims.aud.elements()
	if !isArray {
		audiences = []value{t.claims.aud}
	}
	if len(audiences) > maxAudiences {
		return refusal.New(refusal.BadAudience, "expected at most %d entries in aud, got %d", maxAudiences, len(audiences))
	}
	found := false
	for _, audience := range audiences {
		text, ok := audience.text()
		if !ok {
			return refusal.New(refusal.BadAudience, "expected aud as a string or an array of strings, got %s", absentOr(t.claims.aud, "another type"))
		}
		found = found || string(text) == v.expect.Audience
	}
	if found {
		return nil
	}
	got := otherValue
	for _, audience := range audiences {
		text, _ := audience.text()
		if got = difference(string(text), v.expect.Audience); got != otherValue {
			break
		}
	}
	return refusal.New(refusal.BadAudience, "expected the configured audience in aud, which has %d entries, got %s", len(audiences), got)
}

const otherValue = "another value"

// difference names the usual slips in a URL, and never the URL.
func difference(got, want string) string {
	switch {
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		return "it with a different trailing slash"
	case strings.TrimSpace(got) == want:
		return "it with white space around"
	case strings.EqualFold(got, want):
		return "it in other letter case"
	case strings.TrimPrefix(got, "http://") == strings.TrimPrefix(want, "https://"):
		return "it with http instead of https"
	default:
		return otherValue
	}
}

// checkConfirmation refuses a token that cnf binds to a key (RFC 7800). The proof of that
// key is a DPoP header (RFC 9449, section 7.2) or a client certificate (RFC 8705, section 3).
// A TOKEN authorizer sees neither. Without the proof a stolen token would work.
func checkConfirmation(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if t.claims.cnf != nil {
		return refusal.New(refusal.SenderConstrained, "expected a bearer token, got one bound to a key by cnf: have the provider issue unbound tokens for this audience")
	}
	return nil
}

// checkTokenID type-checks jti (RFC 7519, section 4.1.7), which nothing here uses.
func checkTokenID(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if _, ok := t.claims.jti.text(); !ok && t.claims.jti != nil {
		return refusal.New(refusal.BadClaims, "expected jti as a string, got another type")
	}
	return nil
}

// checkSubject demands a principal. API Gateway answers 500 to an empty principalId. Two
// that are not printable may look the same in a log.
func checkSubject(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	sub, _ := t.claims.sub.text()
	if len(sub) == 0 {
		return refusal.New(refusal.BadSubject, "expected sub as a string, got %s", absentOr(t.claims.sub, "an empty one or another type"))
	}
	if length := utf8.RuneCount(sub); length > maxSubject {
		return refusal.New(refusal.BadSubject, "expected sub of at most %d characters, got %d", maxSubject, length)
	}
	if !principal(sub) {
		return refusal.New(refusal.BadSubject, "expected sub of printable characters without white space around, quotation marks and backslashes, got something else")
	}
	t.verdict.Subject = string(sub)
	return nil
}

// checkAuthorizedParty holds azp to the rules of sub, but it may be absent.
func checkAuthorizedParty(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if t.claims.azp == nil {
		return nil
	}
	azp, ok := t.claims.azp.text()
	if !ok || utf8.RuneCount(azp) > maxSubject || !principal(azp) {
		return refusal.New(refusal.BadClaims, "expected azp as at most %d printable characters without quotation marks and backslashes, got something else", maxSubject)
	}
	t.verdict.AuthorizedParty = string(azp)
	return nil
}

// principal reports whether text is printable and may stand between the quotation marks of a
// JSON access log. API Gateway inserts variables there as they are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func principal(text []byte) bool { return printable(text) && !bytes.ContainsAny(text, `"\`) }

// checkScope demands the characters of RFC 6749, section 3.3. It refuses an array: joined,
// one element with a space in it would become two scopes. Any number of spaces is accepted.
func checkScope(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if t.claims.scope == nil {
		return nil
	}
	scope, ok := t.claims.scope.text()
	if !ok {
		return refusal.New(refusal.BadClaims, "expected scope as a string, got another type")
	}
	for part := range bytes.SplitSeq(scope, []byte{' '}) {
		if !scopeCharacters(part) {
			return refusal.New(refusal.BadClaims, "expected scope in the characters of RFC 6749, section 3.3, got others")
		}
	}
	t.verdict.Scope, t.verdict.HasScope = string(scope), true
	return nil
}

// takePermissions keeps permissions if it is an array of scope tokens, and drops it
// otherwise. It never refuses: the claim is Auth0's own, and dropping it grants nothing.
// https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis
func takePermissions(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	list, ok := t.claims.permissions.elements()
	if !ok {
		return nil
	}
	permissions := make([]string, len(list))
	for i, element := range list {
		permission, _ := element.text()
		if len(permission) == 0 || !scopeCharacters(permission) {
			return nil
		}
		permissions[i] = string(permission)
	}
	t.verdict.Permissions = permissions
	return nil
}

// scopeCharacters reports whether text has only what a scope token may have: printable
// ASCII without space, quotation mark and backslash.
func scopeCharacters(text []byte) bool {
	for _, char := range text {
		if char < 0x21 || char > 0x7e || char == '"' || char == '\\' {
			return false
		}
	}
	return true
}
