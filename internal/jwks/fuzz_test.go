package jwks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"account-api/internal/signature"
	"account-api/internal/token/tokentest"
)

// FuzzParse: whatever a provider sends, a key that comes out may be used.
func FuzzParse(f *testing.F) {
	f.Add(tokentest.PublicKeySet())
	f.Add(tokentest.AlgorithmKeySet())
	for _, seed := range []string{
		`{"keys":[{"kty":"RSA","kid":"a","n":` + ofBits(2048) + `,"e":"AQAB","key_ops":["verify"]}]}`,
		`{"keys":[{"kty":"RSA","kid":"a","n":` + ofBits(2047) + `,"e":"Aw"},{"kty":"EC","kid":"a"}]}`,
		`{"keys":[null,1,"",[],{}]}`, `{"keys":{}}`, `{"a":{"b":[[[]]]},"keys":[]}`, `{}`, ``, `[`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		set, err := Parse(document, signature.Algorithms()...)
		if err != nil {
			if len(set.entries) != 0 || len(err.Error()) > 200 {
				t.Fatalf("got entries beside an error, or an error of %d bytes", len(err.Error()))
			}
			return
		}
		if !set.loaded() || len(document) > maxDocumentBytes || !json.Valid(document) {
			t.Fatal("a document that is no key set was accepted")
		}
		for kid, e := range set.entries {
			if kid == "" || len(kid) > maxKidBytes {
				t.Fatalf("got a key ID of %d bytes", len(kid))
			}
			if (e.key == nil) != (e.why != "") {
				t.Fatal("an entry needs either a key or a reason")
			}
			if e.key == nil {
				continue
			}
			switch key := e.key.Public.(type) {
			case *rsa.PublicKey:
				bits := key.N.BitLen()
				if bits < 2048 || bits > 8192 || key.N.Bit(0) == 0 || key.E < 3 || key.E%2 == 0 || key.E > 1<<31-1 {
					t.Fatalf("got a key of %d bits with exponent %d", bits, key.E)
				}
			case *ecdsa.PublicKey:
				if point, err := key.Bytes(); err != nil || len(point) != 65 || e.key.Algorithm != signature.ES256 {
					t.Fatalf("got a point of %d bytes for %s, %v", len(point), e.key.Algorithm, err)
				}
			case ed25519.PublicKey:
				if len(key) != 32 || e.key.Algorithm != signature.EdDSA {
					t.Fatalf("got a key of %d bytes for %s", len(key), e.key.Algorithm)
				}
			default:
				t.Fatalf("got a key of type %T", key)
			}
		}
	})
}

// FuzzSibling: a good key stays usable beside any other member of the set that has neither its
// key ID nor its modulus.
func FuzzSibling(f *testing.F) {
	own := tokentest.JWK("the good one", tokentest.K1())
	modulus := tokentest.Segment(tokentest.K1().N.Bytes())
	for _, seed := range []string{
		`null`, `{}`, `{"kty":"AKP","kid":"pq","alg":"ML-DSA-44","pub":"AA"}`, `{"kty":"RSA","kid":"a","n":"!!","e":"AQAB"}`,
		`{"kty":"RSA","kid":"a","kid":"b"}`, `{"kty":"RSA","kid":"a","d":"AQAB"}`, `{"kty":5,"kid":[],"x5c":{}}`, `[[[[1]]]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sibling []byte) {
		value := jsontext.Value(sibling)
		if len(sibling) > 10_000 || !value.IsValid(jsontext.AllowDuplicateNames(true)) || strings.Count(string(sibling), "[")+strings.Count(string(sibling), "{") > maxDepth-2 {
			return // not JSON, or too much of it
		}
		var claim struct {
			Kid any `json:"kid"`
			N   any `json:"n"`
		}
		if json.Unmarshal(sibling, &claim) == nil && (claim.Kid == "the good one" || claim.N == modulus) {
			return
		}
		for _, document := range []string{keys(string(sibling), own.String()), keys(own.String(), string(sibling))} {
			set, err := Parse([]byte(document))
			if err != nil {
				t.Fatal(err)
			}
			key, err := set.Key("the good one")
			checkKey(t, key, err, tokentest.K1())
		}
	})
}

// FuzzFreshness: the lifetime stays within its limits for every Cache-Control.
func FuzzFreshness(f *testing.F) {
	for _, seed := range []string{"", "max-age=60", `max-age="1"`, "no-store", "max-age=99999999999999999999", ",=,\"", "max-age=3600, max-age=\"", "private=\"a,b\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := freshness(map[string][]string{"Cache-Control": {value}}); got < minLifetime || got > maxLifetime {
			t.Fatalf("got %v, want %v to %v", got, minLifetime, maxLifetime)
		}
	})
}

// FuzzAddress: an address that is accepted is https with a host, or loopback.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"https://a.example/", "http://localhost/", "http://[::1%25eth0]/", "https://a@b/", "http://127.1/", "https://%41/", "//a", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		err := checkURI(uri)
		lower := strings.ToLower(uri)
		if err == nil && (strings.Contains(uri, "#") ||
			!strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://localhost") &&
				!strings.HasPrefix(lower, "http://127.") && !strings.HasPrefix(lower, "http://[")) {
			t.Fatalf("%q was accepted", uri)
		}
	})
}
