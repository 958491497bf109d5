package issuer

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"sync"
	"time"
)

// keyBits is Auth0's key size, and the least that RS256 allows: RFC 7518 section 3.3.
const keyBits = 2048

// certificateYears is how long an Auth0 tenant's certificates last. Nothing here looks
// at it: tokens are verified with the key, not with the certificate around it.
const certificateYears = 13

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

// jsonWebKey is a public key as Auth0 publishes it: RFC 7517 section 4 for the members,
// RFC 7518 section 6.3.1 for n and e.
type jsonWebKey struct {
	Type         string   `json:"kty"`
	Use          string   `json:"use"`
	Modulus      string   `json:"n"`
	Exponent     string   `json:"e"`
	ID           string   `json:"kid"`
	Thumbprint   string   `json:"x5t"`
	Certificates []string `json:"x5c"`
	Algorithm    string   `json:"alg"`
}

// newKeyRing generates a current and a next key at the same time.
func newKeyRing(now time.Time) (*keyRing, error) {
	var (
		ring       keyRing
		nextErr    error
		generating sync.WaitGroup
	)
	generating.Go(func() { ring.next, nextErr = newKey(now) })
	current, err := newKey(now)
	generating.Wait()
	if err != nil {
		return nil, err
	}
	ring.current = current
	return &ring, nextErr
}

// rotated returns the ring one rotation later.
func (r *keyRing) rotated(now time.Time) (*keyRing, error) {
	next, err := newKey(now)
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

func newKey(now time.Time) (*key, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("issuer: generate a signing key: %w", err)
	}
	// As long as Auth0's. It names a key and need not be secret, only unique.
	id := rand.Text()[:21]
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte(id)[:19]), // at most 20 octets: RFC 5280 section 4.1.2.2
		Subject:      pkix.Name{CommonName: "local token issuer"},
		NotBefore:    now,
		NotAfter:     now.AddDate(certificateYears, 0, 0),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, fmt.Errorf("issuer: certify a signing key: %w", err)
	}
	thumbprint := sha1.Sum(certificate) // which x5t is by definition: RFC 7517 section 4.8
	return &key{id: id, private: private, public: jsonWebKey{
		Type:         "RSA",
		Use:          "sig",
		Modulus:      base64.RawURLEncoding.EncodeToString(private.N.Bytes()),
		Exponent:     base64.RawURLEncoding.EncodeToString(big.NewInt(int64(private.E)).Bytes()),
		ID:           id,
		Thumbprint:   base64.RawURLEncoding.EncodeToString(thumbprint[:]),
		Certificates: []string{base64.StdEncoding.EncodeToString(certificate)}, // not base64url: section 4.7
		Algorithm:    "RS256",
	}}, nil
}
