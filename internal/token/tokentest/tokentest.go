// Package tokentest builds tokens, keys and key sets for tests, byte by byte. A header or
// payload is any bytes at all and the signature over them is real; a JWT library would refuse
// to write what an attacker sends. It must never be linked into a function.
package tokentest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"
)

// The configuration and the moment for which [Payload] is valid.
const (
	Issuer   = "https://issuer.example/"
	Audience = "https://library.example/books"
	Client   = "nightly-inventory"
	Subject  = Client + "@clients"
	Scope    = "read:books"

	// Unix is [Now] in seconds, round enough to recognise in a failure message.
	Unix = 1_700_000_000
)

// Now is the moment at which fixtures are valid: issued 10 s ago, good for a day.
func Now() time.Time { return time.Unix(Unix, 0).UTC() }

// Header is the JOSE header of a good token that names the key kid.
func Header(kid string) Object {
	return Object{{"alg", `"RS256"`}, {"typ", `"JWT"`}, {"kid", Quote(kid)}}
}

// Payload is the claim set that the provider issues to a machine-to-machine
// client, valid at [Now] for [Issuer] and [Audience].
func Payload() Object {
	return Object{
		{"iss", Quote(Issuer)},
		{"sub", Quote(Subject)},
		{"aud", Quote(Audience)},
		{"iat", "1699999990"},
		{"exp", "1700086400"},
		{"azp", Quote(Client)},
		{"scope", Quote(Scope)},
		{"gty", `"client-credentials"`},
	}
}

// Valid is [Payload] under [Header] "k1", signed with [K1].
func Valid() string { return Sign(Header("k1").JSON(), Payload().JSON(), K1()) }

// Sign returns the compact serialization (RFC 7515, section 7.1) of header and
// payload, which need not be JSON, signed with RS256 whatever the header says.
func Sign(header, payload []byte, key *rsa.PrivateKey) string {
	input := Segment(header) + "." + Segment(payload)
	return input + "." + Segment(Signature(input, key))
}

// Signature signs a signing input as it stands with RS256 (RFC 7518, section 3.3).
func Signature(input string, key *rsa.PrivateKey) []byte {
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		panic("tokentest: sign: " + err.Error())
	}
	return signature
}

// Segment encodes one part of a token (base64url without padding).
func Segment(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

var k1, k2, k3 = sync.OnceValue(generate), sync.OnceValue(generate), sync.OnceValue(generate)

// K1 is the provider's current signing key, published as "k1".
func K1() *rsa.PrivateKey { return k1() }

// K2 is the provider's next signing key, published as "k2".
func K2() *rsa.PrivateKey { return k2() }

// K3 is a key that the provider does not know: the attacker's.
func K3() *rsa.PrivateKey { return k3() }

// generate makes a key on first use. A private key in the repository would trip secret
// scanners. Signatures are therefore worth nothing in another process: a fuzz target signs
// what it is given.
func generate() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("tokentest: generate an RSA key: " + err.Error())
	}
	return key
}
