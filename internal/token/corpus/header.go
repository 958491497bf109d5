package corpus

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
	"math/big"
	"strings"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// headerRows are about the JOSE header: it may name a key, and nothing else.
func headerRows() []Row {
	rows := []Row{
		Given("alg none without a signature", Unsigned(Headers(Set("alg", `"none"`))), refusal.UnsupportedAlg),
		Given("alg none with a good RS256 signature", Headers(Set("alg", `"none"`)), refusal.UnsupportedAlg),
		Given("alg missing", Headers(Drop("alg")), refusal.UnsupportedAlg),
		Given("alg HS256 with a good RS256 signature", Headers(Set("alg", `"HS256"`)), refusal.UnsupportedAlg),
		Given("a PS256 signature", signedPS256(), refusal.UnsupportedAlg),
		Given("a PS256 signature under alg RS256", relabelled(signedPS256()), refusal.BadSignature),
		Given("an ES256 signature", signedES256(), refusal.UnsupportedAlg),
		Given("kid missing", Headers(Drop("kid")), refusal.MissingKid),
		Given("kid empty", Headers(Set("kid", `""`)), refusal.MissingKid),
		Given("kid unknown", Headers(Set("kid", `"zz"`)), refusal.UnknownKid),
		Given("kid of 4 KiB", Headers(Set("kid", tokentest.Quote(strings.Repeat("k", 4<<10)))), refusal.MissingKid),
		Given("kid at the cap", Headers(Set("kid", tokentest.Quote(strings.Repeat("k", 256)))), refusal.UnknownKid),
		Given("kid one byte beyond the cap", Headers(Set("kid", tokentest.Quote(strings.Repeat("k", 257)))), refusal.MissingKid),
		Given("kid with a NUL", Headers(Set("kid", `"k1\u0000"`)), refusal.MissingKid),
		Given("kid with a line feed", Headers(Set("kid", `"k1\n"`)), refusal.MissingKid),
		Given("kid with white space around", Headers(Set("kid", `" k1"`)), refusal.MissingKid),
		Given("kid in other letter case", Headers(Set("kid", `"K1"`)), refusal.UnknownKid),
		Given("kid as a number", Headers(Set("kid", "1")), refusal.MissingKid),
		Given("kid as null", Headers(Set("kid", "null")), refusal.MissingKid),
		Given("kid as an array", Headers(Set("kid", `["k1"]`)), refusal.MissingKid),
		Given("kid with an escape", Headers(Set("kid", `"\u006b1"`)), Accepted),

		Given("crit with an unknown extension", Headers(Also("crit", `["http://ex/x"]`), Also("http://ex/x", "true")), refusal.UnsupportedHeader),
		Given("crit empty", Headers(Also("crit", "[]")), refusal.UnsupportedHeader),
		Given("crit with a registered header", Headers(Also("crit", `["alg"]`)), refusal.UnsupportedHeader),
		Given("crit with a duplicate", Headers(Also("crit", `["exp","exp"]`), Also("exp", "1")), refusal.UnsupportedHeader),
		Given("crit with a number", Headers(Also("crit", "[1]")), refusal.UnsupportedHeader),
		Given("crit that is no array", Headers(Also("crit", `"exp"`)), refusal.UnsupportedHeader),
		Given("crit naming an absent header", Headers(Also("crit", `["exp"]`)), refusal.UnsupportedHeader),
		Given("crit null", Headers(Also("crit", "null")), refusal.UnsupportedHeader),
		Given("crit with an escape in its name", Headers(Also(`cr\u0069t`, `["x"]`)), refusal.UnsupportedHeader),
		Given("an unencoded payload", SignedAsIs(tokentest.Segment(tokentest.Header("k1").Also("b64", "false").Also("crit", `["b64"]`).JSON())+"."+"{}"), refusal.UnsupportedHeader),
		Given("an embedded key of the attacker, signed with it", tokentest.Sign(tokentest.Header("k1").Also("jwk", tokentest.JWK("k1", tokentest.K3()).String()).JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.UnsupportedHeader),
		Given("a key set of the attacker, signed with it", tokentest.Sign(tokentest.Header("new").Also("jku", `"https://evil.example/jwks"`).JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.UnsupportedHeader),
		Given("a certificate chain of the attacker, signed with it", tokentest.Sign(tokentest.Header("k1").Also("x5c", `["AAAA"]`).JSON(), tokentest.Payload().JSON(), tokentest.K3()), refusal.UnsupportedHeader),

		Given("typ absent", Headers(Drop("typ")), Accepted),
		Given("typ a number", Headers(Set("typ", "1")), refusal.WrongType),
		Given("typ null", Headers(Set("typ", "null")), refusal.WrongType),
		Given("typ JWT where at+jwt is required", Headers(), refusal.WrongKind, provider("rfc9068")),
		Given("typ absent where at+jwt is required", Headers(Drop("typ")), refusal.WrongKind, provider("rfc9068")),
		Given("typ at+jwt where it is required", Headers(Set("typ", `"at+jwt"`)), Accepted, provider("rfc9068"), says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		Given("typ application/AT+JWT where it is required", Headers(Set("typ", `"application/AT+JWT"`)), Accepted, provider("rfc9068"), says(func(c *token.Claims) { c.AuthorizedParty = "" })),
		Given("alg twice, none first", Headers(Before("alg", `"none"`)), refusal.MalformedToken),
		Given("alg twice, none last", Headers(Also("alg", `"none"`)), refusal.MalformedToken),
		Given("alg twice, once with an escape", Headers(Also(`\u0061lg`, `"none"`)), refusal.MalformedToken),
		Given("kid twice", Headers(Also("kid", `"k1"`)), refusal.MalformedToken),
		Given("an unknown header twice", Headers(Also("foo", "1"), Also("foo", "1")), refusal.MalformedToken),
		Given("a name twice within a header's value", Headers(Also("foo", `{"a":1,"a":2}`)), refusal.MalformedToken),
		Given("ALG instead of alg", Headers(Drop("alg"), Also("ALG", `"RS256"`)), refusal.UnsupportedAlg),
		Given("KID instead of kid", Headers(Drop("kid"), Also("KID", `"k1"`)), refusal.MissingKid),
		Given("ALG next to alg", Headers(Also("ALG", `"none"`)), Accepted),
		Given("cty at+jwt", Headers(Also("cty", `"at+jwt"`)), refusal.UnsupportedHeader),
		Given("an unknown header", Headers(Also("foo", "1")), Accepted),
		Given("an unknown header with structure", Headers(Also("foo", `{"a":[1,{"b":null}]}`)), Accepted),

		Given("x5t as a string", Headers(Also("x5t", `"AAAA"`), Also("x5t#S256", `"AAAA"`)), Accepted),
		Given("x5t as a number", Headers(Also("x5t", "1")), refusal.UnsupportedHeader),
		Given("x5t#S256 as null", Headers(Also("x5t#S256", "null")), refusal.UnsupportedHeader),
		Given("iss in the header as in the claims", Headers(Also("iss", tokentest.Quote(tokentest.Issuer))), Accepted),
		Given("iss in the header unlike in the claims", Headers(Also("iss", `"https://evil.example/"`)), refusal.UnsupportedHeader),
		Given("sub in the header unlike in the claims", Headers(Also("sub", `"evil"`)), refusal.UnsupportedHeader),
		Given("aud in the header unlike in the claims", Headers(Also("aud", `["evil"]`)), refusal.UnsupportedHeader),
	}
	for _, alg := range []string{"None", "NONE", "nOnE", "none ", ""} {
		rows = append(rows, Given(fmt.Sprintf("alg %q", alg), Headers(Set("alg", tokentest.Quote(alg))), refusal.UnsupportedAlg))
	}
	for _, alg := range []string{"rs256", "RS256 ", " RS256", "Rs256", "RS256\u0000", "RS2560", "RS25"} {
		rows = append(rows, Given(fmt.Sprintf("alg %q", alg), Headers(Set("alg", tokentest.Quote(alg))), refusal.UnsupportedAlg))
	}
	for _, alg := range []string{"null", "256", "true", `["RS256"]`, `{"RS256":1}`} {
		rows = append(rows, Given("alg as "+alg, Headers(Set("alg", alg)), refusal.UnsupportedAlg))
	}
	for name, secret := range publicKeySpellings() {
		rows = append(rows,
			Given("HS256 keyed with the public key as "+name, signedHS256("HS256", secret), refusal.UnsupportedAlg),
			Given("alg RS256 over an HMAC keyed with the public key as "+name, signedHS256("RS256", secret), refusal.BadSignature))
	}
	for alg, hash := range map[string]crypto.Hash{"RS384": crypto.SHA384, "RS512": crypto.SHA512} {
		rows = append(rows,
			Given("a real signature with "+alg, signedWith(alg, hash), refusal.UnsupportedAlg),
			Given("alg RS256 over a signature with "+alg, relabelled(signedWith(alg, hash)), refusal.BadSignature))
	}
	for _, alg := range []string{"PBES2-HS256+A128KW", "RSA-OAEP", "dir", "EdDSA", "ES256K", "PS256", "RS384"} {
		rows = append(rows, Given("alg "+alg+" over an RS256 signature", Headers(Set("alg", tokentest.Quote(alg))), refusal.UnsupportedAlg))
	}
	for _, kid := range []string{"../../dev/null", "' OR 1=1", "%00", "http://evil", "k1' UNION SELECT 'x"} {
		rows = append(rows, Given("kid "+kid, Headers(Set("kid", tokentest.Quote(kid))), refusal.UnknownKid))
	}
	for _, h := range []struct{ name, value string }{
		{"jwk", tokentest.JWK("k1", tokentest.K1()).String()}, {"jku", `"https://x/"`},
		{"x5u", `"https://x/"`}, {"x5c", `["AAAA"]`}, {"trust_chain", `["AAAA"]`},
		{"zip", `"DEF"`}, {"enc", `"A256GCM"`}, {"cty", `"JWT"`},
		{"epk", "{}"}, {"apu", `"AA"`}, {"apv", `"AA"`}, {"iv", `"AA"`}, {"tag", `"AA"`},
		{"p2s", `"AA"`}, {"p2c", "1000000"},
		{"crit", `["b64"]`}, {"b64", "true"},
	} {
		rows = append(rows,
			Given("a good token with "+h.name, Headers(Also(h.name, h.value)), refusal.UnsupportedHeader),
			Given("a good token with "+h.name+" null", Headers(Before(h.name, "null")), refusal.UnsupportedHeader))
	}
	for _, typ := range []string{"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "Application/JWT"} {
		rows = append(rows, Given("typ "+typ, Headers(Set("typ", tokentest.Quote(typ))), Accepted))
	}
	for _, typ := range []string{"id_token+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "token-introspection+jwt", "JOSE", "JWS",
		"", " ", "JWT ", "xJWT", "JWTx", "application/", "application/application/jwt", "text/jwt", "at+jwt; charset=utf-8", "\u212aWT"} {
		rows = append(rows, Given(fmt.Sprintf("typ %q", typ), Headers(Set("typ", tokentest.Quote(typ))), refusal.WrongType))
	}
	return rows
}

// keyRows are about the one call of the key function and the signature.
func keyRows() []Row {
	fails := func(err error) func(*Row) {
		return keys(func(string, string, *signature.Key) (*signature.Key, error) { return nil, err })
	}
	var typedNil *refusal.Error
	return []Row{
		Given("a kid that the set knows in no key", Headers(Set("kid", `"absent"`)), refusal.UnknownKid),
		Given("the right kid over the attacker's signature", Forged(), refusal.BadSignature),
		Given("the other published key's signature", tokentest.Sign(tokentest.Header("k1").JSON(), tokentest.Payload().JSON(), tokentest.K2()), refusal.BadSignature),
		Given("the next key, already in use", tokentest.Sign(tokentest.Header("k2").JSON(), tokentest.Payload().JSON(), tokentest.K2()), Accepted, says(func(c *token.Claims) { c.KeyID = "k2" })),
		Given("a signature of one byte", Unsigned(tokentest.Valid())+"AA", refusal.BadSignature),
		Given("a signature two bytes too long", tokentest.Valid()+"AA", refusal.BadSignature),
		Given("a signature of zeros", Unsigned(tokentest.Valid())+tokentest.Segment(make([]byte, 256)), refusal.BadSignature),
		Given("the signature of another token", Unsigned(tokentest.Valid())+signatureOf(Claims(Set("sub", `"other"`))), refusal.BadSignature),
		Given("a refusal of the key function passes through", tokentest.Valid(), refusal.KeyRejected, fails(refusal.New(refusal.KeyRejected, "too short"))),
		Given("a wrapped refusal of the key function passes through", tokentest.Valid(), refusal.JWKSUnavailable, fails(fmt.Errorf("get evil: %w", refusal.New(refusal.JWKSUnavailable, "status 500")))),
		Given("another error of the key function is a defect, and its text stays unseen", tokentest.Valid(), refusal.Internal, fails(errors.New("evil text"))),
		Given("a nil refusal as error of the key function is a defect", tokentest.Valid(), refusal.Internal, fails(typedNil)),
		Given("neither key nor error is a defect", tokentest.Valid(), refusal.Internal, fails(nil)),
		Given("no key function is a defect", tokentest.Valid(), refusal.Internal, keys(nil)),
	}
}

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

// pssWithSalt is signed as PS256, but for the salt's length.
func pssWithSalt(header, payload []byte, length int) string {
	input := tokentest.Segment(header) + "." + tokentest.Segment(payload)
	digest := sha256.Sum256([]byte(input))
	if length == 0 { // which Go takes for its own choice
		return input + "." + tokentest.Segment(pssWithoutSalt(digest[:]))
	}
	key := tokentest.Signer(signature.PS256).(*rsa.PrivateKey)
	return withSignature(input)(rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: length}))
}

// pssWithoutSalt is EMSA-PSS (RFC 8017, section 9.1.1) with an empty salt, and the private
// operation on it.
func pssWithoutSalt(digest []byte) []byte {
	key := tokentest.Signer(signature.PS256).(*rsa.PrivateKey)
	hash := sha256.Sum256(append(make([]byte, 8), digest...))
	masked := make([]byte, key.Size()-len(hash)-1)
	masked[len(masked)-1] = 1
	for counter, at := byte(0), 0; at < len(masked); counter++ {
		for _, b := range sha256.Sum256(append(hash[:], 0, 0, 0, counter)) {
			if at < len(masked) {
				masked[at] ^= b
				at++
			}
		}
	}
	masked[0] &= 0x7f // one bit less than the modulus
	encoded := append(append(masked, hash[:]...), 0xbc)
	power := new(big.Int).Exp(new(big.Int).SetBytes(encoded), key.D, key.N)
	return power.FillBytes(make([]byte, key.Size()))
}

// es256InASN1 has a signature in the encoding of X.509.
func es256InASN1(header, payload []byte) string {
	input := tokentest.Segment(header) + "." + tokentest.Segment(payload)
	digest := sha256.Sum256([]byte(input))
	return withSignature(input)(ecdsa.SignASN1(rand.Reader, tokentest.Signer(signature.ES256).(*ecdsa.PrivateKey), digest[:]))
}
