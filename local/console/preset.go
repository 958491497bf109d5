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
	Hint  string // the status, which hop answers, and why
	// value makes the value of the header for the token that the form describes; ""
	// sends no header.
	value func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error)
}

// otherAudience is the audience of no API.
const otherAudience = "https://other.example.com/"

// pasted is a token that the page adds to the request without the console.
var pasted = preset{"pasted", "The token below", "It goes from this page to the API and nowhere else.", nil}

// without is a request that needs no token.
var without = preset{"without", "No Authorization header", "401 by the gateway: it does not invoke the authorizer.",
	func(*Console, *issuer.Issuer, issuer.TokenRequest) (string, error) { return "", nil }}

// good is the token that the form describes.
var good = preset{"good", "A good token", "200 or 403: the token is valid, and the policy decides by its claims.",
	bearer(func(token string) (string, error) { return token, nil })}

// former is a token as it is in use after a rotation: its key signs no longer.
var former = preset{"former", "Signed with the former key", "200 or 403: a former key stays published until it is revoked. If there is none, the keys are rotated.",
	func(_ *Console, i *issuer.Issuer, r issuer.TokenRequest) (string, error) {
		token, err := i.FormerToken(r)
		if err == nil && token == "" {
			if _, err = i.Rotate(); err == nil {
				token, err = i.FormerToken(r)
			}
		}
		return "Bearer " + token, err
	}}

// broken are tokens of the local issuer that differ from the good one in what their title
// says.
var broken = []preset{
	{"expired", "Expired an hour ago", "401: the authorizer compares exp with the clock.",
		asking(func(r *issuer.TokenRequest) { r.TTL = -time.Hour })},
	{"audience", "For another audience", "401: the authorizer expects the audience of this API.",
		asking(func(r *issuer.TokenRequest) { r.Audience = otherAudience })},
	{"issuer", "Of another issuer", "401: its iss and its key are another issuer's.", foreign},
	{"claims", "Claims changed after signing", "401: the signature covers the claims.",
		bearer(editPayload(func(claims map[string]any) { claims["sub"] = "somebody-else" }))},
	{"signature", "Signature tampered with", "401: the key has not made it.", bearer(tamper)},
	{"none", `"alg": "none", no signature`, "401 by the gateway: the validation expression takes three parts.",
		bearer(func(token string) (string, error) {
			token, err := editHeader(func(header map[string]any) { header["alg"] = "none" })(token)
			return token[:strings.LastIndexByte(token, '.')+1], err
		})},
	{"nonesigned", `"alg": "none", signature kept`, "401: the authorizer accepts RS256 and nothing else.",
		bearer(editHeader(func(header map[string]any) { header["alg"] = "none" }))},
	{"symmetric", `"alg": "HS256"`, "401: the authorizer does not take a public key for a secret.",
		bearer(editHeader(func(header map[string]any) { header["alg"] = "HS256" }))},
	{"kid", "Unknown key ID", "401: the key set has no such key, even if fetched again.",
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

// presetsFor lists the presets of a stack.
func presetsFor(s Stack) []preset {
	if s.Issuer == nil {
		return []preset{pasted, without}
	}
	all := []preset{good, without}
	if e := s.Endpoint(); e.Denied != nil {
		request := e.Denied.Token()
		all = append(all, preset{"denied", "Denied: " + e.Denied.String(), "403 by " + e.Policy + ": the token is valid, and the policy denies this caller.",
			asking(func(r *issuer.TokenRequest) {
				request.TTL, request.Audience = r.TTL, r.Audience
				*r = request
			})})
	}
	all = append(all, former)
	return append(all, broken...)
}

// bearer makes a preset that changes the token that the form describes.
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

// asking makes a preset that asks the issuer for another token.
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

// foreign is the same token of an issuer that the API does not trust.
func foreign(c *Console, _ *issuer.Issuer, r issuer.TokenRequest) (string, error) {
	stranger, err := c.stranger()
	if err != nil {
		return "", err
	}
	token, err := stranger.Token(r)
	return "Bearer " + token, err
}

// tamper changes the first character of the signature. Not the last one, some of whose
// bits do not count (RFC 4648 section 3.5).
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
