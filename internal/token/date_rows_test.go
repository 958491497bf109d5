package token_test

import (
	"math"
	"strconv"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// dateRows are about when a token is valid. Dates are given as the text of the
// JSON number, relative ones by in.
func dateRows() []scenario {
	const day = 24 * 60 * 60
	exp := func(value string) string { return claims(set("exp", value)) }
	iat := func(value string) string { return claims(set("iat", value)) }
	nbf := func(value string) string { return claims(also("nbf", value)) }
	soon := expiring(tokentest.Unix + 3600)

	rows := []scenario{
		given("C01 exp missing", claims(drop("exp")), refusal.BadClaims),
		given("C02 exp one second ahead", exp(in(1)), accepted, expiring(tokentest.Unix+1)),
		given("C03 exp now", exp(in(0)), refusal.Expired),
		given("C04 exp one second ago", exp(in(-1)), refusal.Expired),
		given("C05 leeway 30 s, exp 29 s ago", exp2(-29, -40), accepted, leeway(30*time.Second), expiring(tokentest.Unix-29)),
		given("C05 leeway 30 s, exp 30 s ago", exp2(-30, -40), refusal.Expired, leeway(30*time.Second)),
		given("C05 leeway 30 s, exp 31 s ago", exp2(-31, -40), refusal.Expired, leeway(30*time.Second)),
		given("exp one nanosecond ahead", tokentest.Valid(), accepted, after(day*time.Second-1)),
		given("exp reached to the nanosecond", tokentest.Valid(), refusal.Expired, after(day*time.Second)),
		given("C09 exp with a fraction", exp("1700003600.9"), accepted, says(func(c *token.Claims) { c.ExpiresAt = time.Unix(1700003600, 900000095) })),
		given("C09 exp half a second ahead", exp("1700000000.5"), accepted, says(func(c *token.Claims) { c.ExpiresAt = time.Unix(1700000000, 500000000) })),
		given("C09 exp half a second ago", exp2(-1, -9, ".5"), refusal.Expired),
		given("exp with an exponent", exp("1.7000036e9"), accepted, soon),
		given("exp with an empty fraction", exp("1700003600.0"), accepted, soon),
		given("C11 exp at the end of year 9999, then", claims(drop("iat"), set("exp", "253402300799")), accepted, endOfTime, expiring(253402300799)),
		given("C11 exp a second after year 9999, then", claims(drop("iat"), set("exp", "253402300800")), refusal.BadClaims, endOfTime),
		given("C11 exp a fraction after year 9999, then", claims(drop("iat"), set("exp", "253402300799.5")), refusal.BadClaims, endOfTime),
		given("C13 exp before iat", claims(set("exp", in(10)), set("iat", in(11))), refusal.BadClaims),
		given("C13 exp at iat", claims(set("exp", in(10)), set("iat", in(10))), accepted, expiring(tokentest.Unix+10)),
		given("C13 exp before nbf", claims(set("exp", in(10)), also("nbf", in(11))), refusal.BadClaims),
		given("C13 exp at nbf", claims(set("exp", in(10)), also("nbf", in(10))), accepted, expiring(tokentest.Unix+10)),

		given("C14 nbf now", nbf(in(0)), accepted),
		given("C14 nbf long ago", nbf("0"), accepted),
		given("C14 nbf 60 s ahead", nbf(in(60)), accepted),
		given("C14 nbf 61 s ahead", nbf(in(61)), refusal.NotYetValid),
		given("C14 nbf a fraction beyond 60 s ahead", nbf("1700000060.5"), refusal.NotYetValid),
		given("C14 leeway 90 s, nbf 90 s ahead", nbf(in(90)), accepted, leeway(90*time.Second)),
		given("C14 leeway 90 s, nbf 91 s ahead", nbf(in(91)), refusal.NotYetValid, leeway(90*time.Second)),
		given("C17 iat 1 s ahead", iat(in(1)), accepted),
		given("C17 iat 60 s ahead", iat(in(60)), accepted),
		given("C18 iat 61 s ahead", iat(in(61)), refusal.IssuedInFuture),
		given("C18 iat 600 s ahead", iat(in(600)), refusal.IssuedInFuture),
		given("C17 leeway 90 s, iat 90 s ahead", iat(in(90)), accepted, leeway(90*time.Second)),
		given("C18 leeway 90 s, iat 91 s ahead", iat(in(91)), refusal.IssuedInFuture, leeway(90*time.Second)),
		given("C19 iat missing", claims(drop("iat")), accepted),
		given("C19 iat missing where at+jwt is required", tokentest.Sign(tokentest.Header("k1").With("typ", `"at+jwt"`).JSON(), tokentest.Payload().Without("iat").JSON(), tokentest.K1()), refusal.BadClaims, accessTokenType),

		given("a lifetime of 30 days", claims(set("iat", in(0)), set("exp", in(30*day))), accepted, expiring(tokentest.Unix+30*day)),
		given("a lifetime of 30 days and 1 s", claims(set("iat", in(0)), set("exp", in(30*day+1))), refusal.BadClaims),
		given("a lifetime of 30 days, without iat", claims(drop("iat"), set("exp", in(30*day))), accepted, expiring(tokentest.Unix+30*day)),
		given("a lifetime of 30 days and 1 s, without iat", claims(drop("iat"), set("exp", in(30*day+1))), refusal.BadClaims),
		given("a lifetime from 1970, near its end", iat("0"), refusal.BadClaims),
		given("maximal lifetime 1 h, lifetime 1 h", claims(set("iat", in(0)), set("exp", in(3600))), accepted, lifetime(time.Hour), soon),
		given("maximal lifetime 1 h, lifetime 1 h and 1 s", claims(set("iat", in(0)), set("exp", in(3601))), refusal.BadClaims, lifetime(time.Hour)),
		given("auth_time a number", claims(also("auth_time", in(-100))), accepted),
		given("auth_time 0, as from a session without a login time", claims(also("auth_time", "0")), accepted),
		given("the moment is the zero time", tokentest.Valid(), refusal.IssuedInFuture, func(s *scenario) { s.at = time.Time{} }),
		given("the moment is the zero time, without iat", claims(drop("iat")), refusal.BadClaims, func(s *scenario) { s.at = time.Time{} }),
		given("the moment is centuries on", tokentest.Valid(), refusal.Expired, func(s *scenario) { s.at = time.Unix(1<<36, 0) }),
	}
	for _, never := range []string{"0", "-0", "0.0", "0e5", "1", "1e-400"} { // C12
		rows = append(rows, given("C12 exp "+never, claims(drop("iat"), set("exp", never)), refusal.Expired))
	}
	for _, bad := range []string{
		"-1", "-0.5", "1e20", "1e400", "-1e400", "9223372036854775807", "9223372036854775808", "1e309", "253402300800", "253402300799.5", // C10, C12
		"1700003600000", `"1700003600"`, `"2099-01-01T00:00:00Z"`, "null", "true", "[1700003600]", "{}", `""`, // C06, C07, C11, C20
	} {
		rows = append(rows,
			given("C10 exp "+bad, exp(bad), refusal.BadClaims),
			given("C10 exp "+bad+" under a configuration that believes in long lifetimes", exp(bad), refusal.BadClaims, lifetime(math.MaxInt64)),
			given("C20 iat "+bad, iat(bad), refusal.BadClaims),
			given("C14 nbf "+bad, nbf(bad), refusal.BadClaims),
			given("auth_time "+bad, claims(also("auth_time", bad)), refusal.BadClaims))
	}
	return rows
}

// in is the JSON text of a moment seconds from now.
func in(seconds int64) string { return strconv.FormatInt(tokentest.Unix+seconds, 10) }

// endOfTime is shortly before the last moment that a NumericDate may name.
func endOfTime(s *scenario) { s.at = time.Unix(253402300000, 0) }

// exp2 is a token with exp and iat at these seconds from now, exp perhaps with a
// fraction.
func exp2(exp, iat int64, fraction ...string) string {
	text := in(exp)
	for _, digits := range fraction {
		text += digits
	}
	return claims(set("exp", text), set("iat", in(iat)))
}
