package token

import (
	"slices"
	"strings"
	"time"

	"account-api/internal/refusal"
)

// profile is what the access tokens of one provider are like. A provider signs its ID, refresh
// and logout tokens with the same key (RFC 8725, sections 2.8 and 3.12).
type profile struct {
	name   string
	atJWT  bool     // header typ has to be at+jwt (RFC 9068, section 2.1)
	needs  []need   // claims that every access token has
	bars   []string // claims of an ID or logout token that no access token has
	dated  bool     // iat has to be there
	scopes string   // the claim with scopes …
	forms  string   // … and the first characters of its JSON forms: " for text, [ for an array

	audience    string // the claim that names this API
	permissions string // an array of permissions beside the scopes
	client      string // the client that obtained the token
	machine     string // the claim that is the principal if there is no sub
	noSubject   string // what to do if there is none
}

// need is a claim that has to be there: with this value, or with any. The claim or stands in.
type need struct{ claim, value, or string }

// profiles is the closed list. A provider that is not in it follows rfc9068, or this table is
// changed: there is no setting for single rules.
var profiles = [...]profile{
	{
		// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
		// No custom claim may take the name of those that are barred:
		// https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims
		name: "auth0", bars: []string{"nonce", "at_hash", "c_hash", "s_hash", "events"},
		audience: "aud", scopes: "scope", forms: `"`, permissions: "permissions", client: "azp",
	},
	{
		// https://developer.okta.com/docs/reference/api/oidc/#access-token
		name: "okta", needs: []need{{claim: "cid"}}, bars: []string{"nonce", "at_hash", "c_hash", "s_hash", "events"},
		audience: "aud", scopes: "scp", forms: `[`, client: "cid",
	},
	{
		// https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference
		// Its ID tokens have roles, but no azp:
		// https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference
		name: "entra", needs: []need{{claim: "ver", value: "2.0"}, {claim: "azp"}, {claim: "scp", or: "roles"}},
		audience: "aud", scopes: "scp", forms: `"`, permissions: "roles", client: "azp",
	},
	{
		// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
		name: "cognito", needs: []need{{claim: "token_use", value: "access"}},
		audience: "client_id", scopes: "scope", forms: `"`, client: "client_id",
	},
	{
		// https://github.com/keycloak/keycloak/blob/main/core/src/main/java/org/keycloak/util/TokenUtil.java
		// A mapper may put nonce into access tokens, and since version 25 sub comes from a
		// client scope: https://www.keycloak.org/docs/25.0.0/upgrading/
		name: "keycloak", needs: []need{{claim: "typ", value: "Bearer"}},
		audience: "aud", scopes: "scope", forms: `"`, client: "azp",
		noSubject: "give the client the client scope basic, which adds sub",
	},
	{
		// https://www.rfc-editor.org/rfc/rfc9068#section-2.2
		name: "rfc9068", atJWT: true, dated: true,
		audience: "aud", scopes: "scope", forms: `"`, client: "client_id",
		noSubject: "RFC 9068, section 2.2, requires it",
	},
	{
		// https://docs.duendesoftware.com/identityserver/tokens/
		// A token of the client credentials grant has no sub:
		// https://github.com/DuendeSoftware/Support/issues/888
		name: "duende", atJWT: true,
		audience: "aud", scopes: "scope", forms: `"[`, client: "client_id", machine: "client_id",
	},
}

// Providers are the names of the profiles, the default first.
func Providers() []string {
	var names []string
	for i := range profiles {
		names = append(names, profiles[i].name)
	}
	return names
}

// HasPermissions reports whether the tokens of a provider have permissions beside the scopes.
func HasPermissions(provider string) bool {
	p := profileOf(provider)
	return p != nil && p.permissions != ""
}

// profileOf returns the profile with this name, or nil. No name is the default's.
func profileOf(name string) *profile {
	if name == "" {
		return &profiles[0]
	}
	if at := slices.IndexFunc(profiles[:], func(p profile) bool { return p.name == name }); at >= 0 {
		return &profiles[at]
	}
	return nil
}

