package token

import (
	"math"
	"strconv"
	"time"

	"account-api/internal/refusal"
)

// ClockTolerance is how far nbf and iat may lie in the future. A token is often
// used within milliseconds of being issued, on another machine with another clock,
// and to refuse it then would punish the honest without stopping anyone.
const ClockTolerance = 60 * time.Second

// maxDate is 9999-12-31T23:59:59Z in seconds, the last moment that RFC 3339 can
// write. Larger values are milliseconds or attempts to overflow.
const maxDate = 253402300799

// dates are the moments in the claims. Those that are absent are zero.
type dates struct{ expires, notBefore, issued time.Time }

// checkDates demands exp, which RFC 7519 leaves optional and RFC 9068, section 2.2,
// does not: a token without it is valid for ever.
func checkDates(v *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if t.claims.exp == nil {
		return refusal.New(refusal.BadClaims, "expected exp, got none: a token that never expires")
	}
	if t.claims.iat == nil && v.expect.RequireAccessTokenType {
		return refusal.New(refusal.BadClaims, "expected iat in an at+jwt (RFC 9068, section 2.2), got none")
	}
	for _, date := range []struct {
		name  string
		value value
		into  *time.Time
	}{
		{"exp", t.claims.exp, &t.dates.expires},
		{"nbf", t.claims.nbf, &t.dates.notBefore},
		{"iat", t.claims.iat, &t.dates.issued},
	} {
		if date.value == nil {
			continue
		}
		moment, ok := date.value.numericDate()
		if !ok {
			return refusal.New(refusal.BadClaims, "expected %s as a number of seconds from 0 to %d, got something else", date.name, maxDate)
		}
		*date.into = moment
	}
	t.verdict.ExpiresAt = t.dates.expires
	return nil
}

// checkExpiry: RFC 7519, section 4.1.4, "on or after which the JWT MUST NOT be
// accepted".
func checkExpiry(v *Verifier, t *unverified, now time.Time) *refusal.Error {
	if !now.Before(t.dates.expires.Add(v.expect.Leeway)) {
		return refusal.New(refusal.Expired, "expired %v ago", now.Sub(t.dates.expires).Truncate(time.Second))
	}
	return nil
}

func checkNotBefore(v *Verifier, t *unverified, now time.Time) *refusal.Error {
	if early := t.dates.notBefore.Sub(now); early > v.tolerance() {
		return refusal.New(refusal.NotYetValid, "not valid for another %v; at most %v is tolerated", early.Truncate(time.Second), v.tolerance())
	}
	return nil
}

func checkIssuedAt(v *Verifier, t *unverified, now time.Time) *refusal.Error {
	if early := t.dates.issued.Sub(now); early > v.tolerance() {
		return refusal.New(refusal.IssuedInFuture, "issued %v in the future; at most %v is tolerated", early.Truncate(time.Second), v.tolerance())
	}
	return nil
}

// tolerance is [ClockTolerance], or the configured leeway if that is longer.
func (v *Verifier) tolerance() time.Duration { return max(ClockTolerance, v.expect.Leeway) }

// checkLifetime refuses dates that contradict each other or promise too much. The
// lifetime of a token without iat is counted from now.
func checkLifetime(v *Verifier, t *unverified, now time.Time) *refusal.Error {
	if t.dates.expires.Before(t.dates.issued) || t.dates.expires.Before(t.dates.notBefore) {
		return refusal.New(refusal.BadClaims, "expected exp after iat and nbf, got it before")
	}
	start := t.dates.issued
	if t.claims.iat == nil {
		start = now
	}
	if t.dates.expires.After(start.Add(v.expect.MaxLifetime)) {
		return refusal.New(refusal.BadClaims, "expected a lifetime of at most %v, got a longer one: is exp in milliseconds?", v.expect.MaxLifetime)
	}
	return nil
}

// numericDate reads a NumericDate (RFC 7519, section 2): a JSON number of seconds
// since 1970, possibly with a fraction. A string is not a number, however numeric:
// its quotation marks keep it from being parsed.
func (v value) numericDate() (time.Time, bool) {
	seconds, err := strconv.ParseFloat(string(v), 64)
	if err != nil || seconds < 0 || seconds > maxDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}
