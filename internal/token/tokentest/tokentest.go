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
	"math/big"
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

var k1, k2, k3 = sync.OnceValue(keyOf(1627, 309)), sync.OnceValue(keyOf(1993, 1487)), sync.OnceValue(keyOf(2879, 2295))

// K1 is the provider's current signing key, published as "k1".
func K1() *rsa.PrivateKey { return k1() }

// K2 is the provider's next signing key, published as "k2".
func K2() *rsa.PrivateKey { return k2() }

// K3 is a key that the provider does not know: the attacker's.
func K3() *rsa.PrivateKey { return k3() }

// keyOf makes the key of two primes, 15·2^1020 + p and 14·2^1020 + q. Their form shows that they
// are no secret. Generating a key would take 0.1 s in each process.
func keyOf(p, q int64) func() *rsa.PrivateKey {
	return func() *rsa.PrivateKey {
		prime := func(lead, offset int64) *big.Int {
			return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(lead), 1020), big.NewInt(offset))
		}
		one := big.NewInt(1)
		key := &rsa.PrivateKey{Primes: []*big.Int{prime(15, p), prime(14, q)}}
		key.N, key.E = new(big.Int).Mul(key.Primes[0], key.Primes[1]), 65537
		totient := new(big.Int).Mul(new(big.Int).Sub(key.Primes[0], one), new(big.Int).Sub(key.Primes[1], one))
		key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), totient)
		key.Precompute()
		if err := key.Validate(); err != nil {
			panic("tokentest: make an RSA key: " + err.Error())
		}
		return key
	}
}
