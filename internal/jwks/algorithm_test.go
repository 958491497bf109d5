package jwks

import (
	"fmt"
	"strings"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token/tokentest"
)

// TestAlgorithmsOfKeys lists which algorithm a key is for, or why it is not usable.
func TestAlgorithmsOfKeys(t *testing.T) {
	all := signature.Algorithms()
	es, ed := tokentest.AlgorithmJWK("k1", signature.ES256), tokentest.AlgorithmJWK("k1", signature.EdDSA)
	ps := tokentest.AlgorithmJWK("k1", signature.PS256)
	y := es[len(es)-1].Value
	for _, row := range []struct {
		name    string
		key     tokentest.Object
		allowed []signature.Algorithm
		want    signature.Algorithm // or none
	}{
		{"RSA with alg PS256", ps, all, signature.PS256},
		{"RSA without alg is for RS256", ps.Without("alg"), all, signature.RS256},
		{"RSA with alg null is for RS256", ps.With("alg", "null"), all, signature.RS256},
		{"RSA without alg, where only PS256 is allowed", ps.Without("alg"), []signature.Algorithm{signature.PS256}, ""},
		{"RSA for PS256, where it is not allowed", ps, []signature.Algorithm{signature.RS256, signature.ES256}, ""},
		{"RSA with alg ES256", ps.With("alg", `"ES256"`), all, ""},
		{"RSA with alg PS384", ps.With("alg", `"PS384"`), all, ""},
		{"RSA with alg HS256", ps.With("alg", `"HS256"`), all, ""},
		{"P-256", es, all, signature.ES256},
		{"P-256 without alg", es.Without("alg"), all, signature.ES256},
		{"P-256 with alg RS256", es.With("alg", `"RS256"`), all, ""},
		{"P-256 with alg ES384", es.With("alg", `"ES384"`), all, ""},
		{"P-256, by default", es, nil, ""},
		{"P-384", es.With("crv", `"P-384"`), all, ""},
		{"secp256k1", es.With("crv", `"secp256k1"`).Without("alg"), all, ""},
		{"a curve in lower case", es.With("crv", `"p-256"`), all, ""},
		{"a point that is not on the curve", es.With("y", es[len(es)-2].Value), all, ""},
		{"a coordinate that is too short", es.With("x", `"AQ"`), all, ""},
		{"a coordinate with a zero before it", es.With("x", `"AA`+es[len(es)-2].Value[1:]), all, ""},
		{"a coordinate with padding", es.With("y", strings.TrimSuffix(y, `"`)+`="`), all, ""},
		{"no y", es.Without("y"), all, ""},
		{"P-256 with its private half", es.Also("d", `"AQ"`), all, ""},
		{"P-256 for encryption", es.With("use", `"enc"`), all, ""},
		{"Ed25519", ed, all, signature.EdDSA},
		{"Ed25519 without alg", ed.Without("alg"), all, signature.EdDSA},
		{"Ed25519 with alg ES256", ed.With("alg", `"ES256"`), all, ""},
		{"Ed25519 of 31 bytes", ed.With("x", `"`+strings.Repeat("A", 42)+`"`), all, ""},
		{"Ed448", ed.With("crv", `"Ed448"`), all, ""},
		{"X25519", ed.With("crv", `"X25519"`).Without("alg"), all, ""},
		{"Ed25519 as EC", ed.With("kty", `"EC"`), all, ""},
		{"Ed25519 with its private half", ed.Also("d", `"AQ"`), all, ""},
		{"a symmetric key", tokentest.Object{{Name: "kty", Value: `"oct"`}, {Name: "kid", Value: `"k1"`}, {Name: "k", Value: `"AQ"`}}, all, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			set, err := Parse(tokentest.JWKS(row.key), row.allowed...)
			if err != nil {
				t.Fatal(err)
			}
			key, err := set.Key("k1")
			if row.want == "" {
				checkRefused(t, key, err, refusal.KeyRejected)
			} else if err != nil || key.Algorithm != row.want {
				t.Errorf("got %v, %v; want a key for %s", key, err, row.want)
			}
		})
	}
}

func TestKeysOfSeveralKinds(t *testing.T) {
	rsa, es := tokentest.JWK("k1", tokentest.K1()), tokentest.AlgorithmJWK("k1", signature.ES256)
	for _, row := range []struct {
		name    string
		keys    []tokentest.Object
		allowed []signature.Algorithm
		usable  bool
	}{
		{"an RSA key beside one that is not allowed", []tokentest.Object{es, rsa}, nil, true},
		{"two usable keys of different types under one key ID", []tokentest.Object{es, rsa}, signature.Algorithms(), false},
		{"one RSA key for two algorithms under one key ID", []tokentest.Object{rsa, rsa.With("alg", `"PS256"`)}, signature.Algorithms(), false},
		{"the same P-256 key twice", []tokentest.Object{es, es}, signature.Algorithms(), true},
		{"a P-256 key whose private half is elsewhere in the set", []tokentest.Object{es, es.With("kid", `"other"`).Also("d", `"AQ"`)}, signature.Algorithms(), false},
		{"an RSA key beside a private P-256 key that is not allowed", []tokentest.Object{rsa, es.Also("d", `"AQ"`)}, nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			set, err := Parse(tokentest.JWKS(row.keys...), row.allowed...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := set.Key("k1"); (err == nil) != row.usable {
				t.Errorf("got %v, want a usable key: %t", err, row.usable)
			}
		})
	}
	set, err := Parse(tokentest.AlgorithmKeySet(), signature.Algorithms()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range signature.Algorithms() {
		if key, err := set.Key(string(algorithm)); err != nil || !key.Equal(tokentest.Key(algorithm)) {
			t.Errorf("%s: got %s, %v; want its own key", algorithm, fmt.Sprint(key), err)
		}
	}
}
