package vectors

import (
	"encoding/hex"
	"fmt"
	"testing"

	"account-api/internal/jwks"
	"account-api/internal/signature"
)

// TestRawSignatures checks the signatures themselves, of any message, with the same call as
// package token and keys from package jwks.
func TestRawSignatures(t *testing.T) {
	// "Acceptable" are RSA signatures over a digest that lacks its NULL parameter, which
	// RFC 8017, appendix A.2.4, asks for. They are refused.
	files := map[string]signature.Algorithm{
		"ecdsa_secp256r1_sha256_p1363_test.json": signature.ES256,
		"ed25519_test.json":                      signature.EdDSA,
	}
	for _, bits := range []int{2048, 3072, 4096, 8192} {
		files[fmt.Sprintf("rsa_signature_%d_sha256_test.json", bits)] = signature.RS256
	}
	for _, bits := range []int{2048, 3072, 4096} {
		files[fmt.Sprintf("rsa_pss_%d_sha256_mgf1_32_test.json", bits)] = signature.PS256
	}
	for name, algorithm := range files {
		t.Run(name, func(t *testing.T) {
			compared := 0
			for _, g := range load(t, name) {
				document := document(g.jwk())
				set, err := jwks.Parse(document, algorithm)
				if err != nil {
					t.Fatal(err)
				}
				key, err := set.Key("none")
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range g.Tests {
					message, err := hex.DecodeString(v.Msg)
					if err != nil {
						t.Fatal(err)
					}
					made, err := hex.DecodeString(v.Sig)
					if err != nil {
						t.Fatal(err)
					}
					compare(t, v, verdict{valid: key.Verify(message, made) == nil}, "")
					compared++
				}
			}
			t.Logf("%d signatures compared", compared)
		})
	}
}

// TestSaltsOfOtherLengths presents PSS signatures whose salt has not the length of the hash.
func TestSaltsOfOtherLengths(t *testing.T) {
	key := load(t, "rsa_pss_2048_sha256_mgf1_32_test.json")[0].jwk()
	set, err := jwks.Parse(document(key), signature.PS256)
	if err != nil {
		t.Fatal(err)
	}
	public, err := set.Key("none")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range load(t, "rsa_pss_2048_sha256_mgf1_0_test.json") {
		for _, v := range g.Tests {
			message, err1 := hex.DecodeString(v.Msg)
			made, err2 := hex.DecodeString(v.Sig)
			if err1 != nil || err2 != nil || public.Verify(message, made) == nil && v.Comment != "" && v.Result == "valid" {
				t.Errorf("tcId %d %s: want a salt of another length refused, got it accepted: %v, %v", v.TcID, v.Comment, err1, err2)
			}
		}
	}
}
