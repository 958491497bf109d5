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

// claims are those of a token's claims that something looks at, by name. Null is absent. A
// claim that nothing looks at may have any value.
type claims struct {
	wanted map[string]wanted // a verifier's, by name
	found  []claim           // about ten, which a map would find no faster
	marked bool              // whether one of them is among the marks
}

// wanted is a claim that something looks at.
type wanted struct {
	name string
	mark bool // whether it is among the marks
}

type claim struct {
	name  string
	value value
}

// take implements [members].
func (c *claims) take(name []byte, v value) {
	if w, ok := c.wanted[string(name)]; ok && v.kind() != jsontext.KindNull {
		c.found = append(c.found, claim{w.name, v})
		c.marked = c.marked || w.mark
	}
}

// get returns the value of a claim, nil if it is absent.
func (c *claims) get(name string) value {
	for i := range c.found {
		if c.found[i].name == name {
			return c.found[i].value
		}
	}
	return nil
}

func (c *claims) has(name string) bool { return c.get(name) != nil }

// wantedClaims are the claims that the checks look at, and the further ones.
func wantedClaims(further []string) map[string]wanted {
	names := append([]string{"iss", "sub", "jti", "exp", "nbf", "iat", "cnf", "aud"}, further...)
	for i := range profiles {
		p := &profiles[i]
		names = append(names, p.audience, p.scopes, p.permissions, p.client)
		for _, n := range p.needs {
			names = append(names, n.claim)
		}
	}
	all := map[string]wanted{}
	for _, name := range names {
		all[name] = wanted{name: name}
	}
	for i := range marks {
		all[marks[i].claim] = wanted{marks[i].claim, true}
	}
	delete(all, "") // where a profile has no such claim
	return all
}

// claimChecks run in this order.
var claimChecks = []struct {
	name Check
	run  func(*Verifier, *unverified, time.Time) *refusal.Error
}{
	{Issued, checkIssuer},
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
	{Client, checkClient},
	{Scope, checkScope},
	{Permissions, takePermissions},
	{PassedOn, checkPassedOn},
}

// checkIssuer compares iss byte for byte. RFC 7519, section 4.1.1, allows no normalisation. All
// that follows is about the one issuer that it finds.
func checkIssuer(v *Verifier, t *unverified, _ time.Time) *refusal.Error {
	iss, ok := t.claims.get("iss").text()
	if !ok {
		return refusal.New(refusal.BadIssuer, "expected iss as a string, got %s", absentOr(t.claims.get("iss"), "another type"))
	}
	got := otherValue
	for i := range v.issuers {
		if string(iss) == v.issuers[i].Name {
			t.issuer = &v.issuers[i]
			return nil
		}
		if slip := difference(string(iss), v.issuers[i].Name); slip != otherValue {
			got, t.issuer, t.slash = slip, &v.issuers[i], slip == otherSlash
		}
	}
	return refusal.New(refusal.BadIssuer, "expected iss to be the configured issuer, got %s", got)
}

// checkAudience looks for an audience in the profile's claim: a string or an array of strings
// (RFC 7519, section 4.1.3).
func checkAudience(v *Verifier, t *unverified, _ time.Time) *refusal.Error {
	name := t.issuer.profile.audience
	claim := t.claims.get(name)
	audiences, isArray := claim.elements()
	if !isArray {
		audiences = []value{claim}
	}
	if len(audiences) > maxAudiences {
		return refusal.New(refusal.BadAudience, "expected at most %d entries in %s, got %d", maxAudiences, name, len(audiences))
	}
	found, got := false, otherValue
	for _, audience := range audiences {
		text, ok := audience.text()
		if !ok {
			return refusal.New(refusal.BadAudience, "expected %s as a string or an array of strings, got %s%s",
				name, absentOr(claim, "another type"), t.otherProfile())
		}
		for _, want := range t.issuer.Audiences {
			found = found || string(text) == want
			if got == otherValue {
				got = difference(string(text), want)
			}
		}
	}
	if found {
		return nil
	}
	return refusal.New(refusal.BadAudience, "expected the configured audience in %s, which has %d entries, got %s%s",
		name, len(audiences), got, t.otherProfile())
}

// otherProfile is a hint that the token is like those of another provider.
func (t *unverified) otherProfile() string {
	if likely := t.likely(); likely != "" && profileOf(likely).audience != t.issuer.profile.audience {
		return "; the profile " + likely + " expects it in " + profileOf(likely).audience
	}
	return ""
}

const (
	otherValue = "another value"
	otherSlash = "it with a different trailing slash"
)

