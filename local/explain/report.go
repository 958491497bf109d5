package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"account-api/internal/refusal"
	"account-api/internal/token"
)

// report is what was found, to be written for a person.
type report struct {
	settings
	authorizer
	presentation
	passesGateway bool
	findings      []token.Finding
}

// accepted reports whether the caller would get past the authorizer.
func (r report) accepted() bool {
	return r.passesGateway && !slices.ContainsFunc(r.findings, func(f token.Finding) bool { return !f.Passed() })
}

func (r report) write(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "stack %s: keys from %s\n\n", r.stack, r.keySource())
	for _, note := range r.notes() {
		fmt.Fprintf(table, "note\tAuthorization\t%s\n", note)
	}
	if r.passesGateway {
		fmt.Fprintf(table, "pass\tgateway\tits validation expression matches\n")
	} else {
		fmt.Fprintf(table, "FAIL\tgateway\tits validation expression does not match: 401, and the authorizer is not invoked\n")
	}
	for _, f := range r.findings {
		switch {
		case f.Check == token.Key && f.Refused != nil && r.withoutKeys():
			fmt.Fprintf(table, "-\t%s\t%s\n", f.Check, f.Refused.Detail)
		case f.Needs != "":
			fmt.Fprintf(table, "-\t%s\tnot checked: %s has to pass first\n", f.Check, f.Needs)
		case f.Refused != nil:
			fmt.Fprintf(table, "FAIL\t%s\t%s\n\t\texpected: %s\n", f.Check, join(f.Refused.Detail, f.Seen), f.Expected)
		default:
			fmt.Fprintf(table, "pass\t%s\t%s\n", f.Check, join(f.Expected, f.Seen))
		}
	}
	fmt.Fprintf(table, "\n%s\n", r.verdict())
	return table.Flush()
}

func join(text, seen string) string {
	if seen == "" {
		return text
	}
	return text + " (" + seen + ")"
}

// withoutKeys reports whether no keys were looked up.
func (r report) withoutKeys() bool { return r.offline && r.keyFile == "" }

func (r report) keySource() string {
	switch {
	case r.keyFile != "":
		return r.keyFile
	case r.withoutKeys():
		return "nowhere (-offline)"
	}
	return strings.Join(r.JWKSURIs, " or ")
}

// notes are about how the token was given. They do not change the verdict.
func (r report) notes() []string {
	var notes []string
	if r.spaced {
		notes = append(notes, "white space around the token was removed; in a request the gateway would refuse it")
	}
	if r.scheme == "" {
		notes = append(notes, `read as "Bearer" and one space before what was given`)
	}
	return notes
}

// verdict is one line on the outcome and, after a refusal, one on the fix.
func (r report) verdict() string {
	at := slices.IndexFunc(r.findings, func(f token.Finding) bool { return f.Refused != nil })
	switch {
	case at < 0 && r.passesGateway:
		return "accepted: the endpoint's policy decides what the caller may do"
	case at < 0:
		return "refused: 401 from the gateway, nothing in the authorizer's log\nfix: send exactly \"Bearer\", one space and the token"
	case r.withoutKeys() && r.findings[at].Check == token.Key:
		return "undecided: all else passes, but the signature was not checked because no key was looked up\nfix: run it without -offline, or with -jwks FILE"
	}
	reason := r.findings[at].Refused.Reason
	if !r.passesGateway {
		return "refused: 401 from the gateway, nothing in the authorizer's log\nfix: " + r.fix(reason)
	}
	return fmt.Sprintf("refused: 401, with reason %s and category %s in the authorizer's log\nfix: %s", reason, r.findings[at].Refused.Category(), r.fix(reason))
}

func (r report) issuers() string {
	var names []string
	for _, issuer := range r.Issuers {
		names = append(names, issuer.Name)
	}
	return strings.Join(names, " or ")
}

func (r report) audiences() string {
	var names []string
	for _, issuer := range r.Issuers {
		names = append(names, issuer.Audiences...)
	}
	return strings.Join(names, " or ")
}

// fix says what to do about a refusal.
func (r report) fix(reason refusal.Reason) string {
	switch reason {
	case refusal.MalformedToken:
		return "take the access token from the provider's answer as it is, and all of it"
	case refusal.UnsupportedAlg:
		return "have the provider sign this API's tokens with one of the algorithms above, or name its algorithm in the stack's setting algorithms"
	case refusal.WrongKind:
		return "send the access token that the provider issued for the audience " + r.audiences() + ", not another kind of token; where a profile is named above, set the stack's provider to it"
	case refusal.WrongType, refusal.BadSubject, refusal.MissingKid, refusal.UnsupportedHeader, refusal.SenderConstrained:
		return "request an access token for the audience " + r.audiences() + " from " + r.issuers()
	case refusal.Expired:
		return "request a new token"
	case refusal.NotYetValid, refusal.IssuedInFuture:
		return "wait; if it happens again, correct the clock of the issuer"
	case refusal.BadIssuer:
		return "request the token from " + r.issuers() + ", or set the stack's issuer to the token's iss, slash included"
	case refusal.BadAudience:
		return "request the token with the audience " + r.audiences() + ", or set the stack's audience to the API's identifier at the provider"
	case refusal.UnknownKid:
		return "request a new token: its key is not at " + r.keySource() + "; if a new one fails too, set the stack's jwksUri"
	case refusal.KeyRejected:
		return "have the provider publish a key for a configured algorithm, once under each kid; RSA takes 2048 bits or more"
	case refusal.BadSignature:
		return "take the token from the provider as it is; if that fails too, the provider signs with other keys: set the stack's jwksUri"
	case refusal.ClaimsTooLarge:
		return "name fewer claims in the stack's setting claims, or have the provider issue less"
	case refusal.JWKSUnavailable, refusal.JWKSRateLimited:
		return "check that " + r.keySource() + " answers 200 with a key set: curl -i " + strings.TrimSpace(r.keySource())
	default:
		return "have the provider issue the claim as expected above"
	}
}
