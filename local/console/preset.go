package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"account-api/local/issuer"
)

// preset is a kind of Authorization header to try.
type preset struct {
	ID    string
	Title string
	Hint  string // who is going to answer what, and why
	// value makes the header's value; "" sends none.
	value func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error)
}

// otherAudience is an API that nobody has.
const otherAudience = "https://other.example.com/"

// pasted is a token that the page adds to the request by itself.
var pasted = preset{"pasted", "The token below", "It goes from this page to the API and nowhere else.", nil}

// without is a request that needs no token.
var without = preset{"without", "No Authorization header", "401 by the gateway: the authorizer is not even invoked.",
	func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error) { return "", nil }}

// presets are tokens of the local issuer, the good one first. All the rest differ from
// it in what their title says.
var presets = []preset{
	{"good", "A good token", "200 or 403: the token is valid, and the Rego rule decides by its scopes.",
		bearer(func(token string) (string, error) { return token, nil })},
	without,
	{"scopeless", "No scope", "403 by the profile function: authenticated, and not authorised.",
		asking(func(r *issuer.TokenRequest) { r.Scopes = []string{} })},
	{"expired", "Expired an hour ago", "401: the authorizer compares exp with the clock.",
		asking(func(r *issuer.TokenRequest) { r.TTL = -time.Hour })},
	{"audience", "For another audience", "401: a token for one API is none for another.",
		asking(func(r *issuer.TokenRequest) { r.Audience = otherAudience })},
	{"issuer", "Of another issuer", "401: its iss is another's, and so is its key.", foreign},
	{"claims", "Claims changed after signing", "401: the signature covers the claims.",
		bearer(editPayload(func(claims map[string]any) { claims["scope"] = "get:profile admin:everything" }))},
	{"signature", "Signature tampered with", "401: it is not what the key has signed.", bearer(tamper)},
	{"none", `"alg": "none", no signature`, "401 by the gateway: the validation expression wants three parts.",
		bearer(func(token string) (string, error) {
			token, err := editHeader(func(header map[string]any) { header["alg"] = "none" })(token)
			return token[:strings.LastIndexByte(token, '.')+1], err
		})},
	{"nonesigned", `"alg": "none", signature kept`, "401: the authorizer accepts RS256 and nothing else.",
		bearer(editHeader(func(header map[string]any) { header["alg"] = "none" }))},
	{"symmetric", `"alg": "HS256"`, "401: no public key is taken for a secret.",
		bearer(editHeader(func(header map[string]any) { header["alg"] = "HS256" }))},
	{"kid", "Unknown key ID", "401: the key set has no such key, not even after asking again.",
		bearer(editHeader(func(header map[string]any) { header["kid"] = "../../no-such-key" }))},
	{"kidless", "No key ID", "401: the authorizer does not try out keys.",
		bearer(editHeader(func(header map[string]any) { delete(header, "kid") }))},
	{"lowercase", `"bearer" in lower case`, "401 by the gateway: the validation expression is case-sensitive.",
		spelled("bearer ")},
	{"spaces", "Two spaces after Bearer", "401 by the gateway: the expression allows one.", spelled("Bearer  ")},
	{"basic", "Basic instead of Bearer", "401 by the gateway: another scheme.", spelled("Basic ")},
	{"word", "Not a token at all", "401 by the gateway: not three parts between dots.",
		func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error) { return "Bearer not-a-token", nil }},
}

// presetsFor are those that a stack can make.
func presetsFor(s Stack) []preset {
	if s.Issuer == nil {
		return []preset{pasted, without}
	}
	return presets
}

// bearer makes a preset of what is to be done to a token.
func bearer(change func(token string) (string, error)) func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error) {
	return func(_ *Console, i *issuer.Issuer, r issuer.TokenRequest) (string, error) {
		token, err := i.Token(r)
		if err != nil {
			return "", err
		}
		token, err = change(token)
		return "Bearer " + token, err
	}
}

// asking makes a preset of what is to be asked of the issuer.
func asking(change func(*issuer.TokenRequest)) func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error) {
	return func(_ *Console, i *issuer.Issuer, r issuer.TokenRequest) (string, error) {
		change(&r)
		token, err := i.Token(r)
		return "Bearer " + token, err
	}
}

// spelled makes a preset of another scheme before a good token.
func spelled(scheme string) func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error) {
	return func(_ *Console, i *issuer.Issuer, r issuer.TokenRequest) (string, error) {
		token, err := i.Token(r)
		return scheme + token, err
	}
}

// foreign is a token that is as good as any, of an issuer that the API does not trust.
func foreign(c *Console, _ *issuer.Issuer, r issuer.TokenRequest) (string, error) {
	stranger, err := c.stranger()
	if err != nil {
		return "", err
	}
	token, err := stranger.Token(r)
	return "Bearer " + token, err
}

// tamper changes the first character of the signature: all bits of it count, which is
// not so for the last one (RFC 4648 section 3.5).
func tamper(token string) (string, error) {
	at := strings.LastIndexByte(token, '.') + 1
	other := "A"
	if token[at] == 'A' {
		other = "B"
	}
	return token[:at] + other + token[at+1:], nil
}

func editHeader(change func(map[string]any)) func(string) (string, error)  { return edit(0, change) }
func editPayload(change func(map[string]any)) func(string) (string, error) { return edit(1, change) }

// edit rewrites one part of a token and leaves the signature as it was.
func edit(part int, change func(map[string]any)) func(string) (string, error) {
	return func(token string) (string, error) {
		parts := strings.Split(token, ".")
		content, err := base64.RawURLEncoding.DecodeString(parts[part])
		if err != nil {
			return "", fmt.Errorf("console: part %d of the issuer's token: %w", part, err)
		}
		var object map[string]any
		if err := json.Unmarshal(content, &object); err != nil {
			return "", fmt.Errorf("console: part %d of the issuer's token: %w", part, err)
		}
		change(object)
		if content, err = json.Marshal(object); err != nil {
			return "", err
		}
		parts[part] = base64.RawURLEncoding.EncodeToString(content)
		return strings.Join(parts, "."), nil
	}
}
