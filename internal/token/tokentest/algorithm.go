package tokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"sync"

	"account-api/internal/signature"
)

// signers are keys for one algorithm each. K1 is the one for RS256.
var signers = map[signature.Algorithm]func() crypto.Signer{
	signature.RS256: func() crypto.Signer { return K1() },
	signature.PS256: sync.OnceValue(func() crypto.Signer { return keyOf(3467, 2517)() }),
	signature.ES256: sync.OnceValue(func() crypto.Signer {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic("tokentest: generate a P-256 key: " + err.Error())
		}
		return key
	}),
	signature.EdDSA: sync.OnceValue(func() crypto.Signer {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			panic("tokentest: generate an Ed25519 key: " + err.Error())
		}
		return key
	}),
}

// Signer is the provider's key for an algorithm. It is published under the algorithm's name.
func Signer(algorithm signature.Algorithm) crypto.Signer { return signers[algorithm]() }

// Key is the public half of [Signer].
func Key(algorithm signature.Algorithm) *signature.Key {
	return &signature.Key{Algorithm: algorithm, Public: Signer(algorithm).Public()}
}

// AlgorithmKeySet publishes the key for every algorithm, each under the algorithm's name.
func AlgorithmKeySet() []byte {
	var keys []Object
	for _, algorithm := range signature.Algorithms() {
		keys = append(keys, AlgorithmJWK(string(algorithm), algorithm))
	}
	return JWKS(keys...)
}

// AlgorithmJWK is the public half of [Signer] as a JWK.
func AlgorithmJWK(kid string, algorithm signature.Algorithm) Object {
	own := Object{{"use", `"sig"`}, {"alg", Quote(string(algorithm))}, {"kid", Quote(kid)}}
	switch key := Signer(algorithm).Public().(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 4, then x and y
		if err != nil {
			panic("tokentest: encode a P-256 key: " + err.Error())
		}
		return own.Before("kty", `"EC"`).Also("crv", `"P-256"`).Also("x", Quote(Segment(point[1:33]))).Also("y", Quote(Segment(point[33:])))
	case ed25519.PublicKey:
		return own.Before("kty", `"OKP"`).Also("crv", `"Ed25519"`).Also("x", Quote(Segment(key)))
	}
	rsaKey := Signer(algorithm).(*rsa.PrivateKey)
	return JWK(kid, rsaKey).With("alg", Quote(string(algorithm)))
}

// SignAs returns the compact serialization of header and payload, signed with the algorithm
// and its key, whatever the header says.
func SignAs(algorithm signature.Algorithm, header, payload []byte) string {
	input := Segment(header) + "." + Segment(payload)
	return input + "." + Segment(SignatureAs(algorithm, input, Signer(algorithm)))
}

// SignatureAs signs a signing input with the algorithm and any key of its type.
func SignatureAs(algorithm signature.Algorithm, input string, key crypto.Signer) []byte {
	digest := sha256.Sum256([]byte(input))
	var made []byte
	var err error
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		r, s, failed := ecdsa.Sign(rand.Reader, key, digest[:])
		if err = failed; err == nil { // r and s with 32 bytes each (RFC 7518, section 3.4)
			made = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case ed25519.PrivateKey:
		made = ed25519.Sign(key, []byte(input))
	case *rsa.PrivateKey:
		if algorithm == signature.PS256 {
			made, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			made = Signature(input, key)
		}
	}
	if err != nil || made == nil {
		panic("tokentest: sign with " + string(algorithm))
	}
	return made
}
