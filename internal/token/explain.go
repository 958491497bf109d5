package token

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
)

// Check names one check by what it is about.
type Check string

// The checks, in the order in which they are made.
const (
	Form          Check = "compact form"
	Header        Check = "header"
	Algorithm     Check = "header alg"
	OtherHeaders  Check = "other headers"
	Type          Check = "header typ"
	Thumbprints   Check = "header x5t"
	KeyID         Check = "header kid"
	SignatureForm Check = "signature form"
	Payload       Check = "payload"
	Issued        Check = "claim iss"
	Confirmation  Check = "claim cnf"
	TokenKind     Check = "kind of token"
	Audience      Check = "audience"
	Replicated    Check = "claims in header"
	TokenID       Check = "claim jti"
	Dates         Check = "dates"
	Expiry        Check = "claim exp"
	NotBefore     Check = "claim nbf"
	IssuedAt      Check = "claim iat"
	Lifetime      Check = "lifetime"
	Principal     Check = "claim sub"
	Client        Check = "client"
	Scope         Check = "scopes"
	Permissions   Check = "permissions"
	PassedOn      Check = "passed on"
	Key           Check = "key"
	Signature     Check = "signature"
)

// Finding is the outcome of one check. Its texts hold no token bytes and no claim values,
// except for dates, counts and the start of a key ID.
type Finding struct {
	Check    Check
	Expected string         // what an acceptable token has, such as the configured issuer
	Refused  *refusal.Error // why the check failed; nil if it passed or was not made
	Needs    Check          // what has to pass first, if the check was not made
	Seen     string         // what the check found, if that is worth knowing
}

// Passed reports whether the check was made and passed.
func (f Finding) Passed() bool { return f.Refused == nil && f.Needs == "" }

// Explain makes every check of [Verifier.Verify] in the same order and continues after a
// refusal. It is for a person who wants to know all that is wrong with a token. It is not
// for a server: it looks up the key of a refused token, too.
//
// The first refusal among the findings is the one that Verify returns. All findings pass
// if and only if Verify accepts the token.
func (v *Verifier) Explain(compact string, now time.Time, keys Keys) []Finding {
	return v.explain(compact, now, keys).findings
}

// Unverified returns what a token says about its bearer, without a reason to believe it: anyone
// can write such a token. It is for a tool that predicts what the bearer gets, never for a
// server. Of a token that Verify accepts it returns the same, but for the key ID and the dates.
// A claim that a check refuses is absent. The issuer is the token's, trusted or not.
func (v *Verifier) Unverified(compact string) Claims {
	t := v.explain(compact, time.Time{}, KeyFunc(nil)).token
	said := t.verdict
	said.KeyID, said.ExpiresAt = "", time.Time{}
	issuer, _ := t.claims.get("iss").text()
	said.Issuer = string(issuer)
	return said
}

func (v *Verifier) explain(compact string, now time.Time, keys Keys) *explanation {
	r := v.newReader(len(compact)) // large enough: values point into it
	e := &explanation{verifier: v, now: now, keys: keys, token: &r.token, broken: map[Check]bool{}}
	e.token.issuer = &v.issuers[0]
	e.makeAll(r, compact)
	return e
}

// explanation is the findings so far.
type explanation struct {
	verifier *Verifier
	now      time.Time
	keys     Keys
	token    *unverified
	findings []Finding
	broken   map[Check]bool // checks that failed or were not made
}

func (e *explanation) makeAll(r *reader, compact string) {
	v, t := e.verifier, e.token

	var p parts
	e.check(Form, func() (refused *refusal.Error) { p, refused = split(compact); return refused })
	t.input = []byte(p.input)
	e.check(Header, func() *refusal.Error { return r.readPart("header", p.header, &t.header) }, Form)
	for _, c := range headerChecks {
		e.check(c.name, func() *refusal.Error { return c.run(v, &t.header) }, Header)
	}
	e.check(SignatureForm, func() (refused *refusal.Error) {
		t.signature, refused = r.decode("signature", p.signature)
		return refused
	}, Form)
	e.check(Payload, func() *refusal.Error { return r.readPart("payload", p.payload, &t.claims) }, Form)
	for _, c := range claimChecks {
		e.check(c.name, func() *refusal.Error { return c.run(v, t, e.now) }, claimNeeds[c.name]...)
	}
	var key *signature.Key
	e.check(Key, func() (refused *refusal.Error) {
		key, refused = lookUp(e.keys, t, nil)
		return refused
	}, KeyID)
	e.check(Signature, func() *refusal.Error { return t.verify(e.keys, key) }, SignatureForm, Key)
}