// difference names the usual slips in a URL, and never the URL.
func difference(got, want string) string {
	switch {
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		return otherSlash
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
	if t.claims.has("cnf") {
		return refusal.New(refusal.SenderConstrained, "expected a bearer token, got one bound to a key by cnf: have the provider issue unbound tokens for this audience")
	}
	return nil
}

// checkTokenID type-checks jti (RFC 7519, section 4.1.7), which nothing here uses.
func checkTokenID(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if _, ok := t.claims.get("jti").text(); !ok && t.claims.has("jti") {
		return refusal.New(refusal.BadClaims, "expected jti as a string, got another type")
	}
	return nil
}

// checkSubject demands a principal. API Gateway answers 500 to an empty principalId. Two
// that are not printable may look the same in a log.
func checkSubject(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	p, claim := t.issuer.profile, t.claims.get("sub")
	if claim == nil {
		claim = t.claims.get(p.machine)
	}
	sub, _ := claim.text()
	if len(sub) == 0 {
		hint := ""
		if claim == nil && p.noSubject != "" {
			hint = ": " + p.noSubject
		}
		return refusal.New(refusal.BadSubject, "expected sub as a string, got %s%s", absentOr(claim, "an empty one or another type"), hint)
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

// checkClient holds the client to the rules of sub, but it may be absent.
func checkClient(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	name := t.issuer.profile.client
	if !t.claims.has(name) {
		return nil
	}
	client, ok := t.claims.get(name).text()
	if !ok || utf8.RuneCount(client) > maxSubject || !principal(client) {
		return refusal.New(refusal.BadClaims, "expected %s as at most %d printable characters without quotation marks and backslashes, got something else", name, maxSubject)
	}
	t.verdict.AuthorizedParty = string(client)
	return nil
}

// principal reports whether text is printable and may stand between the quotation marks of a
// JSON access log. API Gateway inserts variables there as they are.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
func principal(text []byte) bool { return printable(text) && !bytes.ContainsAny(text, `"\`) }

// checkScope demands the characters of RFC 6749, section 3.3. An element of an array is one
// scope: with a space in it, it would become two. Text may have any number of spaces.
func checkScope(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	p := t.issuer.profile
	claim := t.claims.get(p.scopes)
	if claim == nil {
		return nil
	}
	if !p.readsScopes(t) {
		return refusal.New(refusal.BadClaims, "expected %s as %s, got another type", p.scopes, p.scopeForm())
	}
	scope, isText := claim.text()
	if !isText {
		list, ok := scopeTokens(claim)
		if !ok {
			return refusal.New(refusal.BadClaims, "expected one scope in each element of %s (RFC 6749, section 3.3), got something else", p.scopes)
		}
		scope = []byte(strings.Join(list, " "))
	}
	for part := range bytes.SplitSeq(scope, []byte{' '}) {
		if !scopeCharacters(part) {
			return refusal.New(refusal.BadClaims, "expected %s in the characters of RFC 6749, section 3.3, got others", p.scopes)
		}
	}
	t.verdict.Scope, t.verdict.HasScope = string(scope), true
	return nil
}

// takePermissions keeps permissions if they are an array of scope tokens, and drops them
// otherwise. It never refuses: they are the provider's own claim, and dropping grants nothing.
// https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis
func takePermissions(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	t.verdict.Permissions, _ = scopeTokens(t.claims.get(t.issuer.profile.permissions))
	return nil
}

// scopeTokens returns the elements of an array if all of them are scope tokens.
func scopeTokens(v value) ([]string, bool) {
	elements, ok := v.elements()
	if !ok {
		return nil, false
	}
	list := make([]string, len(elements))
	for i, element := range elements {
		text, _ := element.text()
		if len(text) == 0 || !scopeCharacters(text) {
			return nil, false
		}
		list[i] = string(text)
	}
	return list, true
}

// maxPassedOn is the most, in bytes, that the claims that are passed on may have together. API
// Gateway hands them to every function, whose event has 10 KB of headers beside them.
const maxPassedOn = 4 << 10

// checkPassedOn collects the claims to pass on as one JSON object, as they are but for white
// space: a number keeps its digits.
func checkPassedOn(v *Verifier, t *unverified, _ time.Time) *refusal.Error {
	var object []byte
	for _, name := range v.passOn {
		claim := jsontext.Value(t.claims.get(name))
		if claim == nil {
			continue
		}
		claim = claim.Clone()
		_ = claim.Compact()                                         // valid JSON, as it was read
		object, _ = jsontext.AppendQuote(append(object, ','), name) // a name of the settings, valid UTF-8
		object = append(append(object, ':'), claim...)
	}
	if object == nil {
		return nil
	}
	object[0] = '{'
	if object = append(object, '}'); len(object) > maxPassedOn {
		return refusal.New(refusal.ClaimsTooLarge, "expected at most %d bytes of claims to pass on, got %d: name fewer in the setting claims, or have the provider issue less", maxPassedOn, len(object))
	}
	t.verdict.PassedOn = string(object)
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
