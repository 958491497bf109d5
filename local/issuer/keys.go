package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
)

const (
	// keyBits is Auth0's key size, and the least that RS256 allows: RFC 7518 section 3.3.
	keyBits = 2048
	// keptRotations is how many former generations of keys stay published. A key set stays
	// small, however often keys are rotated: verifiers limit its size.
	keptRotations = 4
)

// keyRing is the keys at one moment. It is never changed, only replaced.
type keyRing struct {
	current  generation   // signs
	next     generation   // is published, for verifiers to know it before it signs
	previous []generation // signed, and are published until revoked or too old; latest first
}

// generation is a key for each algorithm, in their order.
type generation []*key

// key is a private key with its public face. It is for one algorithm (RFC 8725 section 3.1).
type key struct {
	id      string
	private crypto.Signer
	sign    func(private crypto.Signer, input []byte) ([]byte, error)
	public  jsonWebKey
}

// jsonWebKey is a public key as Auth0 publishes it, but for the certificate around it,
// which verifiers do not need: RFC 7517 section 4 for the members, RFC 7518 section 6 and
// RFC 8037 section 2 for those of the types.
type jsonWebKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Modulus   string `json:"n,omitempty"`
	Exponent  string `json:"e,omitempty"`
	Curve     string `json:"crv,omitempty"`
	X         string `json:"x,omitempty"`
	Y         string `json:"y,omitempty"`
	ID        string `json:"kid"`
	Algorithm string `json:"alg"`
}

// algorithms are those that a verifier may be set to: RFC 7518 section 3.1, RFC 8037
// section 3.1.
var algorithms = []struct {
	name     string
	generate func() (crypto.Signer, error)
	sign     func(private crypto.Signer, input []byte) ([]byte, error)
}{
	{"RS256", newRSA, signDigest(crypto.SHA256)},
	{"PS256", newRSA, signDigest(&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})},
	{"ES256", func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }, signECDSA},
	{"EdDSA", func() (crypto.Signer, error) {
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	},
		func(private crypto.Signer, input []byte) ([]byte, error) {
			return private.Sign(rand.Reader, input, crypto.Hash(0))
		}},
}

// Algorithms are the names of the algorithms that the issuer can sign with, the default first.
func Algorithms() []string {
	var names []string
	for _, a := range algorithms {
		names = append(names, a.name)
	}
	return names
}

func newRSA() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, keyBits) }

func signDigest(options crypto.SignerOpts) func(crypto.Signer, []byte) ([]byte, error) {
	return func(private crypto.Signer, input []byte) ([]byte, error) {
		digest := sha256.Sum256(input)
		return private.Sign(rand.Reader, digest[:], options)
	}
}

// signECDSA writes both numbers with 32 bytes each: RFC 7518 section 3.4.
func signECDSA(private crypto.Signer, input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	r, s, err := ecdsa.Sign(rand.Reader, private.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}

// newKeyRing generates a current and a next key for each algorithm.
func newKeyRing(names []string) (*keyRing, error) {
	current, err := generate(names)
	if err != nil {
		return nil, err
	}
	next, err := generate(names)
	return &keyRing{current: current, next: next}, err
}

// rotated returns the ring one rotation later.
func (r *keyRing) rotated(names []string) (*keyRing, error) {
	next, err := generate(names)
	if err != nil {
		return nil, err
	}
	previous := append([]generation{r.current}, r.previous[:min(len(r.previous), keptRotations-1)]...)
	return &keyRing{current: r.next, next: next, previous: previous}, nil
}

// published is the JSON Web Key Set, in Auth0's order.
func (r *keyRing) published() []jsonWebKey {
	var set []jsonWebKey
	for _, g := range append([]generation{r.current, r.next}, r.previous...) {
		for _, k := range g {
			set = append(set, k.public)
		}
	}
	return set
}

// keyIDs are the key IDs of generations.
func keyIDs(generations ...generation) []string {
	all := []string{}
	for _, g := range generations {
		for _, k := range g {
			all = append(all, k.id)
		}
	}
	return all
}

// of is the key for an algorithm, nil if there is none. No algorithm is the first.
func (g generation) of(algorithm string) *key {
	if algorithm == "" {
		return g[0]
	}
	if at := slices.IndexFunc(g, func(k *key) bool { return k.public.Algorithm == algorithm }); at >= 0 {
		return g[at]
	}
	return nil
}

func generate(names []string) (generation, error) {
	var g generation
	for _, name := range names {
		k, err := newKey(name)
		if err != nil {
			return nil, fmt.Errorf("issuer: generate a signing key: %w", err)
		}
		g = append(g, k)
	}
	return g, nil
}

func newKey(algorithm string) (*key, error) {
	a := algorithms[slices.Index(Algorithms(), algorithm)]
	private, err := a.generate()
	if err != nil {
		return nil, err
	}
	// As long as Auth0's. It names a key and need not be secret, only unique.
	k := &key{id: rand.Text()[:21], private: private, sign: a.sign}
	k.public, err = members(private.Public())
	k.public.Use, k.public.ID, k.public.Algorithm = "sig", k.id, algorithm
	return k, err
}

// members are those of a public key's type.
func members(public crypto.PublicKey) (jsonWebKey, error) {
	text := base64.RawURLEncoding.EncodeToString
	switch public := public.(type) {
	case *rsa.PublicKey:
		return jsonWebKey{Type: "RSA", Modulus: text(public.N.Bytes()), Exponent: text(big.NewInt(int64(public.E)).Bytes())}, nil
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, x and y: SEC 1, section 2.3.3
		if err != nil {
			return jsonWebKey{}, err
		}
		return jsonWebKey{Type: "EC", Curve: "P-256", X: text(point[1:33]), Y: text(point[33:])}, nil
	case ed25519.PublicKey:
		return jsonWebKey{Type: "OKP", Curve: "Ed25519", X: text(public)}, nil
	}
	return jsonWebKey{}, fmt.Errorf("expected a key of a known type, got %T", public)
}
