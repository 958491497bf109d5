package issuer

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
)

// keyBits is Auth0's key size, and the least that RS256 allows: RFC 7518 section 3.3.
const keyBits = 2048

// keyRing is the keys at one moment. It is never changed, only replaced.
type keyRing struct {
	current  *key   // signs
	next     *key   // is published, for verifiers to know it before it signs
	previous []*key // signed, and are published until revoked; latest first
}

// key is one RSA key with its public face.
type key struct {
	id      string
	private *rsa.PrivateKey
	public  jsonWebKey
}

// jsonWebKey is a public key as Auth0 publishes it, but for the certificate around it,
// which verifiers do not need: RFC 7517 section 4 for the members, RFC 7518 section 6.3.1
// for n and e.
type jsonWebKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
}

// newKeyRing generates a current and a next key.
func newKeyRing() (*keyRing, error) {
	current, err := newKey()
	if err != nil {
		return nil, err
	}
	next, err := newKey()
	return &keyRing{current: current, next: next}, err
}

// rotated returns the ring one rotation later.
func (r *keyRing) rotated() (*keyRing, error) {
	next, err := newKey()
	if err != nil {
		return nil, err
	}
	return &keyRing{current: r.next, next: next, previous: append([]*key{r.current}, r.previous...)}, nil
}

// published is the JSON Web Key Set, in Auth0's order.
func (r *keyRing) published() []jsonWebKey {
	set := []jsonWebKey{r.current.public, r.next.public}
	for _, k := range r.previous {
		set = append(set, k.public)
	}
	return set
}

func newKey() (*key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("issuer: generate a signing key: %w", err)
	}
	// As long as Auth0's. It names a key and need not be secret, only unique.
	id := rand.Text()[:21]
	return &key{id: id, private: private, public: jsonWebKey{
		Type:      "RSA",
		Use:       "sig",
		Modulus:   base64.RawURLEncoding.EncodeToString(private.N.Bytes()),
		Exponent:  base64.RawURLEncoding.EncodeToString(big.NewInt(int64(private.E)).Bytes()),
		ID:        id,
		Algorithm: "RS256",
	}}, nil
}
