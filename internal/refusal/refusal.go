// Package refusal names why a token was not accepted: a stable [Reason] to count and alarm on,
// its [Category] to know who has to act, and one sentence of detail. It is for the operator's
// log. The caller learns none of it, and no part holds token bytes or claim values.
package refusal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Reason is a cause for metric filters and dashboards, which match its text. A value is never
// renamed and never reused for something else.
type Reason string

// The event that API Gateway hands to the authorizer.
const (
	InvalidEvent Reason = "invalid_event" // not a TOKEN event for a usable method ARN
	MissingToken Reason = "missing_token" // no Authorization value, or not "Bearer <token>"
)

// The token, in the order in which its parts are checked.
const (
	MalformedToken    Reason = "malformed_token"    // not one canonical compact JWS over strict JSON
	UnsupportedAlg    Reason = "unsupported_alg"    // header names an algorithm that is not configured, or not the key's
	UnsupportedHeader Reason = "unsupported_header" // header has what could choose a key, a codec or an extension
	WrongType         Reason = "wrong_type"         // header typ is not that of an access token
	WrongKind         Reason = "wrong_kind"         // not an access token as the provider's profile describes it
	MissingKid        Reason = "missing_kid"        // no usable key ID
	BadClaims         Reason = "bad_claims"         // a registered claim has the wrong type, form or size
	Expired           Reason = "expired"            // exp is now or past
	NotYetValid       Reason = "not_yet_valid"      // nbf is in the future
	IssuedInFuture    Reason = "issued_in_future"   // iat is in the future
	BadIssuer         Reason = "bad_issuer"         // iss is not exactly the configured issuer
	BadAudience       Reason = "bad_audience"       // aud does not name this API
	BadSubject        Reason = "bad_subject"        // sub is absent or unusable as a principal
	SenderConstrained Reason = "sender_constrained" // bound to a key that a bearer request cannot prove
	ClaimsTooLarge    Reason = "claims_too_large"   // the claims to pass on exceed 4 KiB
	BadSignature      Reason = "bad_signature"      // the key does not verify the signature
)

// The provider's keys.
const (
	UnknownKid      Reason = "unknown_kid"       // the key set, recently fetched, lacks the key ID
	KeyRejected     Reason = "key_rejected"      // the key set has the key ID, but no key that we may use
	JWKSUnavailable Reason = "jwks_unavailable"  // the key set cannot be fetched and no copy is fresh enough
	JWKSRateLimited Reason = "jwks_rate_limited" // the key ID is unknown and the fetch budget is spent
)

// Ourselves.
const (
	ConfigError Reason = "config_error" // the function's environment is incomplete or wrong
	Internal    Reason = "internal"     // a defect, a panic, or no time left
)

// Category says who has to act on a refusal. It is logged beside the reason.
type Category string

const (
	Client           Category = "client"           // the caller: get another token
	Outage           Category = "outage"           // the identity provider, or the way to it
	Misconfiguration Category = "misconfiguration" // this deployment
	Attack           Category = "attack"           // nobody: this is no accident
	Defect           Category = "defect"           // our code
)

// categories are those that the reasons have unless an [Error] knows better.
var categories = []struct {
	of      Category
	reasons []Reason
}{
	{Client, []Reason{
		MissingToken, MalformedToken, UnsupportedAlg, UnsupportedHeader, WrongType, WrongKind, MissingKid,
		BadClaims, Expired, NotYetValid, IssuedInFuture, BadIssuer, BadAudience, BadSubject,
		SenderConstrained, ClaimsTooLarge, BadSignature, UnknownKid, KeyRejected, JWKSRateLimited,
	}},
	{Outage, []Reason{JWKSUnavailable}},
	{Misconfiguration, []Reason{ConfigError, InvalidEvent}},
	{Defect, []Reason{Internal}},
}

// Reasons are all of them.
func Reasons() []Reason {
	var all []Reason
	for _, c := range categories {
		all = append(all, c.reasons...)
	}
	return all
}

// Category returns the category that a reason has unless its [Error] knows better. A reason
// that is not in the table is a defect.
func (r Reason) Category() Category {
	for _, c := range categories {
		if slices.Contains(c.reasons, r) {
			return c.of
		}
	}
	return Defect
}

// Error is a refusal on its way to the log. Its text is for operators only.
type Error struct {
	Reason Reason
	By     Category // who has to act; empty for the reason's category
	Detail string   // one lower-case sentence without token bytes or claim values
}

func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }

// Category returns who has to act.
func (e *Error) Category() Category {
	if e.By != "" {
		return e.By
	}
	return e.Reason.Category()
}

// New returns a refusal whose detail is formatted as by [fmt.Sprintf].
func New(reason Reason, format string, args ...any) *Error {
	if len(args) == 0 && strings.IndexByte(format, '%') < 0 {
		return &Error{Reason: reason, Detail: format} // much faster, for junk of which there may be much
	}
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// CategoryOf returns the category of err, or [Defect] for an error that is no refusal.
func CategoryOf(err error) Category {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused.Category()
	}
	return Defect
}

// ReasonOf returns the reason that err carries, or [Internal] for any other error.
func ReasonOf(err error) Reason {
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused.Reason
	}
	return Internal
}
