package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"account-api/internal/loopback"
	"account-api/internal/refusal"
	"account-api/internal/token"
)

// verdict is what the checks of a token found.
type verdict struct {
	settings
	authorizer
	presentation
	passesGateway bool
	findings      []token.Finding
}

func (v verdict) report() report {
	r := report{Stack: v.stack, Keys: v.keySource(), Notes: v.notes()}
	if v.passesGateway {
		r.Checks = append(r.Checks, line{Check: "gateway", Result: passed, Detail: "its validation expression matches"})
	} else {
		r.Checks = append(r.Checks, line{Check: "gateway", Result: failed, Detail: "its validation expression does not match: 401, and the authorizer is not invoked"})
	}
	for _, f := range v.findings {
		l := line{Check: string(f.Check), Result: passed, Detail: join(f.Expected, f.Seen)}
		switch {
		case f.Check == token.Key && f.Refused != nil && v.withoutKeys():
			l.Result, l.Detail = skipped, f.Refused.Detail
		case f.Needs != "":
			l.Result, l.Detail = skipped, fmt.Sprintf("not checked: %s has to pass first", f.Needs)
		case f.Refused != nil:
			l.Result, l.Detail, l.Expected = failed, join(f.Refused.Detail, f.Seen), f.Expected
		}
		r.Checks = append(r.Checks, l)
	}
	v.judge(&r)
	return r
}

func join(text, seen string) string {
	if seen == "" {
		return text
	}
	return text + " (" + seen + ")"
}

// judge adds the outcome and, after a refusal, the fix.
func (v verdict) judge(r *report) {
	const unseen = "401 from the gateway, nothing in the authorizer's log"
	at := slices.IndexFunc(v.findings, func(f token.Finding) bool { return f.Refused != nil })
	switch {
	case at < 0 && v.passesGateway:
		r.Outcome, r.Summary = accepted, "the endpoint's policy decides what the caller may do"
		return
	case at < 0:
		r.Outcome, r.Summary, r.Fix = refused, unseen, `send exactly "Bearer", one space and the token`
		return
	case v.withoutKeys() && v.findings[at].Check == token.Key:
		r.Outcome, r.Summary = undecided, "all else passes, but the signature was not checked because no key was looked up"
		r.Fix = "run it without -offline, or with -jwks FILE"
		return
	}
	first := v.findings[at].Refused
	r.Outcome, r.Summary, r.Fix = refused, unseen, v.fix(first)
	if v.passesGateway {
		r.Reason, r.Class = string(first.Reason), string(first.Category())
		r.Summary = fmt.Sprintf("401, with reason %s and category %s in the authorizer's log", r.Reason, r.Class)
	}
}

// withoutKeys reports whether no keys were looked up.
func (v verdict) withoutKeys() bool { return v.offline && v.keyFile == "" }

func (v verdict) keySource() string {
	switch {
	case v.keyFile != "":
		return v.keyFile
	case v.withoutKeys():
		return "nowhere (-offline)"
	}
	return strings.Join(v.JWKSURIs, " or ")
}

func (v verdict) notes() []note {
	var notes []note
	if v.spaced {
		notes = append(notes, note{"Authorization", "white space around the token was removed; in a request the gateway would refuse it"})
	}
	if v.scheme == "" {
		notes = append(notes, note{"Authorization", `read as "Bearer" and one space before what was given`})
	}
	return notes
}

func (v verdict) issuers() string {
	var names []string
	for _, issuer := range v.Issuers {
		names = append(names, issuer.Name)
	}
	return strings.Join(names, " or ")
}

func (v verdict) audiences() string {
	var names []string
	for _, issuer := range v.Issuers {
		names = append(names, issuer.Audiences...)
	}
	return strings.Join(names, " or ")
}

// isLocal reports whether the token claims to be of an issuer on this machine, such as make
// run's.
func (p presentation) isLocal() bool {
	parts := strings.Split(p.compact, ".")
	if len(parts) != 3 {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Iss string }
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return false
	}
	issuer, err := url.Parse(claims.Iss)
	return err == nil && loopback.Is(issuer.Hostname())
}

// fix says what to do about a refusal.
func (v verdict) fix(refused *refusal.Error) string {
	switch refused.Reason {
	case refusal.MalformedToken:
		return "take the access token from the provider's answer as it is, and all of it"
	case refusal.UnsupportedAlg:
		if refused.Category() == refusal.Attack {
			return "request a signed access token from " + v.issuers() + "; the provider has not issued this one"
		}
		return "have the provider sign this API's tokens with one of the algorithms above, or name its algorithm in the stack's setting algorithms"
	case refusal.WrongKind:
		return "send the access token that the provider issued for the audience " + v.audiences() + ", not another kind of token; where a profile is named above, set the stack's provider to it"
	case refusal.WrongType, refusal.BadSubject, refusal.MissingKid, refusal.UnsupportedHeader, refusal.SenderConstrained:
		return "request an access token for the audience " + v.audiences() + " from " + v.issuers()
	case refusal.Expired:
		return "request a new token"
	case refusal.NotYetValid, refusal.IssuedInFuture:
		return "wait; if it happens again, correct the clock of the issuer"
	case refusal.BadIssuer:
		if v.isLocal() {
			return "the token is of an issuer on this machine, which only make run accepts; while it runs: " +
				"make explain STACK=" + v.stack + " ISSUER=http://127.0.0.1:PORT/ < token, with the issuer as make run prints it"
		}
		return "request the token from " + v.issuers() + ", or set the stack's issuer to the token's iss, slash included"
	case refusal.BadAudience:
		return "request the token with the audience " + v.audiences() + ", or set the stack's audience to the API's identifier at the provider"
	case refusal.UnknownKid:
		return "request a new token: its key is not at " + v.keySource() + "; if a new one fails too, set the stack's jwksUri"
	case refusal.KeyRejected:
		return "have the provider publish a key for a configured algorithm, once under each kid; RSA takes 2048 bits or more"
	case refusal.BadSignature:
		return "take the token from the provider as it is; if that fails too, the provider signs with other keys: set the stack's jwksUri"
	case refusal.ClaimsTooLarge:
		return "name fewer claims in the stack's setting claims, or have the provider issue less"
	case refusal.JWKSUnavailable, refusal.JWKSRateLimited:
		return "check that " + v.keySource() + " answers 200 with a key set: curl -i " + strings.TrimSpace(v.keySource())
	default:
		return "have the provider issue the claim as expected above"
	}
}
