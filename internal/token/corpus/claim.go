package corpus

import (
	"fmt"
	"strings"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// claimRows are about whose token it is, for whom, and of which kind.
func claimRows() []Row {
	ours := tokentest.Quote(tokentest.Audience)
	userinfo := tokentest.Quote(tokentest.Issuer + "userinfo")
	array := func(entries ...string) string { return "[" + strings.Join(entries, ",") + "]" }
	rows := []Row{
		Given("iss exact", Claims(Set("iss", tokentest.Quote(tokentest.Issuer))), Accepted),
		Given("iss without its trailing slash", Claims(Set("iss", `"https://issuer.example"`)), refusal.BadIssuer),
		Given("iss missing", Claims(Drop("iss")), refusal.BadIssuer),
		Given("iss as an array", Claims(Set("iss", array(tokentest.Quote(tokentest.Issuer)))), refusal.BadIssuer),
		Given("aud as a string", Claims(Set("aud", ours)), Accepted),
		Given("aud as an array of one", Claims(Set("aud", array(ours))), Accepted),
		Given("aud with the userinfo endpoint", Claims(Set("aud", array(ours, userinfo))), Accepted),
		Given("aud with the userinfo endpoint first", Claims(Set("aud", array(userinfo, ours))), Accepted),
		Given("aud as an array without ours", Claims(Set("aud", array(userinfo))), refusal.BadAudience),
		Given("aud missing", Claims(Drop("aud")), refusal.BadAudience),
		Given("aud as an empty array", Claims(Set("aud", "[]")), refusal.BadAudience),
		Given("aud with ours twice", Claims(Set("aud", array(ours, ours))), Accepted),
		Given("aud with 32 entries", Claims(Set("aud", array(append(repeat(`"x"`, 31), ours)...))), Accepted),
		Given("aud with 33 entries", Claims(Set("aud", array(append(repeat(`"x"`, 32), ours)...))), refusal.BadAudience),
		Given("aud with 1 000 entries", Claims(Set("aud", array(append(repeat(`"x"`, 999), ours)...))), refusal.BadAudience),
		Given("aud with ours and a number", Claims(Set("aud", array(ours, "1"))), refusal.BadAudience),
		Given("aud with ours and null", Claims(Set("aud", array("null", ours))), refusal.BadAudience),
		Given("aud with ours one array deeper", Claims(Set("aud", array(array(ours)))), refusal.BadAudience),
		Given("aud with ours as a name", Claims(Set("aud", "{"+ours+":1}")), refusal.BadAudience),
		Given("aud with an empty entry and ours", Claims(Set("aud", array(`""`, ours))), Accepted),
		Given("aud with ours in two halves", Claims(Set("aud", `["https://library.example","/books"]`)), refusal.BadAudience),

		Given("scp instead of scope", Claims(Drop("scope"), Also("scp", `["read:books"]`)), Accepted, says(noScope)),
		Given("cnf with jkt", Claims(Also("cnf", `{"jkt":"AAAA"}`)), refusal.SenderConstrained),
		Given("cnf with x5t#S256", Claims(Also("cnf", `{"x5t#S256":"AAAA"}`)), refusal.SenderConstrained),
		Given("cnf null", Claims(Also("cnf", "null")), Accepted),
		Given("AUD instead of aud", Claims(Drop("aud"), Also("AUD", ours)), refusal.BadAudience),
		Given("Iss instead of iss", Claims(Drop("iss"), Also("Iss", tokentest.Quote(tokentest.Issuer))), refusal.BadIssuer),
		Given("EXP instead of exp", Claims(Drop("exp"), Also("EXP", "1700086400")), refusal.BadClaims),
		Given("Sub instead of sub", Claims(Drop("sub"), Also("Sub", `"x"`)), refusal.BadSubject),
		Given("other letter case next to the claims", Claims(Also("AUD", `"x"`), Also("ISS", "1"), Also("EXP", "1"), Also("CNF", "1")), Accepted),
		Given("jti a string", Claims(Also("jti", `"x"`)), Accepted),
		Given("jti null", Claims(Also("jti", "null")), Accepted),
		Given("claims named like API Gateway's context", Claims(Also("principalId", `"x"`), Also("integrationLatency", "1"), Also("claims", `{"a":1}`)), Accepted),
		Given("an unknown claim of each type", Claims(Also("a", "null"), Also("b", "true"), Also("c", "1.5e3"), Also("d", `"x"`), Also("e", "[[]]"), Also("f", `{"":{}}`)), Accepted),
		Given("a name twice within an unknown claim", Claims(Also("foo", `{"a":1,"a":2}`)), refusal.MalformedToken),
		Given("a name twice deep within an unknown claim", Claims(Also("foo", `[{"a":{"b":1,"\u0062":2}}]`)), refusal.MalformedToken),
	}
	for _, form := range []string{"{}", `""`, "true", "false", "0", "[]", "1"} {
		rows = append(rows, Given("cnf as "+form, Claims(Also("cnf", form)), refusal.SenderConstrained))
	}
	for name, iss := range map[string]string{
		"empty": `""`, "null": "null", "a number": "1", "an object": "{}",
		"an upper-case host": `"https://ISSUER.EXAMPLE/"`, "one upper-case letter": `"https://Issuer.example/"`,
		"a trailing space": `"https://issuer.example/ "`, "http": `"http://issuer.example/"`,
		"another host": `"https://other.example/"`, "a userinfo part": `"https://issuer.example@evil.example/"`,
		"a Cyrillic e": `"https://issu\u0435r.example/"`, "a port": `"https://issuer.example:443/"`,
		"a suffix": `"https://issuer.example/x"`, "a NUL": `"https://issuer.example/\u0000"`,
	} {
		rows = append(rows, Given("iss with "+name, Claims(Set("iss", iss)), refusal.BadIssuer))
	}
	for name, aud := range map[string]string{
		"an empty string": `""`, "null": "null", "a number": "1", "true": "true",
		"a trailing slash": `"https://library.example/books/"`, "a prefix": `"https://library.example/boo"`,
		"a suffix": `"xhttps://library.example/books"`, "other letter case": `"https://LIBRARY.example/books"`,
		"ours within a longer one": `"https://library.example/bookshelves"`, "ours and another, space-separated": `"https://library.example/books x"`,
		"white space around": `" https://library.example/books"`, "http": `"http://library.example/books"`,
	} {
		rows = append(rows, Given("aud as "+name, Claims(Set("aud", aud)), refusal.BadAudience))
	}
	for name, twice := range map[string]Edit{
		"aud, the other one first": Before("aud", `"evil"`), "aud, the other one last": Also("aud", `"evil"`),
		"scope, the other one first": Before("scope", `"evil"`), "scope, the other one last": Also("scope", `"evil"`),
		"sub, the other one first": Before("sub", `"evil"`), "sub, the other one last": Also("sub", `"evil"`),
		"exp, the other one first": Before("exp", "1"), "exp, the other one last": Also("exp", "1"),
		"aud, once with an escape": Also(`a\u0075d`, `"evil"`), "an unknown claim": Also("gty", "1"), "iss, both the same": Also("iss", tokentest.Quote(tokentest.Issuer)),
	} {
		rows = append(rows, Given("twice "+name, Claims(twice), refusal.MalformedToken))
	}
	for _, form := range []string{"1", "false", "[]", `["x"]`, "{}"} {
		rows = append(rows, Given("jti as "+form, Claims(Also("jti", form)), refusal.BadClaims))
	}
	// Claims that nothing here uses, in every form.
	for _, name := range []string{"auth_time", "sid", "client_id", "acr", "amr", "act", "may_act", "authorization_details", "scp", "gty", "email"} {
		for _, form := range []string{"null", "-1", "false", `"x"`, `"2099-01-01T00:00:00Z"`, `["x"]`, `{"x":1}`} {
			rows = append(rows, Given(name+" as "+form, Claims(Set(name, form)), Accepted))
		}
	}
	return rows
}

// principalRows are about who calls: sub, and azp, the client.
func principalRows() []Row {
	rows := []Row{
		Given("sub missing", Claims(Drop("sub")), refusal.BadSubject),
		Given("sub of 255 characters", Claims(Set("sub", tokentest.Quote(strings.Repeat("s", 255)))), Accepted, says(func(c *token.Claims) { c.Subject = strings.Repeat("s", 255) })),
		Given("sub of 255 characters in 510 bytes", Claims(Set("sub", tokentest.Quote(strings.Repeat("ë", 255)))), Accepted, says(func(c *token.Claims) { c.Subject = strings.Repeat("ë", 255) })),
		Given("sub of 256 characters", Claims(Set("sub", tokentest.Quote(strings.Repeat("s", 256)))), refusal.BadSubject),
		Given("sub of 4 KiB", Claims(Set("sub", tokentest.Quote(strings.Repeat("s", 4<<10)))), refusal.BadSubject),
		Given("azp missing", Claims(Drop("azp")), Accepted, says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		Given("azp null", Claims(Set("azp", "null")), Accepted, says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		Given("azp empty", Claims(Set("azp", `""`)), Accepted, says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		Given("azp of 255 characters", Claims(Set("azp", tokentest.Quote(strings.Repeat("z", 255)))), Accepted, says(func(c *token.Claims) { c.AuthorizedParty = strings.Repeat("z", 255) })),
		Given("azp of 256 characters", Claims(Set("azp", tokentest.Quote(strings.Repeat("z", 256)))), refusal.BadClaims),
	}
	for _, sub := range []string{"x@clients", "auth0|123", "google-oauth2|1", "Zoë", "two words", "日本", "🙂", "it's", "a/b", "x"} {
		rows = append(rows, Given("sub "+sub, Claims(Set("sub", tokentest.Quote(sub))), Accepted, says(func(c *token.Claims) { c.Subject = sub })))
	}
	for name, sub := range map[string]string{
		"sub empty": `""`, "sub a space": `" "`, "sub a tab": `"\t"`,
		"sub with a leading space": `" evil"`, "sub with a trailing space": `"evil "`,
		"sub a number": "1", "sub null": "null", "sub an array": `["evil"]`, "sub an object": "{}", "sub true": "true",
		"sub with a quotation mark": `"a\"b"`, "sub with a backslash": `"a\\b"`, "sub that closes a field of a log": `"a\",\"status\":\"200"`,
		"sub with an escaped quotation mark": `"a\u0022b"`, "sub with a NUL": `"a\u0000b"`, "sub with a line feed": `"a\nb"`, "sub with a carriage return": `"a\rb"`,
		"sub with an escape character": `"a\u001b[2J"`, "sub with a delete character": `"a\u007fb"`,
		"sub with a C1 control": `"a\u0085b"`, "sub with a no-break space": `"a\u00a0b"`,
		"sub with a line separator": `"a\u2028b"`, "sub with a right-to-left override": `"a\u202eb"`,
		"sub with a zero-width space": `"a\u200bb"`, "sub with a byte order mark": `"\ufeffa"`,
		"sub with a non-character": `"a\uffffb"`, "sub with a non-character beyond the basic plane": `"a\ud83f\udffeb"`,
		"sub with a private-use character": `"a\ue000b"`,
	} {
		rows = append(rows, Given(name, Claims(Set("sub", sub)), refusal.BadSubject))
	}
	for name, azp := range map[string]string{
		"a number": "1", "an array": `["x"]`, "a line feed": `"a\nb"`, "a leading space": `" x"`, "a quotation mark": `"a\"b"`, "a backslash": `"a\\b"`,
	} {
		rows = append(rows, Given("azp with "+name, Claims(Set("azp", azp)), refusal.BadClaims))
	}
	return rows
}

// grantRows are about what the provider granted: scope and permissions.
func grantRows() []Row {
	saysScope := func(scope string) func(*Row) {
		return says(func(c *token.Claims) { c.Scope, c.HasScope = scope, true })
	}
	thousand := strings.TrimSpace(strings.Repeat("a:b ", 1000))
	rows := []Row{
		Given("one scope", Claims(), Accepted, saysScope(tokentest.Scope)),
		Given("scope missing", Claims(Drop("scope")), Accepted, says(noScope)),
		Given("scope null", Claims(Set("scope", "null")), Accepted, says(noScope)),
		Given("scope empty", Claims(Set("scope", `""`)), Accepted, saysScope("")),
		Given("scope as an array", Claims(Set("scope", `["read:books"]`)), refusal.BadClaims),
		Given("1 000 scopes", Claims(Set("scope", tokentest.Quote(thousand))), Accepted, saysScope(thousand)),
		Given("every character of RFC 6749", Claims(Set("scope", tokentest.Quote(everyScopeCharacter()))), Accepted, saysScope(everyScopeCharacter())),

		Given("permissions without scope", Claims(Drop("scope"), Also("permissions", `["read:books"]`)), Accepted, says(noScope), permissions("read:books")),
		Given("two permissions", Claims(Also("permissions", `["a","b"]`)), Accepted, permissions("a", "b")),
		Given("permissions as an empty array", Claims(Also("permissions", "[]")), Accepted, permissions()),
		Given("permissions with an escape", Claims(Also("permissions", `["\u0061"]`)), Accepted, permissions("a")),
	}
	for _, scope := range []string{"read:books lend:books", " read:books", "read:books ", "a  b", " "} {
		rows = append(rows, Given(fmt.Sprintf("scope %q", scope), Claims(Set("scope", tokentest.Quote(scope))), Accepted, saysScope(scope)))
	}
	for _, form := range []string{"1", "{}", "true", "[]"} {
		rows = append(rows, Given("scope as "+form, Claims(Set("scope", form)), refusal.BadClaims))
	}
	for _, scope := range []string{"a\nb", "a\tb", `a"b`, `a\b`, "a\x7fb", "a\x00", "ë", "a\u00a0b", "\u2028"} {
		rows = append(rows, Given(fmt.Sprintf("scope %q", scope), Claims(Set("scope", tokentest.Quote(scope))), refusal.BadClaims))
	}
	for _, form := range []string{"null", "1", `"read:books"`, "{}", `["a",1]`, `["a",null]`, `[["a"]]`, `[""]`, `["a b"]`, `["a\n"]`, `["ë"]`, `["\""]`, `["\\"]`, `["a\u007f"]`} {
		rows = append(rows, Given("permissions as "+form+" are dropped", Claims(Also("permissions", form)), Accepted))
	}
	return rows
}

func noScope(c *token.Claims) { c.Scope, c.HasScope = "", false }

func permissions(list ...string) func(*Row) {
	return says(func(c *token.Claims) { c.Permissions = append([]string{}, list...) })
}

func everyScopeCharacter() string {
	var all strings.Builder
	for char := byte(0x21); char <= 0x7e; char++ {
		if char != '"' && char != '\\' {
			all.WriteByte(char)
		}
	}
	return all.String()
}

func repeat(value string, count int) []string {
	list := make([]string, count)
	for i := range list {
		list[i] = value
	}
	return list
}
