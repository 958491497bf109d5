package corpus

import (
	"fmt"
	"strings"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// under is a token with another header typ and an edited payload.
func under(typ string, edits ...Edit) string {
	header := tokentest.Header("k1").With("typ", tokentest.Quote(typ)).JSON()
	return tokentest.Sign(header, []byte(apply(tokentest.Payload(), edits)), tokentest.K1())
}

// granted are the claims of an accepted token.
func granted(client, scope string, permissions ...string) func(*Row) {
	return says(func(c *token.Claims) {
		c.AuthorizedParty, c.Scope, c.HasScope = client, scope, scope != ""
		c.Permissions = permissions
	})
}

// providerRows are about the profiles: the tokens of each provider, and of the others.
func providerRows() []Row {
	const client = tokentest.Client
	bare := func(o tokentest.Object) tokentest.Object {
		return o.Without("azp").Without("scope").Without("gty")
	}
	also := func(edits ...Edit) string { return Claims(append([]Edit{bare}, edits...)...) }

	okta := []Edit{bare, Also("ver", "1"), Also("cid", tokentest.Quote(client)), Also("uid", `"u"`), Also("scp", `["read:books","openid"]`)}
	entra := []Edit{bare, Also("ver", `"2.0"`), Also("azp", tokentest.Quote(client)), Also("scp", `"read:books openid"`)}
	entraApp := []Edit{bare, Also("ver", `"2.0"`), Also("azp", tokentest.Quote(client)), Also("roles", `["Books.Read"]`)}
	cognito := []Edit{bare, Drop("aud"), Also("client_id", tokentest.Quote(tokentest.Audience)), Also("token_use", `"access"`), Also("scope", `"library/read"`)}
	keycloak := []Edit{Also("typ", `"Bearer"`)}
	conforming := []Edit{Drop("azp"), Also("client_id", tokentest.Quote(client)), Also("jti", `"1"`)}
	duendeMachine := []Edit{Drop("azp"), Drop("sub"), Also("client_id", tokentest.Quote(client)), Set("scope", `["read:books","openid"]`)}
	entraID := also(Also("ver", `"2.0"`), Also("roles", `["Books.Read"]`))
	plus := func(edits []Edit, more ...Edit) []Edit { return append(append([]Edit{}, edits...), more...) }

	rows := []Row{
		Given("okta: an access token", Claims(okta...), Accepted, provider("okta"), granted(client, "read:books openid")),
		Given("okta: no scopes", Claims(plus(okta, Drop("scp"))...), Accepted, provider("okta"), granted(client, "")),
		Given("okta: an empty array of scopes", Claims(plus(okta, Set("scp", "[]"))...), Accepted, provider("okta"), granted(client, ""), says(func(c *token.Claims) { c.HasScope = true })),
		Given("okta: a scope with a space is not two", Claims(plus(okta, Set("scp", `["read:books write:books"]`))...), refusal.BadClaims, provider("okta")),
		Given("okta: an empty scope", Claims(plus(okta, Set("scp", `["read:books",""]`))...), refusal.BadClaims, provider("okta")),
		Given("okta: a scope that is a number", Claims(plus(okta, Set("scp", `["read:books",1]`))...), refusal.BadClaims, provider("okta")),
		Given("okta: scopes as text", Claims(plus(okta, Set("scp", `"read:books"`))...), refusal.BadClaims, provider("okta")),
		Given("okta: scope is not scp", Claims(plus(okta, Drop("scp"), Also("scope", `"admin"`))...), Accepted, provider("okta"), granted(client, "")),
		Given("okta: permissions are not Okta's", Claims(plus(okta, Also("permissions", `["admin"]`))...), Accepted, provider("okta"), granted(client, "read:books openid")),
		Given("okta: a claim without a name is not a permission", Claims(plus(okta, Also("", `["admin"]`))...), Accepted, provider("okta"), granted(client, "read:books openid")),
		Given("okta: cid a number", Claims(plus(okta, Set("cid", "1"))...), refusal.BadClaims, provider("okta")),
		Given("okta: cid with a quotation mark", Claims(plus(okta, Set("cid", `"a\"b"`))...), refusal.BadClaims, provider("okta")),
		Given("okta: an ID token", also(Also("ver", "1"), Also("nonce", `"n"`)), refusal.WrongKind, provider("okta")),
		Given("okta: an ID token without a mark", also(Also("ver", "1"), Also("amr", `["pwd"]`)), refusal.WrongKind, provider("okta")),
		Given("okta: cid null", Claims(plus(okta, Set("cid", "null"))...), refusal.WrongKind, provider("okta")),
		Given("okta: cid beside a nonce", Claims(plus(okta, Also("nonce", `"n"`))...), refusal.WrongKind, provider("okta")),
		Given("okta: cid beside at_hash", Claims(plus(okta, Also("at_hash", `"h"`))...), refusal.WrongKind, provider("okta")),
		Given("okta: a token of Auth0", tokentest.Valid(), refusal.WrongKind, provider("okta")),

		Given("entra: a user's access token", Claims(entra...), Accepted, provider("entra"), granted(client, "read:books openid")),
		Given("entra: an application's access token", Claims(entraApp...), Accepted, provider("entra"), granted(client, "", "Books.Read")),
		Given("entra: a user's access token with roles", Claims(plus(entra, Also("roles", `["a","b"]`))...), Accepted, provider("entra"), granted(client, "read:books openid", "a", "b")),
		Given("entra: scopes as an array", Claims(plus(entra, Set("scp", `["read:books"]`))...), refusal.BadClaims, provider("entra")),
		Given("entra: an ID token with roles", entraID, refusal.WrongKind, provider("entra")),
		Given("entra: azp without scp and roles", Claims(plus(entra, Drop("scp"))...), refusal.WrongKind, provider("entra")),
		Given("entra: scp and roles null", Claims(plus(entra, Set("scp", "null"), Also("roles", "null"))...), refusal.WrongKind, provider("entra")),
		Given("entra: version 1", Claims(plus(entra, Set("ver", `"1.0"`))...), refusal.WrongKind, provider("entra")),
		Given("entra: the version as a number", Claims(plus(entra, Set("ver", "2.0"))...), refusal.WrongKind, provider("entra")),
		Given("entra: no version", Claims(plus(entra, Drop("ver"))...), refusal.WrongKind, provider("entra")),

		Given("cognito: an access token", Claims(cognito...), Accepted, provider("cognito"), granted(tokentest.Audience, "library/read")),
		Given("cognito: an access token of another client", Claims(plus(cognito, Set("client_id", `"other"`))...), refusal.BadAudience, provider("cognito")),
		Given("cognito: aud does not stand in for client_id", Claims(plus(cognito, Drop("client_id"), Also("aud", tokentest.Quote(tokentest.Audience)))...), refusal.BadAudience, provider("cognito")),
		Given("cognito: an ID token", also(Also("token_use", `"id"`)), refusal.WrongKind, provider("cognito")),
		Given("cognito: no token_use", Claims(plus(cognito, Drop("token_use"))...), refusal.WrongKind, provider("cognito")),
		Given("cognito: token_use an array", Claims(plus(cognito, Set("token_use", `["access"]`))...), refusal.WrongKind, provider("cognito")),

		Given("keycloak: an access token", Claims(keycloak...), Accepted, provider("keycloak")),
		Given("keycloak: an access token with the mapper for nonce", Claims(plus(keycloak, Also("nonce", `"n"`))...), Accepted, provider("keycloak")),
		Given("keycloak: permissions are not Keycloak's", Claims(plus(keycloak, Also("permissions", `["admin"]`))...), Accepted, provider("keycloak")),
		Given("keycloak: no sub, without the scope basic", Claims(plus(keycloak, Drop("sub"), Also("client_id", `"x"`))...), refusal.BadSubject, provider("keycloak")),
		Given("keycloak: no typ", tokentest.Valid(), refusal.WrongKind, provider("keycloak")),
		Given("keycloak: an ID token", Claims(Also("typ", `"ID"`), Also("nonce", `"n"`)), refusal.WrongKind, provider("keycloak")),
		Given("keycloak: a refresh token", Claims(Also("typ", `"Refresh"`)), refusal.WrongKind, provider("keycloak")),

		Given("duende: an access token", under("at+jwt", conforming...), Accepted, provider("duende"), granted(client, tokentest.Scope)),
		Given("duende: a machine's token, whose client is its principal", under("at+jwt", duendeMachine...), Accepted, provider("duende"), granted(client, "read:books openid"), says(func(c *token.Claims) { c.Subject = client })),
		Given("duende: an empty sub is not none", under("at+jwt", plus(conforming, Set("sub", `""`))...), refusal.BadSubject, provider("duende")),
		Given("duende: neither sub nor client_id", under("at+jwt", Drop("azp"), Drop("sub")), refusal.BadSubject, provider("duende")),
		Given("duende: a scope with a space is not two", under("at+jwt", plus(conforming, Set("scope", `["a b"]`))...), refusal.BadClaims, provider("duende")),
		Given("duende: scopes as a number", under("at+jwt", plus(conforming, Set("scope", `1`))...), refusal.BadClaims, provider("duende")),
		Given("duende: an ID token", under("JWT", Also("nonce", `"n"`)), refusal.WrongKind, provider("duende")),
		Given("duende: no iat", under("at+jwt", plus(conforming, Drop("iat"))...), Accepted, provider("duende"), granted(client, tokentest.Scope)),

		Given("rfc9068: an access token", under("at+jwt", conforming...), Accepted, provider("rfc9068"), granted(client, tokentest.Scope)),
		Given("rfc9068: a nonce changes no explicit type", under("at+jwt", plus(conforming, Also("nonce", `"n"`))...), Accepted, provider("rfc9068"), granted(client, tokentest.Scope)),
		Given("rfc9068: no sub", under("at+jwt", plus(conforming, Drop("sub"))...), refusal.BadSubject, provider("rfc9068")),
		Given("rfc9068: scopes as an array", under("at+jwt", plus(conforming, Set("scope", `["a"]`))...), refusal.BadClaims, provider("rfc9068")),
		Given("rfc9068: an ID token", under("JWT", Also("nonce", `"n"`)), refusal.WrongKind, provider("rfc9068")),
		Given("rfc9068: an expired token of another type", under("JWT", Set("exp", In(-1))), refusal.WrongKind, provider("rfc9068")),
	}
	for _, name := range token.Providers() {
		for _, typ := range []string{"ID", "Refresh", "Logout", "x"} {
			rows = append(rows, Given(name+": payload typ "+typ, under("at+jwt", plus(conforming, Also("typ", tokentest.Quote(typ)))...), refusal.WrongKind, provider(name)))
		}
		rows = append(rows,
			Given(name+": token_use id", under("at+jwt", plus(conforming, Also("token_use", `"id"`))...), refusal.WrongKind, provider(name)),
			Given(name+": header typ id_token+jwt", under("id_token+jwt", conforming...), refusal.WrongType, provider(name)))
	}
	return rows
}

// otherIssuer is an issuer beside the usual one, with a key of its own under the same key ID.
const otherIssuer = "https://other.example/"

// issuerRows are about several audiences and issuers.
func issuerRows() []Row {
	trusting := func(r *Row) {
		r.Expect = Trusting("")
		r.Expect.Issuers[0].Audiences = []string{"first", tokentest.Audience}
		r.Expect.Issuers = append(r.Expect.Issuers, token.Issuer{Name: otherIssuer, Audiences: []string{"other"}, Provider: "keycloak"})
		r.OwnKeys = true
		r.Key = func(issuer, kid string, failed *signature.Key) (*signature.Key, error) {
			if issuer == otherIssuer {
				return rs256(tokentest.K3()), nil
			}
			return Published(issuer, kid, failed)
		}
	}
	others := tokentest.Payload().With("iss", tokentest.Quote(otherIssuer)).With("aud", `"other"`).Also("typ", `"Bearer"`)
	signed := func(payload tokentest.Object, own bool) string {
		key := tokentest.K3()
		if !own {
			key = tokentest.K1()
		}
		return tokentest.Sign(tokentest.Header("k1").JSON(), payload.JSON(), key)
	}
	return []Row{
		Given("the second of two audiences", tokentest.Valid(), Accepted, trusting),
		Given("the first of two audiences", Claims(Set("aud", `["x","first"]`)), Accepted, trusting),
		Given("two audiences in one text", Claims(Set("aud", tokentest.Quote("first "+tokentest.Audience))), refusal.BadAudience, trusting),
		Given("another issuer's token", signed(others, true), Accepted, trusting, says(func(c *token.Claims) { c.Issuer = otherIssuer })),
		Given("another issuer's token with the first one's key", signed(others, false), refusal.BadSignature, trusting),
		Given("the first issuer's token with the other's key", signed(tokentest.Payload(), true), refusal.BadSignature, trusting),
		Given("another issuer's token for the first one's audience", signed(others.With("aud", `"first"`), true), refusal.BadAudience, trusting),
		Given("the first issuer's token for the other's audience", Claims(Set("aud", `"other"`)), refusal.BadAudience, trusting),
		Given("another issuer's token, described by the first one's profile", signed(others.Without("typ"), true), refusal.WrongKind, trusting),
		Given("an issuer that is not trusted", Claims(Set("iss", `"https://third.example/"`)), refusal.BadIssuer, trusting),
		Given("two issuers in one text", Claims(Set("iss", tokentest.Quote(tokentest.Issuer+" "+otherIssuer))), refusal.BadIssuer, trusting),
	}
}

// passedRows are about claims that are passed on.
func passedRows() []Row {
	passing := func(r *Row) { r.Expect.PassOn = []string{"org_id", "https://library.example/roles", "sub", `a"b`} }
	with := func(text string) func(*Row) { return says(func(c *token.Claims) { c.PassedOn = text }) }
	sub := `"sub":` + tokentest.Quote(tokentest.Subject) + `}`
	sized := func(size int) string {
		return strings.Repeat("x", size-len(`{"org_id":"",`)-len(sub))
	}
	return []Row{
		Given("claims are passed on only if they are named", Claims(Also("org_id", `"o"`)), Accepted),
		Given("a claim of each type is passed on", Claims(Also("https://library.example/roles", `[ "a", {"b": null, "c" : 1.50} ]`), Also("org_id", `true`)), Accepted, passing,
			with(`{"org_id":true,"https://library.example/roles":["a",{"b":null,"c":1.50}],`+sub)),
		Given("a number keeps its digits", Claims(Also("org_id", "12345678901234567890.10e+02")), Accepted, passing, with(`{"org_id":12345678901234567890.10e+02,`+sub)),
		Given("a claim with an escape in its name", Claims(Also(`\u006frg_id`, `"\u00e9"`)), Accepted, passing, with(`{"org_id":"\u00e9",`+sub)),
		Given("a claim with a quotation mark in its name", Claims(Also(`a\"b`, `0`)), Accepted, passing, with(`{`+strings.TrimSuffix(sub, "}")+`,"a\"b":0}`)),
		Given("a null claim is absent", Claims(Also("org_id", "null")), Accepted, passing, with(`{`+sub)),
		Given("nothing to pass on", tokentest.Valid(), Accepted, func(r *Row) { r.Expect.PassOn = []string{"org_id"} }),
		Given("claims of 4096 bytes", Claims(Also("org_id", tokentest.Quote(sized(4096)))), Accepted, passing, with(`{"org_id":"`+sized(4096)+`",`+sub)),
		Given("claims of 4097 bytes", Claims(Also("org_id", tokentest.Quote(sized(4097)))), refusal.ClaimsTooLarge, passing),
		Given("claims of 4096 bytes with white space in them", Claims(Also("org_id", `[ `+tokentest.Quote(sized(4094))+` ]`)), Accepted, passing, with(`{"org_id":["`+sized(4094)+`"],`+sub)),
		Given("large claims that are not named", Claims(Also("groups", tokentest.Quote(strings.Repeat("x", 5000)))), Accepted, passing, with(`{`+sub)),
	}
}

// algorithmRows present every algorithm's signature under every header with every key.
func algorithmRows() []Row {
	all := signature.Algorithms()
	allowing := func(algorithms ...signature.Algorithm) func(*Row) {
		return func(r *Row) {
			r.Expect.Algorithms = algorithms
			r.OwnKeys = true
			r.Key = func(_, kid string, _ *signature.Key) (*signature.Key, error) {
				return tokentest.Key(signature.Algorithm(kid)), nil
			}
		}
	}
	payload := tokentest.Payload().JSON()
	header := func(alg, kid signature.Algorithm) []byte {
		return tokentest.Header(string(kid)).With("alg", tokentest.Quote(string(alg))).JSON()
	}
	mismatch := func(r *Row) { r.Mismatch = true }
	var rows []Row
	for _, key := range all {
		rows = append(rows,
			Given(fmt.Sprintf("%s, where it is allowed", key), tokentest.SignAs(key, header(key, key), payload), Accepted, allowing(key), says(func(c *token.Claims) { c.KeyID = string(key) })),
			Given(fmt.Sprintf("%s among all", key), tokentest.SignAs(key, header(key, key), payload), Accepted, allowing(all...), says(func(c *token.Claims) { c.KeyID = string(key) })))
		for _, alg := range all {
			if alg != key {
				rows = append(rows,
					Given(fmt.Sprintf("%s, where %s is allowed", alg, key), tokentest.SignAs(alg, header(alg, key), payload), refusal.UnsupportedAlg, allowing(key)),
					// The header is refused because of the key, not because of the settings.
					Given(fmt.Sprintf("header %s with a key for %s", alg, key), tokentest.SignAs(key, header(alg, key), payload), refusal.UnsupportedAlg, allowing(all...), mismatch),
					Given(fmt.Sprintf("signature %s with a key for %s", alg, key), tokentest.SignAs(alg, header(key, key), payload), refusal.BadSignature, allowing(all...)))
			}
		}
		good := tokentest.SignAs(key, header(key, key), payload)
		length := len(signatureOf(good))
		rows = append(rows,
			Given(fmt.Sprintf("%s with a signature of zeros", key), Unsigned(good)+strings.Repeat("A", length), refusal.BadSignature, allowing(all...)),
			Given(fmt.Sprintf("%s with a longer signature", key), Unsigned(good)+"AAAA"+signatureOf(good), refusal.BadSignature, allowing(all...)),
			Given(fmt.Sprintf("%s with a shorter signature", key), Unsigned(good)+signatureOf(good)[4:], refusal.BadSignature, allowing(all...)),
			Given(fmt.Sprintf("%s over another token", key), Unsigned(tokentest.SignAs(key, header(key, key), []byte(apply(tokentest.Payload(), []Edit{Set("sub", `"x"`)}))))+signatureOf(good), refusal.BadSignature, allowing(all...)),
			Given(fmt.Sprintf("alg none, where %s is allowed", key), Unsigned(tokentest.SignAs(key, header("none", key), payload)), refusal.UnsupportedAlg, allowing(key)),
			Given(fmt.Sprintf("alg HS256, where %s is allowed", key), tokentest.SignAs(key, header("HS256", key), payload), refusal.UnsupportedAlg, allowing(all...)))
	}
	return append(rows,
		Given("PS256 with a salt of 20 bytes", pssWithSalt(header(signature.PS256, signature.PS256), payload, 20), refusal.BadSignature, allowing(all...)),
		Given("PS256 with a salt of 222 bytes", pssWithSalt(header(signature.PS256, signature.PS256), payload, 222), refusal.BadSignature, allowing(all...)),
		Given("PS256 without a salt", pssWithSalt(header(signature.PS256, signature.PS256), payload, 0), refusal.BadSignature, allowing(all...)),
		Given("ES256 with the signature in ASN.1", es256InASN1(header(signature.ES256, signature.ES256), payload), refusal.BadSignature, allowing(all...)))
}
