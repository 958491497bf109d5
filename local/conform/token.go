package main

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// compact is the form of a signed token (RFC 7515, section 3.1).
var compact = regexp.MustCompile(`^[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+\.[-0-9A-Za-z_]+$`)

// checkToken tidies a token that a user gave, or says what is wrong with it without
// repeating it.
func checkToken(name, token string) (string, error) {
	token = strings.TrimSpace(token)
	switch {
	case token == "" || compact.MatchString(token):
		return token, nil
	case strings.HasPrefix(strings.ToLower(token), "bearer "):
		return "", fmt.Errorf("%s: expected the token alone, got it with its scheme: remove \"Bearer \"", name)
	default:
		return "", fmt.Errorf("%s: expected a token, three base64url parts with dots between, got something else", name)
	}
}

// hint guesses why a token is answered otherwise than foreseen.
func (t token) hint(a *answer) string {
	switch {
	case t.claims().expired():
		return "the token has expired: get a new one"
	case a.StatusCode == 401:
		return "is the token from the issuer, and for the audience, of this stack?"
	case a.StatusCode == 200 || a.StatusCode == 403:
		return "is the policy that is deployed there older than the one in this checkout?"
	}
	return ""
}

// forgery is a token that no API may accept.
type forgery struct {
	name, token string
	missing     string // as of a testCase
}

// Places in what [forge] returns.
const (
	unsigned = 1
	foreign  = 3
)

// forge makes tokens that are well-formed and worthless. With a good token it also
// makes those that come closest to it. They are signed by a key that exists only in
// this run, and none can be turned into a good one.
func forge(good string) ([]forgery, error) {
	// 2048 bits: what providers use (RFC 7518, section 3.3 demands as much).
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":"https://conform.example/","sub":"conform","aud":"https://conform.example/api","iat":%d,"exp":%d}`, now, now+300)
	embedded := fmt.Sprintf(`{"alg":"RS256","typ":"JWT","kid":"conform","jwk":{"kty":"RSA","kid":"conform","e":"AQAB","n":%q}}`, encode(key.N.Bytes()))
	f := []forgery{
		{name: "a token whose parts are no JSON", token: "Y29u.Zm9y.bQ"},
		{name: "a token that is not signed (alg none)", token: encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode([]byte(claims)) + ".AA"},
		{name: "a token signed with a password (HS256)", token: signHS256(`{"alg":"HS256","typ":"JWT","kid":"conform"}`, claims)},
		{name: "a token of another issuer", token: signRS256(key, `{"alg":"RS256","typ":"JWT","kid":"conform"}`, claims)},
		{name: "a token without a key ID", token: signRS256(key, `{"alg":"RS256","typ":"JWT"}`, claims)},
		{name: "a token that brings its own key", token: signRS256(key, embedded, claims)},
	}
	near := []string{"the token's claims signed by another key", "the token's claims not signed (alg none)", "the token with its payload rewritten", "the token with one bit of its signature changed", "the token with the signature of another one"}
	if good == "" {
		for _, name := range near {
			f = append(f, forgery{name: name, missing: "needs TOKEN"})
		}
		return f, nil
	}
	parts := strings.Split(good, ".")
	var decoded [3][]byte
	for i := range decoded {
		if decoded[i], err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			return nil, fmt.Errorf("expected a token of base64url parts, got a part %d that is none", i+1)
		}
	}
	resigned := signRS256(key, string(decoded[0]), string(decoded[1]))
	flipped := new(big.Int).Xor(new(big.Int).SetBytes(decoded[2]), big.NewInt(1)).FillBytes(make([]byte, len(decoded[2])))
	for i, token := range []string{
		resigned,
		encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + ".AA",
		parts[0] + "." + encode([]byte(" "+string(decoded[1]))) + "." + parts[2],
		parts[0] + "." + parts[1] + "." + encode(flipped),
		parts[0] + "." + parts[1] + "." + strings.Split(f[foreign].token, ".")[2],
	} {
		f = append(f, forgery{name: near[i], token: token})
	}
	return f, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func signRS256(key *rsa.PrivateKey, header, claims string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	digest := sha256.Sum256([]byte(signed))
	signature, _ := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]) // a digest of this size never fails
	return signed + "." + encode(signature)
}

func signHS256(header, claims string) string {
	signed := encode([]byte(header)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, []byte("password"))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}
