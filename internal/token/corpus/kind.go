package corpus

import (
	"fmt"

	"account-api/internal/refusal"
	"account-api/internal/token/tokentest"
)

// kindRows are about other kinds of token. Issuer, audience and key are those of an
// access token (RFC 8725, section 2.8).
func kindRows() []Row {
	client := Set("aud", `"client"`)
	rows := []Row{
		// Auth0.
		Given("an ID token for its client, with nonce and at_hash", Claims(client, Drop("scope"), Also("nonce", `"n"`), Also("at_hash", `"h"`), Also("sid", `"s"`)), refusal.WrongKind),
		Given("an ID token for its client, with nonce", Claims(client, Drop("scope"), Also("nonce", `"n"`)), refusal.WrongKind),
		Given("an ID token for its client, without a mark", Claims(client, Drop("scope"), Also("sid", `"s"`)), refusal.BadAudience),
		Given("an ID token for our audience, with nonce and no at_hash", Claims(Also("nonce", `"n"`)), refusal.WrongKind),
		Given("an ID token of the hybrid flow", Claims(Also("nonce", `"n"`), Also("c_hash", `"h"`), Also("s_hash", `"h"`)), refusal.WrongKind),
		Given("an ID token whose nonce comes first", RawPayload(`{"nonce":"n",`+tokentest.Payload().String()[1:]), refusal.WrongKind),
		Given("a back-channel logout token", Claims(Drop("scope"), Also("events", `{"http://schemas.openid.net/event/backchannel-logout":{}}`), Also("sid", `"s"`)), refusal.WrongKind),
		Given("a security event token", Claims(Also("events", `{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{}}`)), refusal.WrongKind),
		Given("an expired ID token", Claims(Set("exp", In(-1)), Also("nonce", `"n"`)), refusal.WrongKind),
		Given("an ID token of another issuer", Claims(Set("iss", `"https://evil.example/"`), Also("nonce", `"n"`)), refusal.BadIssuer),

		// Cognito.
		Given("token_use access, with an audience from a trigger", Claims(Also("token_use", `"access"`), Also("client_id", `"x"`)), Accepted),
		Given("token_use id", Claims(Drop("scope"), Also("token_use", `"id"`), Also("cognito:username", `"x"`)), refusal.WrongKind),

		// Keycloak.
		Given("payload typ Bearer", Claims(Also("typ", `"Bearer"`)), Accepted),
		Given("payload typ Bearer with an escape", Claims(Also("typ", `"\u0042earer"`)), Accepted),
		Given("payload typ Bearer with a nonce", Claims(Also("typ", `"Bearer"`), Also("nonce", `"n"`)), refusal.WrongKind),
		Given("payload typ ID with all that goes with it", Claims(Before("typ", `"ID"`), Also("nonce", `"n"`), Also("at_hash", `"h"`)), refusal.WrongKind),
		Given("payload typ ID behind an escape in its name", Claims(Also(`t\u0079p`, `"ID"`)), refusal.WrongKind),
		Given("payload typ DPoP with cnf", Claims(Also("typ", `"DPoP"`), Also("cnf", `{"jkt":"AAAA"}`)), refusal.SenderConstrained),

		Given("marks in other letter case", Claims(Also("Nonce", "1"), Also("TYP", `"ID"`), Also("Token_Use", `"id"`), Also("Events", "{}")), Accepted),
		Given("marks within another claim", Claims(Also("a", `{"nonce":"n","typ":"ID","token_use":"id","events":{}}`)), Accepted),
	}
	for _, typ := range []string{"ID", "Refresh", "Offline", "Logout", "DPoP", "execute-actions", "Serialized-ID", "at+jwt", "JWT", "", "bearer", "BEARER", " Bearer", "Bearer\u0000"} {
		rows = append(rows, Given(fmt.Sprintf("payload typ %q", typ), Claims(Also("typ", tokentest.Quote(typ))), refusal.WrongKind))
	}
	for _, use := range []string{"ID", "Access", "refresh", "", "access "} {
		rows = append(rows, Given(fmt.Sprintf("token_use %q", use), Claims(Also("token_use", tokentest.Quote(use))), refusal.WrongKind))
	}
	for _, mark := range []string{"typ", "token_use", "nonce", "at_hash", "c_hash", "s_hash", "events"} {
		rows = append(rows, Given(mark+" as null", Claims(Also(mark, "null")), Accepted))
		for _, form := range []string{`"x"`, `""`, "1", "0", "false", "[]", `["Bearer"]`, `["access"]`, "{}"} {
			rows = append(rows, Given(mark+" as "+form, Claims(Also(mark, form)), refusal.WrongKind))
		}
	}
	return rows
}
