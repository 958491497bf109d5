package tokentest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"time"
)

// JWKS is a key set document (RFC 7517, section 5). [JWK] makes its members.
func JWKS(keys ...Object) []byte {
	members := make([]string, len(keys))
	for i, key := range keys {
		members[i] = key.String()
	}
	return []byte(`{"keys":[` + strings.Join(members, ",") + `]}`)
}

// PublicKeySet is what the provider publishes: [K1], current, and [K2], next.
func PublicKeySet() []byte { return JWKS(JWK("k1", K1()), JWK("k2", K2())) }

// JWK is the public half of key in the form in which Auth0 publishes one, with certificate
// and thumbprint.
// https://auth0.com/docs/secure/tokens/json-web-tokens/json-web-key-set-properties
func JWK(kid string, key *rsa.PrivateKey) Object {
	certificate := selfSigned(kid, key)
	thumbprint := sha1.Sum(certificate)
	return Object{
		{"kty", `"RSA"`},
		{"use", `"sig"`},
		{"alg", `"RS256"`},
		{"kid", Quote(kid)},
		{"n", Quote(Segment(key.N.Bytes()))},
		{"e", Quote(Segment(big.NewInt(int64(key.E)).Bytes()))},
		{"x5c", `["` + base64.StdEncoding.EncodeToString(certificate) + `"]`},
		{"x5t", Quote(Segment(thumbprint[:]))},
	}
}

// certificates are those that were made, by name and key.
var certificates sync.Map

// selfSigned returns a DER certificate over key, the same bytes each time.
func selfSigned(name string, key *rsa.PrivateKey) []byte {
	type certified struct {
		name string
		key  *rsa.PrivateKey
	}
	if known, ok := certificates.Load(certified{name, key}); ok {
		return known.([]byte)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    Now().AddDate(-1, 0, 0),
		NotAfter:     Now().AddDate(13, 0, 0).Truncate(24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic("tokentest: certificate: " + err.Error())
	}
	certificates.Store(certified{name, key}, certificate)
	return certificate
}
