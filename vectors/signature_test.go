package vectors

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"account-api/internal/signature"
	"account-api/internal/token/tokentest"
)

// Why a valid vector is refused here: few algorithms exist, and one serialization
// (RFC 7519, section 3: a JWT is compact).
const (
	otherAlgorithm     = "signed with an algorithm that does not exist here"
	otherSerialization = "in a JSON serialization"
)

// TestSignatures presents every JWS with its key, as a provider would publish it.
func TestSignatures(t *testing.T) {
	for _, name := range []string{"json_web_signature_test.json", "json_web_crypto_test.json"} {
		compared, deviations := 0, map[string]int{}
		for _, g := range load(t, name) {
			for _, v := range g.Tests {
				if v.JWE != "" {
					continue // an encrypted one: TestEncrypted
				}
				deviation := deviating(t, name, v)
				if deviation != "" {
					deviations[deviation]++
				}
				compare(t, v, judge(t, v.JWS, document(g.key())), deviation)
				compared++
			}
		}
		t.Logf("%s: %d signatures compared; valid but refused: %v", name, compared, deviations)
	}
}

// deviating says why the verdict on a vector differs from the file's.
func deviating(t *testing.T, name string, v vector) string {
	switch {
	case name == "json_web_crypto_test.json" && v.Comment == "rejectsKeyWithRocaVulnerability":
		return rocaKey
	case v.Result != "valid":
		return ""
	case strings.HasPrefix(string(v.JWS), "{"):
		return otherSerialization
	case !signature.Known(algorithm(t, v.JWS)):
		return otherAlgorithm
	}
	return ""
}

// algorithm is the header's alg, read leniently.
func algorithm(t *testing.T, compact serialized) string {
	t.Helper()
	segment, _, _ := strings.Cut(strings.ReplaceAll(string(compact), "?", ""), ".")
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var header struct{ Alg string }
	if err := json.Unmarshal(text, &header); err != nil {
		t.Fatal(err)
	}
	return header.Alg
}

// TestEncodings repeats the vectors about base64, which come with HMACs, with our
// algorithm and key: the same mutation, signed as it stands.
func TestEncodings(t *testing.T) {
	deviations := map[int]string{
		367: "the padding that its name speaks of is not in the file: it is tcId 357, letter by letter",
		370: "as tcId 367",
		372: "the file lets a decoder skip characters; to us that is a second spelling of one token",
		373: "as tcId 372",
	}
	compared := 0
	for _, g := range load(t, "json_web_signature_test.json") {
		if g.Comment != "base64" {
			continue
		}
		for _, v := range g.Tests {
			compare(t, v, judge(t, ported(t, v.JWS), tokentest.PublicKeySet()), deviations[v.TcID])
			compared++
		}
	}
	if compared != 21 {
		t.Errorf("want 21 vectors about base64, got %d", compared)
	}
	t.Logf("%d encodings compared, %d of them deviate", compared, len(deviations))
}

// ported is the vector with our algorithm, key ID and signature in place of its own,
// and with what is strange about it.
func ported(t *testing.T, compact serialized) serialized {
	t.Helper()
	const strange = " #?"
	part := strings.Split(string(compact), ".")
	clean := func(segment string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(strange, r) {
				return -1
			}
			return r
		}, segment)
	}
	header, err := base64.RawURLEncoding.DecodeString(clean(part[0]))
	if err != nil {
		t.Fatal(err)
	}
	ours := tokentest.Segment([]byte(strings.NewReplacer("hs256-key", "k1", "HS256", "RS256").Replace(string(header))))
	if at := strings.IndexAny(part[0], strange); at >= 0 {
		junk := strings.TrimRight(part[0][at:], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
		ours = ours[:len(ours)-1] + junk + ours[len(ours)-1:]
	}
	input := ours + "." + part[1]
	signature := tokentest.Segment(tokentest.Signature(input, tokentest.K1()))
	switch at := strings.IndexAny(part[2], strange); {
	case at > 0: // behind
		signature += part[2][at:]
	case at == 0 && len(clean(part[2])) < 43: // in place of a MAC's first characters
		junk := len(part[2]) - len(clean(part[2]))
		signature = part[2][:junk] + signature[junk:]
	case at == 0: // before
		signature = part[2][:len(part[2])-43] + signature
	}
	return serialized(input + "." + signature)
}
