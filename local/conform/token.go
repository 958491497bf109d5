package main

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"sync"
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

// foreignKey exists only in this run. It has 2048 bits, as providers' keys have (RFC 7518,
// section 3.3 demands as much).
var foreignKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// forge makes tokens that are well-formed and worthless. With a good token it also
// makes those that come closest to it. None can be turned into a good one.
func forge(good string) ([]forgery, error) {
	key, err := foreignKey()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	const named, none = `{"alg":"RS256","typ":"JWT","kid":"conform"}`, `{"alg":"none","typ":"JWT"}`
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":"https://conform.example/","sub":"conform","aud":"https://conform.example/api","iat":%d,"exp":%d}`, now, now+300)
	embedded := fmt.Sprintf(`{"alg":"RS256","typ":"JWT","kid":"conform","jwk":{"kty":"RSA","kid":"conform","e":"AQAB","n":%q}}`, encode(string(key.N.Bytes())))
	hs256 := encode(`{"alg":"HS256","typ":"JWT","kid":"conform"}`) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte("password"))
	mac.Write([]byte(hs256))
	forged := []forgery{
		{name: "a token whose parts are no JSON", token: "Y29u.Zm9y.bQ"},
		unsigned: {name: "a token that is not signed (alg none)", token: encode(none) + "." + encode(claims) + ".AA"},
		{name: "a token signed with a password (HS256)", token: hs256 + "." + encode(string(mac.Sum(nil)))},
		foreign: {name: "a token of another issuer", token: sign(key, encode(named)+"."+encode(claims))},
		{name: "a token without a key ID", token: sign(key, encode(`{"alg":"RS256","typ":"JWT"}`)+"."+encode(claims))},
		{name: "a token that brings its own key", token: sign(key, encode(embedded)+"."+encode(claims))},
	}
	missing := unless(good != "", "needs TOKEN")
	parts := strings.Split(cmp.Or(good, junk), ".")
	changed := "A" + parts[2][1:]
	if changed == parts[2] {
		changed = "B" + parts[2][1:]
	}
	return append(forged,
		forgery{"the token's claims signed by another key", sign(key, parts[0]+"."+parts[1]), missing},
		forgery{"the token's claims not signed (alg none)", encode(none) + "." + parts[1] + ".AA", missing},
		forgery{"the token with other claims", parts[0] + "." + encode(claims) + "." + parts[2], missing},
		forgery{"the token with its signature changed", parts[0] + "." + parts[1] + "." + changed, missing},
		forgery{"the token with the signature of another one", parts[0] + "." + parts[1] + "." + strings.Split(forged[foreign].token, ".")[2], missing},
	), nil
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign completes a token by RS256.
func sign(key *rsa.PrivateKey, signed string) string {
	digest := sha256.Sum256([]byte(signed))
	signature, _ := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]) // a digest of this size never fails
	return signed + "." + encode(string(signature))
}
