package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// headerRows are about the JOSE header: it may name a key, and nothing else.
func headerRows() []scenario {
	rows := []scenario{
		given("H01 alg none without a signature", unsigned(headers(set("alg", `"none"`))), refusal.UnsupportedAlg),
		given("H03 alg none with a good RS256 signature", headers(set("alg", `"none"`)), refusal.UnsupportedAlg),
		given("H04 alg missing", headers(drop("alg")), refusal.UnsupportedAlg),
		given("H05 alg HS256 with a good RS256 signature", headers(set("alg", `"HS256"`)), refusal.UnsupportedAlg),
		given("H10 a PS256 signature", signedPS256(), refusal.UnsupportedAlg),
		given("H10 a PS256 signature under alg RS256", relabelled(signedPS256()), refusal.BadSignature),
		given("H11 an ES256 signature", signedES256(), refusal.UnsupportedAlg),
		given("H13 kid missing", headers(drop("kid")), refusal.MissingKid),
		given("H14 kid empty", headers(set("kid", `""`)), refusal.MissingKid),
		given("H16 kid unknown", headers(set("kid", `"zz"`)), refusal.UnknownKid),
		given("H17 kid of 4 KiB", headers(set("kid", tokentest.Quote(strings.Repeat("k", 4<<10)))), refusal.MissingKid),
		given("H17 kid at the cap", headers(set("kid", tokentest.Quote(strings.Repeat("k", 256)))), refusal.UnknownKid),
		given("H17 kid one byte beyond the cap", headers(set("kid", tokentest.Quote(strings.Repeat("k", 257)))), refusal.MissingKid),
		given("H17 kid with a NUL", headers(set("kid", `"k1\u0000"`)), refusal.MissingKid),
		given("H17 kid with a line feed", headers(set("kid", `"k1\n"`)), refusal.MissingKid),
		given("kid with white space around", headers(set("kid", `" k1"`)), refusal.MissingKid),
		given("kid in other letter case", headers(set("kid", `"K1"`)), refusal.UnknownKid),
		given("kid as a number", headers(set("kid", "1")), refusal.MissingKid),
		given("kid as null", headers(set("kid", "null")), refusal.MissingKid),
		given("kid as an array", headers(set("kid", `["k1"]`)), refusal.MissingKid),
		given("kid with an escape", headers(set("kid", `"\u006b1"`)), accepted),

		given("H18 crit with an unknown extension", headers(also("crit", `["http://ex/x"]`), also("http://ex/x", "true")), refusal.UnsupportedHeader),
		given("H19 crit empty", headers(also("crit", "[]")), refusal.UnsupportedHeader),
		given("H20 crit with a registered header", headers(also("crit", `["alg"]`)), refusal.UnsupportedHeader),
		given("H20 crit with a duplicate", headers(also("crit", `["exp","exp"]`), also("exp", "1")), refusal.UnsupportedHeader),
		given("H20 crit with a number", headers(also("crit", "[1]")), refusal.UnsupportedHeader),
		given("H20 crit that is no array", headers(also("crit", `"exp"`)), refusal.UnsupportedHeader),
		given("H20 crit naming an absent header", headers(also("crit", `["exp"]`)), refusal.UnsupportedHeader),
		given("crit null", headers(also("crit", "null")), refusal.UnsupportedHeader),
		given("crit with an escape in its name", headers(also(`cr\u0069t`, `["x"]`)), refusal.UnsupportedHeader),
		given("H21 an unencoded payload", signedAsIs(tokentest.Segment(tokentest.Header("k1").Also("b64", "false").Also("crit", `["b64"]`).JSON())+"."+"{}"), refusal.UnsupportedHeader),
		given("H23 an embedded key of the attacker, signed with it", tokentest.Sign(tokentest.Header("k1").Also("jwk", tokentest.JWK("k1", tokentest.K3()).String()).JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.UnsupportedHeader),
		given("H25 a key set of the attacker, signed with it", tokentest.Sign(tokentest.Header("new").Also("jku", `"https://evil.example/jwks"`).JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.UnsupportedHeader),
		given("H26 a certificate chain of the attacker, signed with it", tokentest.Sign(tokentest.Header("k1").Also("x5c", `["AAAA"]`).JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.UnsupportedHeader),

		given("H29 typ absent", headers(drop("typ")), accepted),
		given("H31 typ a number", headers(set("typ", "1")), refusal.WrongType),
		given("H31 typ null", headers(set("typ", "null")), refusal.WrongType),
		given("H32 typ JWT where at+jwt is required", headers(), refusal.WrongType, accessTokenType),
		given("H32 typ absent where at+jwt is required", headers(drop("typ")), refusal.WrongType, accessTokenType),
		given("H32 typ at+jwt where it is required", headers(set("typ", `"at+jwt"`)), accepted, accessTokenType),
		given("H32 typ application/AT+JWT where it is required", headers(set("typ", `"application/AT+JWT"`)), accepted, accessTokenType),
		given("H33 alg twice, none first", headers(before("alg", `"none"`)), refusal.MalformedToken),
		given("H33 alg twice, none last", headers(also("alg", `"none"`)), refusal.MalformedToken),
		given("H33 alg twice, once with an escape", headers(also(`\u0061lg`, `"none"`)), refusal.MalformedToken),
		given("H33 kid twice", headers(also("kid", `"k1"`)), refusal.MalformedToken),
		given("H33 an unknown header twice", headers(also("foo", "1"), also("foo", "1")), refusal.MalformedToken),
		given("a name twice within a header's value", headers(also("foo", `{"a":1,"a":2}`)), refusal.MalformedToken),
		given("H35 ALG instead of alg", headers(drop("alg"), also("ALG", `"RS256"`)), refusal.UnsupportedAlg),
		given("H35 KID instead of kid", headers(drop("kid"), also("KID", `"k1"`)), refusal.MissingKid),
		given("H36 ALG next to alg", headers(also("ALG", `"none"`)), accepted),
		given("H37 cty at+jwt", headers(also("cty", `"at+jwt"`)), refusal.UnsupportedHeader),
		given("H39 an unknown header", headers(also("foo", "1")), accepted),
		given("an unknown header with structure", headers(also("foo", `{"a":[1,{"b":null}]}`)), accepted),

		given("x5t as a string", headers(also("x5t", `"AAAA"`), also("x5t#S256", `"AAAA"`)), accepted),
		given("x5t as a number", headers(also("x5t", "1")), refusal.UnsupportedHeader),
		given("x5t#S256 as null", headers(also("x5t#S256", "null")), refusal.UnsupportedHeader),
		given("iss in the header as in the claims", headers(also("iss", tokentest.Quote(tokentest.Issuer))), accepted),
		given("iss in the header unlike in the claims", headers(also("iss", `"https://evil.example/"`)), refusal.UnsupportedHeader),
		given("sub in the header unlike in the claims", headers(also("sub", `"evil"`)), refusal.UnsupportedHeader),
		given("aud in the header unlike in the claims", headers(also("aud", `["evil"]`)), refusal.UnsupportedHeader),
	}
	for _, alg := range []string{"None", "NONE", "nOnE", "none ", ""} {
		rows = append(rows, given(fmt.Sprintf("H02 alg %q", alg), headers(set("alg", tokentest.Quote(alg))), refusal.UnsupportedAlg))
	}
	for _, alg := range []string{"rs256", "RS256 ", " RS256", "Rs256", "RS256\u0000", "RS2560", "RS25"} {
		rows = append(rows, given(fmt.Sprintf("H06 alg %q", alg), headers(set("alg", tokentest.Quote(alg))), refusal.UnsupportedAlg))
	}
	for _, alg := range []string{"null", "256", "true", `["RS256"]`, `{"RS256":1}`} {
		rows = append(rows, given("alg as "+alg, headers(set("alg", alg)), refusal.UnsupportedAlg))
	}
	for name, secret := range publicKeySpellings() {
		rows = append(rows,
			given("H08 HS256 keyed with the public key as "+name, signedHS256("HS256", secret), refusal.UnsupportedAlg),
			given("H08 alg RS256 over an HMAC keyed with the public key as "+name, signedHS256("RS256", secret), refusal.BadSignature))
	}
	for alg, hash := range map[string]crypto.Hash{"RS384": crypto.SHA384, "RS512": crypto.SHA512} {
		rows = append(rows,
			given("H09 a real signature with "+alg, signedWith(alg, hash), refusal.UnsupportedAlg),
			given("H09 alg RS256 over a signature with "+alg, relabelled(signedWith(alg, hash)), refusal.BadSignature))
	}
	for _, alg := range []string{"PBES2-HS256+A128KW", "RSA-OAEP", "dir", "EdDSA", "ES256K", "PS256", "RS384"} {
		rows = append(rows, given("H12 alg "+alg+" over an RS256 signature", headers(set("alg", tokentest.Quote(alg))), refusal.UnsupportedAlg))
	}
	for _, kid := range []string{"../../dev/null", "' OR 1=1", "%00", "http://evil", "k1' UNION SELECT 'x"} {
		rows = append(rows, given("H17 kid "+kid, headers(set("kid", tokentest.Quote(kid))), refusal.UnknownKid))
	}
	for name, value := range map[string]string{
		"jwk": tokentest.JWK("k1", tokentest.K1()).String(), "jku": `"https://x/"`, "x5u": `"https://x/"`, "x5c": `["AAAA"]`, // H24
		"trust_chain": `["AAAA"]`,
		"zip":         `"DEF"`, "enc": `"A256GCM"`, "cty": `"JWT"`, // H27, H28, H37
		"epk": "{}", "apu": `"AA"`, "apv": `"AA"`, "iv": `"AA"`, "tag": `"AA"`, "p2s": `"AA"`, "p2c": "1000000",
		"b64": "true", "crit": `["b64"]`,
	} {
		rows = append(rows,
			given("H24 a good token with "+name, headers(also(name, value)), refusal.UnsupportedHeader),
			given("H24 a good token with "+name+" null", headers(before(name, "null")), refusal.UnsupportedHeader))
	}
	for _, typ := range []string{"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"} {
		rows = append(rows, given("H29 typ "+typ, headers(set("typ", tokentest.Quote(typ))), accepted))
	}
	for _, typ := range []string{"id_token+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "token-introspection+jwt", "JOSE", "JWS",
		"", " ", "JWT ", "xJWT", "JWTx", "application/", "application/application/jwt", "text/jwt", "at+jwt; charset=utf-8", "\u212aWT"} {
		rows = append(rows, given(fmt.Sprintf("H30 typ %q", typ), headers(set("typ", tokentest.Quote(typ))), refusal.WrongType))
	}
	return rows
}

// keyRows are about the one call of the key function and the signature.
func keyRows() []scenario {
	fails := func(err error) func(*scenario) {
		return keys(func(string) (*rsa.PublicKey, error) { return nil, err })
	}
	var typedNil *refusal.Error
	return []scenario{
		given("K25 a kid that the set knows in no key", headers(set("kid", `"absent"`)), refusal.UnknownKid),
		given("K34 the right kid over the attacker's signature", tokentest.Sign(tokentest.Header("k1").JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.BadSignature),
		given("K34 the other published key's signature", tokentest.Sign(tokentest.Header("k1").JSON(), tokentest.Payload().JSON(), tokentest.K2()), refusal.BadSignature),
		given("K39 the next key, already in use", tokentest.Sign(tokentest.Header("k2").JSON(), tokentest.Payload().JSON(), tokentest.K2()), accepted, says(func(c *token.Claims) { c.KeyID = "k2" })),
		given("a signature of one byte", unsigned(tokentest.Valid())+"AA", refusal.BadSignature),
		given("a signature two bytes too long", tokentest.Valid()+"AA", refusal.BadSignature),
		given("a signature of zeros", unsigned(tokentest.Valid())+tokentest.Segment(make([]byte, 256)), refusal.BadSignature),
		given("the signature of another token", unsigned(tokentest.Valid())+signatureOf(claims(set("sub", `"other"`))), refusal.BadSignature),
		given("a refusal of the key function passes through", tokentest.Valid(), refusal.KeyRejected, fails(refusal.New(refusal.KeyRejected, "too short"))),
		given("a wrapped refusal of the key function passes through", tokentest.Valid(), refusal.JWKSUnavailable, fails(fmt.Errorf("get evil: %w", refusal.New(refusal.JWKSUnavailable, "status 500")))),
		given("another error of the key function is a defect, and its text stays unseen", tokentest.Valid(), refusal.Internal, fails(errors.New("evil text"))),
		given("a nil refusal as error of the key function is a defect", tokentest.Valid(), refusal.Internal, fails(typedNil)),
		given("neither key nor error is a defect", tokentest.Valid(), refusal.Internal, fails(nil)),
		given("no key function is a defect", tokentest.Valid(), refusal.Internal, keys(nil)),
	}
}

// unsigned is a token up to and with the last dot.
func unsigned(compact string) string { return compact[:strings.LastIndexByte(compact, '.')+1] }

func signatureOf(compact string) string { return compact[strings.LastIndexByte(compact, '.')+1:] }

// relabelled puts the good header in place of the token's own.
func relabelled(compact string) string {
	return tokentest.Segment(tokentest.Header("k1").JSON()) + compact[strings.IndexByte(compact, '.'):]
}

func inputFor(alg string) string {
	return tokentest.Segment(tokentest.Header("k1").With("alg", tokentest.Quote(alg)).JSON()) + "." + tokentest.Segment(tokentest.Payload().JSON())
}

func signedWith(alg string, hash crypto.Hash) string {
	digest := hash.New()
	digest.Write([]byte(inputFor(alg)))
	return withSignature(inputFor(alg))(rsa.SignPKCS1v15(rand.Reader, tokentest.K1(), hash, digest.Sum(nil)))
}

func signedPS256() string {
	digest := sha256.Sum256([]byte(inputFor("PS256")))
	return withSignature(inputFor("PS256"))(rsa.SignPSS(rand.Reader, tokentest.K1(), crypto.SHA256, digest[:], nil))
}

func signedES256() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	digest := sha256.Sum256([]byte(inputFor("ES256")))
	return withSignature(inputFor("ES256"))(ecdsa.SignASN1(rand.Reader, key, digest[:]))
}

func signedHS256(alg string, secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(inputFor(alg)))
	return withSignature(inputFor(alg))(mac.Sum(nil), nil)
}

func withSignature(input string) func([]byte, error) string {
	return func(signature []byte, err error) string {
		if err != nil {
			panic(err)
		}
		return input + "." + tokentest.Segment(signature)
	}
}

// publicKeySpellings is k1's public key in every form in which a confused verifier
// might use it as an HMAC secret.
func publicKeySpellings() map[string][]byte {
	key := &tokentest.K1().PublicKey
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		panic(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki})
	return map[string][]byte{
		"PEM":                       text,
		"PEM without its last line": text[:len(text)-1],
		"PKCS #1 PEM":               pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(key)}),
		"DER":                       spki,
		"JWK":                       tokentest.JWK("k1", tokentest.K1()).JSON(),
		"modulus":                   key.N.Bytes(),
	}
}