// marks are claims that tell what kind a token is: by their presence, or by their value.
var marks = [...]struct {
	claim, access string            // the value in an access token; none if access tokens lack the claim
	kind          string            // of a token with the claim, without access
	kinds         map[string]string // of a token with the value, with access
}{
	// Keycloak's, as above.
	{claim: "typ", access: "Bearer", kinds: map[string]string{
		"ID": idToken, "Refresh": refreshToken, "Offline": refreshToken, "Logout": logoutToken,
	}},
	// Cognito's, as above.
	{claim: "token_use", access: "access", kinds: map[string]string{"id": idToken}},
	{claim: "nonce", kind: idToken},      // OpenID Connect Core 1.0, section 2
	{claim: "at_hash", kind: idToken},    // OpenID Connect Core 1.0, section 3.3.2.11
	{claim: "c_hash", kind: idToken},     // the same
	{claim: "s_hash", kind: idToken},     // FAPI 1.0 part 2, section 5.1
	{claim: "events", kind: logoutToken}, // OpenID Connect Back-Channel Logout 1.0, section 2.4; RFC 8417
}

const (
	idToken      = "an ID token"
	refreshToken = "a refresh token"
	logoutToken  = "a logout token"
)

// checkTokenKind refuses every kind of token other than the profile's access tokens.
func checkTokenKind(_ *Verifier, t *unverified, _ time.Time) *refusal.Error {
	wrong := t.issuer.profile.objection(t)
	if wrong == "" {
		return nil
	}
	fix := "send the access token instead"
	if likely := t.likely(); likely != "" {
		fix = "the profile " + likely + " accepts such access tokens"
	}
	return refusal.New(refusal.WrongKind, "expected an access token, got %s; %s", wrong, fix)
}

// likely is the name of the profile that takes the token for an access token, if one does. The
// first profile takes what has no mark, so it counts only if something was granted.
func (t *unverified) likely() string {
	for i := range profiles[1:] {
		if p := &profiles[1+i]; p.objection(t) == "" && p.readsScopes(t) {
			return p.name
		}
	}
	granted := t.claims.has("scope") || t.claims.has("permissions")
	if p := &profiles[0]; granted && p.objection(t) == "" && p.readsScopes(t) {
		return p.name
	}
	return ""
}

// objection says what a token seems to be that the profile does not take for an access token,
// and why. It quotes only what the tables have.
func (p *profile) objection(t *unverified) string {
	if !t.claims.marked { // as usual
		return p.lacks(t)
	}
	seems := ""
	for i := range marks {
		m := &marks[i]
		v := t.claims.get(m.claim)
		switch text, _ := v.text(); {
		case v == nil:
		case m.access == "":
			seems = m.kind + ": has " + m.claim
			if slices.Contains(p.bars, m.claim) {
				return seems
			}
		case string(text) != m.access: // under every profile
			if kind := m.kinds[string(text)]; kind != "" {
				return kind + ": " + m.claim + " is " + string(text)
			}
			return "another kind of token: " + m.claim + " is not " + m.access
		}
	}
	lacks := p.lacks(t)
	if lacks != "" && seems != "" {
		return seems
	}
	return lacks
}

// lacks says what an access token of the profile has and the token has not.
func (p *profile) lacks(t *unverified) string {
	if p.atJWT && !t.header.atJWT {
		return "another kind of token: its header typ is not at+jwt"
	}
	for _, n := range p.needs {
		v := t.claims.get(n.claim)
		switch text, _ := v.text(); {
		case v == nil && n.or == "":
			return "another kind of token: has no " + n.claim
		case v == nil && !t.claims.has(n.or):
			return "another kind of token: has neither " + n.claim + " nor " + n.or
		case n.value != "" && string(text) != n.value:
			return "another kind of token: " + n.claim + " is not " + n.value
		}
	}
	return ""
}

// readsScopes reports whether the scopes, if there are any, have a form that the profile reads.
func (p *profile) readsScopes(t *unverified) bool {
	v := t.claims.get(p.scopes)
	return v == nil || strings.IndexByte(p.forms, v[0]) >= 0
}

func (p *profile) scopeForm() string {
	switch p.forms {
	case `[`:
		return "an array"
	case `"`:
		return "a string"
	}
	return "a string or an array"
}
