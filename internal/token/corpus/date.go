package corpus

import (
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// dateRows are about when a token is valid. Dates are given as the text of the
// JSON number, relative ones by In.
func dateRows() []Row {
	const day = 24 * 60 * 60
	exp := func(value string) string { return Claims(Set("exp", value)) }
	iat := func(value string) string { return Claims(Set("iat", value)) }
	nbf := func(value string) string { return Claims(Also("nbf", value)) }
	soon := expiring(tokentest.Unix + 3600)

	rows := []Row{
		Given("exp missing", Claims(Drop("exp")), refusal.BadClaims),
		Given("exp one second ahead", exp(In(1)), Accepted, expiring(tokentest.Unix+1)),
		Given("exp now", exp(In(0)), refusal.Expired),
		Given("exp one second ago", exp(In(-1)), refusal.Expired),
		Given("exp one nanosecond ahead", tokentest.Valid(), Accepted, after(day*time.Second-1)),
		Given("exp reached to the nanosecond", tokentest.Valid(), refusal.Expired, after(day*time.Second)),
		Given("exp with a fraction", exp("1700003600.9"), Accepted, says(func(c *token.Claims) { c.ExpiresAt = time.Unix(1700003600, 900000095) })),
		Given("exp half a second ahead", exp("1700000000.5"), Accepted, says(func(c *token.Claims) { c.ExpiresAt = time.Unix(1700000000, 500000000) })),
		Given("exp half a second ago", exp2(-1, -9, ".5"), refusal.Expired),
		Given("exp with an exponent", exp("1.7000036e9"), Accepted, soon),
		Given("exp with an empty fraction", exp("1700003600.0"), Accepted, soon),
		Given("exp at the end of year 9999, then", Claims(Drop("iat"), Set("exp", "253402300799")), Accepted, endOfTime, expiring(253402300799)),
		Given("exp a second after year 9999, then", Claims(Drop("iat"), Set("exp", "253402300800")), refusal.BadClaims, endOfTime),
		Given("exp at the end of year 9999 with a fraction of zero, then", Claims(Drop("iat"), Set("exp", "253402300799.0")), Accepted, endOfTime, expiring(253402300799)),
		Given("exp a fraction after year 9999, then", Claims(Drop("iat"), Set("exp", "253402300799.5")), refusal.BadClaims, endOfTime),
		Given("exp before iat", Claims(Set("exp", In(10)), Set("iat", In(11))), refusal.BadClaims),
		Given("exp at iat", Claims(Set("exp", In(10)), Set("iat", In(10))), Accepted, expiring(tokentest.Unix+10)),
		Given("exp before nbf", Claims(Set("exp", In(10)), Also("nbf", In(11))), refusal.BadClaims),
		Given("exp at nbf", Claims(Set("exp", In(10)), Also("nbf", In(10))), Accepted, expiring(tokentest.Unix+10)),

		Given("nbf now", nbf(In(0)), Accepted),
		Given("nbf long ago", nbf("0"), Accepted),
		Given("nbf 60 s ahead", nbf(In(60)), Accepted),
		Given("nbf 61 s ahead", nbf(In(61)), refusal.NotYetValid),
		Given("nbf a fraction beyond 60 s ahead", nbf("1700000060.5"), refusal.NotYetValid),
		Given("nbf absent", Claims(Drop("nbf")), Accepted),
		Given("iat 1 s ahead", iat(In(1)), Accepted),
		Given("iat 60 s ahead", iat(In(60)), Accepted),
		Given("iat 61 s ahead", iat(In(61)), refusal.IssuedInFuture),
		Given("iat 600 s ahead", iat(In(600)), refusal.IssuedInFuture),
		Given("iat missing", Claims(Drop("iat")), Accepted),
		Given("iat missing where at+jwt is required", tokentest.Sign(tokentest.Header("k1").With("typ", `"at+jwt"`).JSON(), tokentest.Payload().Without("iat").JSON(), tokentest.K1()), refusal.BadClaims, provider("rfc9068")),

		Given("a lifetime of 30 days", Claims(Set("iat", In(0)), Set("exp", In(30*day))), Accepted, expiring(tokentest.Unix+30*day)),
		Given("a lifetime of 30 days and 1 s", Claims(Set("iat", In(0)), Set("exp", In(30*day+1))), refusal.BadClaims),
		Given("a lifetime of 30 days, without iat", Claims(Drop("iat"), Set("exp", In(30*day))), Accepted, expiring(tokentest.Unix+30*day)),
		Given("a lifetime of 30 days and 1 s, without iat", Claims(Drop("iat"), Set("exp", In(30*day+1))), refusal.BadClaims),
		Given("a lifetime from 1970, near its end", iat("0"), refusal.BadClaims),
		Given("iat null", iat("null"), Accepted),
		Given("nbf null", nbf("null"), Accepted),
		Given("exp null", exp("null"), refusal.BadClaims),
		Given("iat null where at+jwt is required", tokentest.Sign(tokentest.Header("k1").With("typ", `"at+jwt"`).JSON(), tokentest.Payload().With("iat", "null").JSON(), tokentest.K1()), refusal.BadClaims, provider("rfc9068")),
		Given("the moment is the zero time", tokentest.Valid(), refusal.IssuedInFuture, func(r *Row) { r.At = time.Time{} }),
		Given("the moment is the zero time, without iat", Claims(Drop("iat")), refusal.BadClaims, func(r *Row) { r.At = time.Time{} }),
		Given("the moment is centuries on", tokentest.Valid(), refusal.Expired, func(r *Row) { r.At = time.Unix(1<<36, 0) }),
	}
	for _, never := range []string{"0", "-0", "0.0", "0e5", "1", "1e-400"} {
		rows = append(rows, Given("exp "+never, Claims(Drop("iat"), Set("exp", never)), refusal.Expired))
	}
	for _, bad := range []string{
		`"1700003600"`, `"2099-01-01T00:00:00Z"`,
		"1e20", "1e400", "-1e400", "1e309", "9223372036854775807", "9223372036854775808",
		"1700003600000", "253402300800", "253402300799.5",
		"-1", "-0.5",
		"true", "[1700003600]", "{}", `""`,
	} {
		rows = append(rows,
			Given("exp "+bad, exp(bad), refusal.BadClaims),
			Given("iat "+bad, iat(bad), refusal.BadClaims),
			Given("nbf "+bad, nbf(bad), refusal.BadClaims))
	}
	return rows
}

// endOfTime is shortly before the last moment that a NumericDate may name.
func endOfTime(r *Row) { r.At = time.Unix(253402300000, 0) }

// exp2 is a token with exp and iat at these seconds from now, exp perhaps with a
// fraction.
func exp2(exp, iat int64, fraction ...string) string {
	text := In(exp)
	for _, digits := range fraction {
		text += digits
	}
	return Claims(Set("exp", text), Set("iat", In(iat)))
}
