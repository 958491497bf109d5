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
	// maxSubject is the limit of OpenID Connect Core 1.0, section 2, for sub, in
	// characters. It is also applied to azp, which names a principal as well.
	maxSubject = 255

	// maxAudiences is how many entries of aud are compared. Auth0 issues two.
	maxAudiences = 32
)

// claims is the claim set, as far as it matters.
type claims struct {
	iss, sub, aud, jti value
	exp, nbf, iat      value
	scope, permissions value
	azp, cnf           value
	marks              [len(marks)]value // of claims that tell kinds of token apart
}

// take keeps the claims that a check looks at. Null is absent. Every other claim may have
// any value: a provider that writes it in its own way harms nobody.
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

// claimChecks run in this order: first whether the token is ours at all.
var claimChecks = []struct {
	name Check
	run  func(*Verifier, *unverified, time.Time) *refusal.Error
}{
	{Issuer, checkIssuer},
	{TokenKind, checkTokenKind}, // before the audience: an ID token has another one by nature
	{Audience, checkAudience},
	{Replicated, checkReplicated},
	{Confirmation, checkConfirmation},
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

// checkIssuer compares iss byte for byte: RFC 7519, section 4.1.1, knows no
// normalisation, and each one invented is a way around the comparison.
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

// checkAudience looks for this API in aud, a string or an array of strings
// (RFC 7519, section 4.1.3).
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

// difference names the usual slips in writing a URL down, and never the URL.
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

// checkConfirmation refuses every token with cnf. It is bound to a key (RFC 7800)
// whose proof, a DPoP header (RFC 9449, section 7.2) or a client certificate
// (RFC 8705, section 3), never reaches a TOKEN authorizer; taken as a bearer token
// it would work for the thief from whom the binding protects.
func checkConfirmation(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if t.claims.cnf != nil {
		return refusal.New(refusal.SenderConstrained, "expected a bearer token, got one bound to a key by cnf: have the provider issue unbound tokens for this audience")
	}
	return nil
}

// checkTokenID type-checks jti, the one registered claim of RFC 7519 (section 4.1.7) that
// nothing here uses. Libraries refuse a jti that is no string.
func checkTokenID(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if _, ok := t.claims.jti.text(); !ok && t.claims.jti != nil {
		return refusal.New(refusal.BadClaims, "expected jti as a string, got another type")
	}
	return nil
}

// checkSubject demands a principal. API Gateway answers an empty principalId with
// 500, and one that is not printable cannot be told from another in a log.
func checkSubject(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	sub, _ := t.claims.sub.text()
	if len(sub) == 0 {
		return refusal.New(refusal.BadSubject, "expected sub as a string, got %s", absentOr(t.claims.sub, "an empty one or another type"))
	}
	if length := utf8.RuneCount(sub); length > maxSubject {
		return refusal.New(refusal.BadSubject, "expected sub of at most %d characters, got %d", maxSubject, length)
	}
	if !printable(sub) {
		return refusal.New(refusal.BadSubject, "expected sub of printable characters without white space around, got something else")
	}
	t.verdict.Subject = string(sub)
	return nil
}

// checkAuthorizedParty holds azp to the rules of sub, because it is logged and
// handed on like it; unlike sub it may be absent.
func checkAuthorizedParty(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if t.claims.azp == nil {
		return nil
	}
	azp, ok := t.claims.azp.text()
	if !ok || utf8.RuneCount(azp) > maxSubject || !printable(azp) {
		return refusal.New(refusal.BadClaims, "expected azp as at most %d printable characters, got something else", maxSubject)
	}
	t.verdict.AuthorizedParty = string(azp)
	return nil
}

// checkScope demands the characters of RFC 6749, section 3.3. An array, which some
// providers issue, is refused rather than joined: joining could turn one strange
// scope into two granted ones. How many spaces there are is the reader's business.
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
			return refusal.New(refusal.BadClaims, "expected scope in the characters of RFC 6749, section 3.3, got others in it")
		}
	}
	t.verdict.Scope, t.verdict.HasScope = string(scope), true
	return nil
}

// takePermissions keeps permissions if it is an array of scope tokens. It never
// refuses: the claim is Auth0's own, no registration says what it has to be, and to
// drop it grants nothing.
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

// scopeCharacters reports whether text could be one scope token: printable ASCII
// without space, quotation mark and backslash. Empty text could.
func scopeCharacters(text []byte) bool {
	for _, char := range text {
		if char < 0x21 || char > 0x7e || char == '"' || char == '\\' {
			return false
		}
	}
	return true
}
