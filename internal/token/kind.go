package token

import (
	"time"

	"account-api/internal/refusal"
)

// mark is a claim that tells another kind of token from an access token. A provider
// signs ID, refresh and logout tokens with the same key (RFC 8725, sections 2.8 and 3.12).
type mark struct {
	claim  string
	access string            // the value in an access token; "" if an access token has no such claim
	kind   string            // without access: the kind of token that has the claim
	kinds  map[string]string // with access: kinds of token by value
}

const (
	idToken      = "an ID token"
	refreshToken = "a refresh token"
	logoutToken  = "a logout token"
)

// marks are two claims that name the kind of token at other providers than Auth0, and the
// claims that Auth0's access tokens never have. Auth0 lets no custom claim take their names:
// https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims
var marks = [...]mark{
	// https://github.com/keycloak/keycloak/blob/main/core/src/main/java/org/keycloak/util/TokenUtil.java
	{claim: "typ", access: "Bearer", kinds: map[string]string{
		"ID": idToken, "Refresh": refreshToken, "Offline": refreshToken, "Logout": logoutToken,
	}},
	// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
	{claim: "token_use", access: "access", kinds: map[string]string{"id": idToken}},
	{claim: "nonce", kind: idToken},      // OpenID Connect Core 1.0, section 2
	{claim: "at_hash", kind: idToken},    // OpenID Connect Core 1.0, section 3.3.2.11
	{claim: "c_hash", kind: idToken},     // the same
	{claim: "s_hash", kind: idToken},     // FAPI 1.0 part 2, section 5.1
	{claim: "events", kind: logoutToken}, // OpenID Connect Back-Channel Logout 1.0, section 2.4; RFC 8417
}

// checkTokenKind refuses every kind of token other than an access token.
func checkTokenKind(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	for i := range marks {
		if v := t.claims.marks[i]; v != nil {
			if seems := marks[i].seems(v); seems != "" {
				return refusal.New(refusal.WrongKind, "expected an access token, got %s; send the access token instead", seems)
			}
		}
	}
	return nil
}

// seems says what a token with this value seems to be, and why. It is empty if an access
// token may have the value. It quotes only values that the table has.
func (m *mark) seems(v value) string {
	if m.access == "" {
		return m.kind + ": has " + m.claim
	}
	text, _ := v.text()
	if string(text) == m.access {
		return ""
	}
	if kind := m.kinds[string(text)]; kind != "" {
		return kind + ": " + m.claim + " is " + string(text)
	}
	return "another kind of token: " + m.claim + " is not " + m.access
}
