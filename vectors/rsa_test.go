package vectors

import (
	"encoding/hex"
	"fmt"
	"testing"

	"account-api/internal/jwks"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// TestRSASignatures checks the signatures themselves, of any message, with the same
// call as package token and keys from package jwks.
func TestRSASignatures(t *testing.T) {
	// "Acceptable" are signatures over a digest that lacks its NULL parameter, which
	// RFC 8017, appendix A.2.4, asks for. They are refused.
	verifier, err := jws.NewVerifier(jwa.RS256)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, bits := range []int{2048, 3072, 4096, 8192} {
		for _, g := range load(t, fmt.Sprintf("rsa_signature_%d_sha256_test.json", bits)) {
			set, err := jwks.Parse(document(g.KeyJWK))
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
				signature, err := hex.DecodeString(v.Sig)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, v, verdict{valid: verifier.Verify(message, signature, key) == nil}, "")
				compared++
			}
		}
	}
	t.Logf("%d RSA signatures compared", compared)
}