// claimNeeds are the checks that must pass before a claim's check can be made.
var claimNeeds = map[Check][]Check{
	Issued: {Payload}, Audience: {Payload}, Replicated: {Header, Payload}, TokenKind: {Type, Payload},
	Confirmation: {Payload}, TokenID: {Payload}, Dates: {Payload},
	Expiry: {Dates}, NotBefore: {Dates}, IssuedAt: {Dates}, Lifetime: {Dates},
	Principal: {Payload}, Client: {Payload}, Scope: {Payload}, Permissions: {Payload}, PassedOn: {Payload},
}

// check makes one check, unless a check that it needs is broken.
func (e *explanation) check(c Check, run func() *refusal.Error, needs ...Check) {
	f := Finding{Check: c}
	if at := slices.IndexFunc(needs, func(need Check) bool { return e.broken[need] }); at >= 0 {
		f.Needs = needs[at]
	} else {
		if f.Refused = run(); f.Refused != nil {
			f.Refused = e.verifier.blame(e.token, f.Refused, e.keys)
		}
		f.Seen = e.seen(c)
	}
	f.Expected = e.expected(c)
	e.broken[c] = !f.Passed()
	e.findings = append(e.findings, f)
}

// expected says what an acceptable token has.
func (e *explanation) expected(c Check) string {
	trusted := e.token.issuer
	switch c {
	case Form:
		return fmt.Sprintf("three parts in at most %d bytes", maxCompact)
	case Header, Payload:
		return "a strict JSON object in canonical base64url"
	case Algorithm:
		return e.verifier.algorithmNames()
	case OtherHeaders:
		return "none that offers a key or an extension, and none for nested, compressed or encrypted content"
	case Type:
		return "at+jwt, JWT or none"
	case Thumbprints:
		return "text, or none"
	case KeyID:
		return fmt.Sprintf("1 to %d printable bytes", maxKeyID)
	case SignatureForm:
		return "canonical base64url"
	case Issued:
		var names []string
		for i := range e.verifier.issuers {
			names = append(names, e.verifier.issuers[i].Name)
		}
		return strings.Join(names, " or ")
	case Audience:
		return strings.Join(trusted.Audiences, " or ") + " in " + trusted.profile.audience + ", alone or among others"
	case Replicated:
		return "as in the payload, or none"
	case TokenKind:
		return "an access token as the profile " + trusted.profile.name + " describes it"
	case Confirmation:
		return "none"
	case TokenID:
		return "a string, or none"
	case Dates:
		return "exp, and perhaps nbf and iat, in seconds since 1970"
	case Expiry:
		return "after " + moment(e.now)
	case NotBefore, IssuedAt:
		return "until " + moment(e.now.Add(ClockTolerance)) + ", or none"
	case Lifetime:
		return fmt.Sprintf("at most %v", maxLifetime)
	case Principal:
		return fmt.Sprintf("1 to %d printable characters, no quotation mark, no backslash", maxSubject)
	case Client:
		return fmt.Sprintf("up to %d printable characters in %s, no quotation mark, no backslash, or none", maxSubject, trusted.profile.client)
	case Scope:
		return trusted.profile.scopeForm() + " of scope tokens in " + trusted.profile.scopes + ", or none"
	case Permissions:
		if trusted.profile.permissions == "" {
			return "none under the profile " + trusted.profile.name
		}
		return "an array of scope tokens in " + trusted.profile.permissions + "; anything else is ignored"
	case PassedOn:
		return fmt.Sprintf("at most %d bytes of the claims to pass on", maxPassedOn)
	case Key:
		return "a usable key in the key set under the kid"
	case Signature:
		return "of header and payload, by that key with its algorithm"
	}
	return ""
}

// seen says what a check found.
func (e *explanation) seen(c Check) string {
	t := e.token
	switch c {
	case KeyID:
		return ShortKeyID(t.header.keyID)
	case TokenKind:
		if likely := t.likely(); likely != "" && likely != t.issuer.profile.name {
			return "looks like an access token of the profile " + likely
		}
	case Expiry:
		return e.when("exp", t.dates.expires)
	case NotBefore:
		return e.when("nbf", t.dates.notBefore)
	case IssuedAt:
		return e.when("iat", t.dates.issued)
	case Scope:
		if !t.verdict.HasScope {
			return "none: a policy that asks for a scope will deny"
		}
	case Permissions:
		switch {
		case !t.claims.has(t.issuer.profile.permissions):
			return "none"
		case t.verdict.Permissions == nil:
			return "ignored"
		}
		return fmt.Sprintf("%d", len(t.verdict.Permissions))
	case PassedOn:
		return fmt.Sprintf("%d bytes", len(t.verdict.PassedOn))
	}
	return ""
}

// when is a date of the token and its distance from now.
func (e *explanation) when(name string, date time.Time) string {
	if !e.token.claims.has(name) {
		return "none"
	}
	if distance := e.now.Sub(date).Truncate(time.Second); distance > 0 {
		return fmt.Sprintf("%s, %v ago", moment(date), distance)
	}
	return fmt.Sprintf("%s, in %v", moment(date), date.Sub(e.now).Truncate(time.Second))
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
