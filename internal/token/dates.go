package token

import (
	"math"
	"strconv"
	"time"

	"account-api/internal/refusal"
)

// ClockTolerance is how far nbf and iat may lie in the future. Tokens are used within
// milliseconds of being issued, on machines whose clocks differ. Refusing them would reject
// valid clients for no gain.
const ClockTolerance = 60 * time.Second

// maxLifetime is the longest that Auth0 allows for an access token. A longer lifetime is a
// mistake of the issuer, such as milliseconds.
// https://auth0.com/docs/secure/tokens/access-tokens/update-access-token-lifetime
const maxLifetime = 30 * 24 * time.Hour

// maxDate is 9999-12-31T23:59:59Z in seconds, the last moment that RFC 3339 can write.
// Larger values are milliseconds or attempts to overflow.
const maxDate = 253402300799

// dates are the moments in the claims. Those that are absent are zero.
type dates struct{ expires, notBefore, issued time.Time }

// checkDates demands exp (RFC 9068, section 2.2): a token without it never expires.
func checkDates(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	if !t.claims.has("exp") {
		return refusal.New(refusal.BadClaims, "expected exp, got none: a token that never expires")
	}
	if t.issuer.profile.dated && !t.claims.has("iat") {
		return refusal.New(refusal.BadClaims, "expected iat (RFC 9068, section 2.2), got none")
	}
	for _, date := range []struct {
		name string
		into *time.Time
	}{
		{"exp", &t.dates.expires}, {"nbf", &t.dates.notBefore}, {"iat", &t.dates.issued},
	} {
		claim := t.claims.get(date.name)
		if claim == nil {
			continue
		}
		moment, ok := claim.numericDate()
		if !ok {
			return refusal.New(refusal.BadClaims, "expected %s as a number of seconds from 0 to %d, got something else", date.name, maxDate)
		}
		*date.into = moment
	}
	t.verdict.ExpiresAt = t.dates.expires
	return nil
}

// checkExpiry refuses a token at the moment of exp, too (RFC 7519, section 4.1.4).
func checkExpiry(_ *Verifier, t *unverified, now time.Time) *refusal.Error {
	if !now.Before(t.dates.expires) {
		return refusal.New(refusal.Expired, "expired %v ago", now.Sub(t.dates.expires).Truncate(time.Second))
	}
	return nil
}

func checkNotBefore(_ *Verifier, t *unverified, now time.Time) *refusal.Error {
	if early := t.dates.notBefore.Sub(now); early > ClockTolerance {
		return refusal.New(refusal.NotYetValid, "not valid for another %v; at most %v is tolerated", early.Truncate(time.Second), ClockTolerance)
	}
	return nil
}

func checkIssuedAt(_ *Verifier, t *unverified, now time.Time) *refusal.Error {
	if early := t.dates.issued.Sub(now); early > ClockTolerance {
		return refusal.New(refusal.IssuedInFuture, "issued %v in the future; at most %v is tolerated", early.Truncate(time.Second), ClockTolerance)
	}
	return nil
}

// checkLifetime refuses dates in the wrong order and a lifetime that is too long. Without
// iat the lifetime counts from now.
func checkLifetime(_ *Verifier, t *unverified, now time.Time) *refusal.Error {
	if t.dates.expires.Before(t.dates.issued) || t.dates.expires.Before(t.dates.notBefore) {
		return refusal.New(refusal.BadClaims, "expected exp after iat and nbf, got it before")
	}
	start := t.dates.issued
	if !t.claims.has("iat") {
		start = now
	}
	if t.dates.expires.After(start.Add(maxLifetime)) {
		return refusal.New(refusal.BadClaims, "expected a lifetime of at most %v, got a longer one: is exp in milliseconds?", maxLifetime)
	}
	return nil
}

// numericDate reads a NumericDate (RFC 7519, section 2): a JSON number of seconds since
// 1970, perhaps with a fraction. A string fails to parse because of its quotation marks.
func (v value) numericDate() (time.Time, bool) {
	if whole, err := strconv.ParseInt(string(v), 10, 64); err == nil { // the usual form, much faster
		return time.Unix(whole, 0), 0 <= whole && whole <= maxDate
	}
	seconds, err := strconv.ParseFloat(string(v), 64)
	if err != nil || seconds < 0 || seconds > maxDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}
