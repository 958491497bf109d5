// Package signature verifies the signature of a JWS (RFC 7515) under a public key whose
// algorithm is fixed. Nothing in a token chooses the algorithm. It checks no key: package jwks
// decides which keys are good enough.
package signature

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Algorithm is the name of an algorithm in a JWK or a JOSE header (RFC 7518, section 3.1; RFC
// 8037, section 3.1). The constants are all that exist here. None is symmetric.
type Algorithm string

const (
	RS256 Algorithm = "RS256" // RSASSA-PKCS1-v1_5 with SHA-256
	PS256 Algorithm = "PS256" // RSASSA-PSS with SHA-256 and a salt of 32 bytes
	ES256 Algorithm = "ES256" // ECDSA on P-256 with SHA-256
	EdDSA Algorithm = "EdDSA" // Ed25519
)

// Algorithms are all of them, the default first.
func Algorithms() []Algorithm { return []Algorithm{RS256, PS256, ES256, EdDSA} }

// Key is a provider's public key and the one algorithm that it is for.
type Key struct {
	Algorithm Algorithm
	Public    crypto.PublicKey // an *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// Equal reports whether both are the same key for the same algorithm.
func (k *Key) Equal(other *Key) bool {
	public, ok := k.Public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Algorithm == other.Algorithm && public.Equal(other.Public)
}

// Verify returns nil if the signature of input was made with the key's private half.
func (k *Key) Verify(input, signature []byte) error {
	return verifiers[k.Algorithm](input, signature, k.Public)
}

var verifiers = map[Algorithm]func(input, signature []byte, key any) error{
	RS256: library(jwa.RS256), PS256: verifyPSS, ES256: library(jwa.ES256), EdDSA: library(jwa.EdDSA),
}

func library(algorithm jwa.SignatureAlgorithm) func(input, signature []byte, key any) error {
	verifier, err := jws.NewVerifier(algorithm)
	if err != nil {
		panic("signature: jwx no longer offers " + string(algorithm) + ": " + err.Error())
	}
	return verifier.Verify
}

// verifyPSS demands a salt as long as the hash (RFC 7518, section 3.5). jwx accepts any.
func verifyPSS(input, signature []byte, key any) error {
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return errors.New("expected an RSA key")
	}
	digest := sha256.Sum256(input)
	return rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
}

// Known reports whether name is one of [Algorithms].
func Known(name string) bool { return slices.Contains(Algorithms(), Algorithm(name)) }
