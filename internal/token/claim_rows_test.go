package token_test

import (
	"fmt"
	"strings"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// claimRows are about whose token it is, for whom, and of which kind.
func claimRows() []scenario {
	ours := tokentest.Quote(tokentest.Audience)
	array := func(entries ...string) string { return "[" + strings.Join(entries, ",") + "]" }
	rows := []scenario{
		given("C21 iss exact", claims(set("iss", tokentest.Quote(tokentest.Issuer))), accepted),
		given("C22 iss without its trailing slash", claims(set("iss", `"https://TENANT.eu.auth0.com"`)), refusal.BadIssuer),
		given("C23 iss missing", claims(drop("iss")), refusal.BadIssuer),
		given("C24 iss as an array", claims(set("iss", array(tokentest.Quote(tokentest.Issuer)))), refusal.BadIssuer),
		given("C26 aud as a string", claims(set("aud", ours)), accepted),
		given("C26 aud as an array of one", claims(set("aud", array(ours))), accepted),
		given("C27 aud with the userinfo endpoint", claims(set("aud", array(ours, `"https://TENANT.eu.auth0.com/userinfo"`))), accepted),
		given("C27 aud with the userinfo endpoint first", claims(set("aud", array(`"https://TENANT.eu.auth0.com/userinfo"`, ours))), accepted),
		given("C28 aud as an array without ours", claims(set("aud", `["https://TENANT.eu.auth0.com/userinfo"]`)), refusal.BadAudience),
		given("C29 aud missing", claims(drop("aud")), refusal.BadAudience),
		given("C29 aud as an empty array", claims(set("aud", "[]")), refusal.BadAudience),
		given("C33 an ID token: aud is the client, with nonce and at_hash", claims(set("aud", `"FHgLVARP"`), also("nonce", `"n"`), also("at_hash", `"h"`)), refusal.BadAudience),
		given("C34 aud with ours twice", claims(set("aud", array(ours, ours))), accepted),
		given("C35 aud with 32 entries", claims(set("aud", array(append(repeat(`"x"`, 31), ours)...))), accepted),
		given("C35 aud with 33 entries", claims(set("aud", array(append(repeat(`"x"`, 32), ours)...))), refusal.BadAudience),
		given("C35 aud with 1 000 entries", claims(set("aud", array(append(repeat(`"x"`, 999), ours)...))), refusal.BadAudience),
		given("aud with ours and a number", claims(set("aud", array(ours, "1"))), refusal.BadAudience),
		given("aud with ours and null", claims(set("aud", array("null", ours))), refusal.BadAudience),
		given("aud with ours one array deeper", claims(set("aud", array(array(ours)))), refusal.BadAudience),
		given("aud with ours as a name", claims(set("aud", "{"+ours+":1}")), refusal.BadAudience),
		given("aud with an empty entry and ours", claims(set("aud", array(`""`, ours))), accepted),
		given("aud with ours in two halves", claims(set("aud", `["https://api.example.com","/account"]`)), refusal.BadAudience),

		given("C48 scp instead of scope", claims(drop("scope"), also("scp", `["get:profile"]`)), accepted, says(noScope)),
		given("C52 cnf with jkt", claims(also("cnf", `{"jkt":"AAAA"}`)), refusal.SenderConstrained),
		given("C53 cnf with x5t#S256", claims(also("cnf", `{"x5t#S256":"AAAA"}`)), refusal.SenderConstrained),
		given("C56 AUD instead of aud", claims(drop("aud"), also("AUD", ours)), refusal.BadAudience),
		given("C56 Iss instead of iss", claims(drop("iss"), also("Iss", tokentest.Quote(tokentest.Issuer))), refusal.BadIssuer),
		given("C56 EXP instead of exp", claims(drop("exp"), also("EXP", "1700086400")), refusal.BadClaims),
		given("C56 Sub instead of sub", claims(drop("sub"), also("Sub", `"x"`)), refusal.BadSubject),
		given("C56 other letter case next to the claims", claims(also("AUD", `"x"`), also("ISS", "1"), also("EXP", "1"), also("CNF", "1")), accepted),
		given("C58 jti a string", claims(also("jti", `"x"`)), accepted),
		given("C61 claims named like API Gateway's context", claims(also("principalId", `"x"`), also("integrationLatency", "1"), also("claims", `{"a":1}`)), accepted),
		given("an unknown claim of each type", claims(also("a", "null"), also("b", "true"), also("c", "1.5e3"), also("d", `"x"`), also("e", "[[]]"), also("f", `{"":{}}`)), accepted),
		given("a name twice within an unknown claim", claims(also("foo", `{"a":1,"a":2}`)), refusal.MalformedToken),
		given("a name twice deep within an unknown claim", claims(also("foo", `[{"a":{"b":1,"\u0062":2}}]`)), refusal.MalformedToken),
	}
	for _, form := range []string{"null", "{}", `""`, "true", "[]", "1"} {
		rows = append(rows, given("cnf as "+form, claims(also("cnf", form)), refusal.SenderConstrained))
	}
	for name, iss := range map[string]string{
		"empty": `""`, "null": "null", "a number": "1", "an object": "{}", // C23
		"upper-case host": `"https://TENANT.EU.AUTH0.COM/"`, "a lower-case tenant": `"https://tenant.eu.auth0.com/"`,
		"a trailing space": `"https://TENANT.eu.auth0.com/ "`, "http": `"http://TENANT.eu.auth0.com/"`,
		"another tenant": `"https://OTHER.eu.auth0.com/"`, "a userinfo part": `"https://TENANT.eu.auth0.com@evil.example/"`,
		"a Greek capital tau": `"https://ΤENANT.eu.auth0.com/"`, "a port": `"https://TENANT.eu.auth0.com:443/"`,
		"a suffix": `"https://TENANT.eu.auth0.com/x"`, "a NUL": `"https://TENANT.eu.auth0.com/\u0000"`,
	} {
		rows = append(rows, given("C25 iss with "+name, claims(set("iss", iss)), refusal.BadIssuer))
	}
	for name, aud := range map[string]string{
		"an empty string": `""`, "null": "null", "a number": "1", "true": "true", // C29
		"a trailing slash": `"https://api.example.com/account/"`, "a prefix": `"https://api.example.com/acc"`,
		"a suffix": `"xhttps://api.example.com/account"`, "other letter case": `"https://API.example.com/account"`,
		"ours within a longer one": `"https://api.example.com/accounts"`, "ours and another, space-separated": `"https://api.example.com/account x"`,
		"white space around": `" https://api.example.com/account"`, "http": `"http://api.example.com/account"`,
	} {
		rows = append(rows, given("C32 aud as "+name, claims(set("aud", aud)), refusal.BadAudience))
	}
	for name, twice := range map[string]edit{
		"aud, the other one first": before("aud", `"evil"`), "aud, the other one last": also("aud", `"evil"`),
		"scope, the other one first": before("scope", `"evil"`), "scope, the other one last": also("scope", `"evil"`),
		"sub, the other one first": before("sub", `"evil"`), "sub, the other one last": also("sub", `"evil"`),
		"exp, the other one first": before("exp", "1"), "exp, the other one last": also("exp", "1"),
		"aud, once with an escape": also(`a\u0075d`, `"evil"`), "an unknown claim": also("gty", "1"), "iss, both the same": also("iss", tokentest.Quote(tokentest.Issuer)),
	} {
		rows = append(rows, given("C54 twice "+name, claims(twice), refusal.MalformedToken))
	}
	for _, name := range []string{"at_hash", "c_hash", "s_hash", "events"} {
		rows = append(rows, given("C33 a claim of another kind of token: "+name, claims(also(name, `"x"`)), refusal.WrongType))
	}
	for name, good := range map[string]string{
		"jti": `"x"`, "client_id": `"x"`, "nonce": `"x"`, "acr": `"1"`, "sid": `"x"`,
		"act": `{"sub":"x"}`, "may_act": `{"sub":"x"}`, "amr": `["pwd"]`, "authorization_details": `[{"type":"x"}]`,
	} {
		rows = append(rows, given("C58 "+name+" of its registered type", claims(also(name, good)), accepted))
		for _, bad := range []string{"null", "1", `"x"`, "[]", "{}", "false"} {
			if bad[0] != good[0] {
				rows = append(rows, given(fmt.Sprintf("C58 %s as %s", name, bad), claims(before(name, bad)), refusal.BadClaims))
			}
		}
	}
	return rows
}

// principalRows are about who calls: sub, and azp, the client.
func principalRows() []scenario {
	rows := []scenario{
		given("C36 sub missing", claims(drop("sub")), refusal.BadSubject),
		given("C39 sub of 255 characters", claims(set("sub", tokentest.Quote(strings.Repeat("s", 255)))), accepted, says(func(c *token.Claims) { c.Subject = strings.Repeat("s", 255) })),
		given("C39 sub of 255 characters in 510 bytes", claims(set("sub", tokentest.Quote(strings.Repeat("ë", 255)))), accepted, says(func(c *token.Claims) { c.Subject = strings.Repeat("ë", 255) })),
		given("C40 sub of 256 characters", claims(set("sub", tokentest.Quote(strings.Repeat("s", 256)))), refusal.BadSubject),
		given("C40 sub of 4 KiB", claims(set("sub", tokentest.Quote(strings.Repeat("s", 4<<10)))), refusal.BadSubject),
		given("azp missing", claims(drop("azp")), accepted, says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		given("azp empty", claims(set("azp", `""`)), accepted, says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		given("azp of 255 characters", claims(set("azp", tokentest.Quote(strings.Repeat("z", 255)))), accepted, says(func(c *token.Claims) { c.AuthorizedParty = strings.Repeat("z", 255) })),
		given("azp of 256 characters", claims(set("azp", tokentest.Quote(strings.Repeat("z", 256)))), refusal.BadClaims),
	}
	for _, sub := range []string{"x@clients", "auth0|123", "google-oauth2|1", "Daniël", "two words", "日本", "🙂", `quote"back\slash`, "x"} {
		rows = append(rows, given("C39 sub "+sub, claims(set("sub", tokentest.Quote(sub))), accepted, says(func(c *token.Claims) { c.Subject = sub })))
	}
	for name, sub := range map[string]string{
		"empty": `""`, "a space": `" "`, "a tab": `"\t"`, "a leading space": `" evil"`, "a trailing space": `"evil "`, // C37
		"a number": "1", "null": "null", "an array": `["evil"]`, "an object": "{}", "true": "true", // C38
		"a NUL": `"a\u0000b"`, "a line feed": `"a\nb"`, "a carriage return": `"a\rb"`, "an escape character": `"a\u001b[2J"`, // S30
		"a delete character": `"a\u007fb"`, "a C1 control": `"a\u0085b"`, "a no-break space": `"a\u00a0b"`,
		"a line separator": `"a\u2028b"`, "a right-to-left override": `"a\u202eb"`, "a zero-width space": `"a\u200bb"`,
		"a byte order mark": `"\ufeffa"`, "a non-character": `"a\uffffb"`, "a non-character beyond the basic plane": `"a\ud83f\udffeb"`, "a private-use character": `"a\ue000b"`,
	} {
		rows = append(rows, given("C37 sub with "+name, claims(set("sub", sub)), refusal.BadSubject))
	}
	for name, azp := range map[string]string{
		"a number": "1", "null": "null", "an array": `["x"]`, "a line feed": `"a\nb"`, "a leading space": `" x"`,
	} {
		rows = append(rows, given("azp with "+name, claims(set("azp", azp)), refusal.BadClaims))
	}
	return rows
}

// grantRows are about what the provider granted: scope and permissions.
func grantRows() []scenario {
	saysScope := func(scope string) func(*scenario) {
		return says(func(c *token.Claims) { c.Scope, c.HasScope = scope, true })
	}
	thousand := strings.TrimSpace(strings.Repeat("a:b ", 1000))
	rows := []scenario{
		given("C41 one scope", claims(set("scope", `"get:profile"`)), accepted, saysScope("get:profile")),
		given("C42 scope missing", claims(drop("scope")), accepted, says(noScope)),
		given("C43 scope empty", claims(set("scope", `""`)), accepted, saysScope("")),
		given("C44 scope as an array", claims(set("scope", `["get:profile"]`)), refusal.BadClaims),
		given("C47 1 000 scopes", claims(set("scope", tokentest.Quote(thousand))), accepted, saysScope(thousand)),
		given("every character of RFC 6749", claims(set("scope", tokentest.Quote(everyScopeCharacter()))), accepted, saysScope(everyScopeCharacter())),

		given("C49 permissions without scope", claims(drop("scope"), also("permissions", `["get:profile"]`)), accepted, says(noScope), permissions("get:profile")),
		given("C51 two permissions", claims(also("permissions", `["a","b"]`)), accepted, permissions("a", "b")),
		given("permissions as an empty array", claims(also("permissions", "[]")), accepted, permissions()),
		given("permissions with an escape", claims(also("permissions", `["\u0061"]`)), accepted, permissions("a")),
	}
	for _, scope := range []string{"get:profile update:profile", " get:profile", "get:profile ", "a  b", " "} {
		rows = append(rows, given(fmt.Sprintf("P05 scope %q", scope), claims(set("scope", tokentest.Quote(scope))), accepted, saysScope(scope)))
	}
	for _, form := range []string{"null", "1", "{}", "true", "[]"} {
		rows = append(rows, given("C45 scope as "+form, claims(set("scope", form)), refusal.BadClaims))
	}
	for _, scope := range []string{"a\nb", "a\tb", `a"b`, `a\b`, "a\x7fb", "a\x00", "ë", "a\u00a0b", "\u2028"} {
		rows = append(rows, given(fmt.Sprintf("C46 scope %q", scope), claims(set("scope", tokentest.Quote(scope))), refusal.BadClaims))
	}
	for _, form := range []string{"null", "1", `"get:profile"`, "{}", `["a",1]`, `["a",null]`, `[["a"]]`, `[""]`, `["a b"]`, `["a\n"]`, `["ë"]`, `["\""]`, `["\\"]`, `["a\u007f"]`} {
		rows = append(rows, given("C50 permissions as "+form+" are dropped", claims(also("permissions", form)), accepted))
	}
	return rows
}

func noScope(c *token.Claims) { c.Scope, c.HasScope = "", false }

func permissions(list ...string) func(*scenario) {
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
