package vectors

import "testing"

// rocaKey is why a vector is accepted that the file wants refused.
const rocaKey = "a ROCA key: no fingerprint is looked for, because the provider's keys are trusted"

// TestKeySets presents a JWS with an unusual key set.
func TestKeySets(t *testing.T) {
	deviations := map[int]string{
		2: otherAlgorithm, 13: otherAlgorithm, 14: otherAlgorithm, 15: otherAlgorithm,
		7: rocaKey,
	}
	compared := 0
	for _, g := range load(t, "json_web_key_test.json") {
		for _, v := range g.Tests {
			compare(t, v, judge(t, v.JWS, document(g.key())), deviations[v.TcID])
			compared++
		}
	}
	t.Logf("%d key sets compared, %d of them deviate", compared, len(deviations))
}

// TestEncrypted presents every JWE. All are refused, also the valid ones.
func TestEncrypted(t *testing.T) {
	compared := 0
	for _, name := range []string{"json_web_encryption_test.json", "json_web_crypto_test.json"} {
		for _, g := range load(t, name) {
			for _, v := range g.Tests {
				if v.JWE == "" {
					continue
				}
				if judge(t, v.JWE, document(g.key())).valid {
					t.Errorf("%s, tcId %d %s: want an encrypted token refused, got it accepted", name, v.TcID, v.Comment)
				}
				compared++
			}
		}
	}
	t.Logf("%d encrypted tokens refused", compared)
}
