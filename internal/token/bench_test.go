package token_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// variant is one way to treat a token, once.
type variant struct {
	name string
	run  func() error
}

// BenchmarkVerify runs each variant by itself, for its allocations. Raw is base64, hash and
// RSA of the signature, which every verification needs.
func BenchmarkVerify(b *testing.B) {
	for _, v := range variants(b) {
		b.Run(v.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := v.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAlgorithms verifies a token of each algorithm, and its signature alone, in turns. It
// reports the median ratio, which holds still on a shared machine.
func BenchmarkAlgorithms(b *testing.B) {
	for _, algorithm := range signature.Algorithms() {
		b.Run(string(algorithm), func(b *testing.B) {
			expect := corpus.Trusting("")
			expect.Algorithms = signature.Algorithms()
			verifier, err := token.NewVerifier(expect)
			if err != nil {
				b.Fatal(err)
			}
			header := tokentest.Header("k").With("alg", tokentest.Quote(string(algorithm)))
			compact := tokentest.SignAs(algorithm, header.JSON(), tokentest.Payload().JSON())
			input, encoded := compact[:strings.LastIndexByte(compact, '.')], compact[strings.LastIndexByte(compact, '.')+1:]
			published := tokentest.Key(algorithm)
			keys := token.KeyFunc(func(string, string, *signature.Key) (*signature.Key, error) { return published, nil })
			var ratios []float64
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				made, err := base64.RawURLEncoding.DecodeString(encoded)
				if err != nil || published.Verify([]byte(input), made) != nil {
					b.Fatal("the signature alone does not verify")
				}
				between := time.Now()
				if _, err := verifier.Verify(compact, tokentest.Now(), keys); err != nil {
					b.Fatal(err)
				}
				ratios = append(ratios, float64(time.Since(between))/float64(between.Sub(start)))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "verify/raw")
		})
	}
}

// BenchmarkRatios alternates all variants in short blocks and reports the median of
// each block's time over that of the raw block next to it. On a shared machine this
// holds still where absolute times do not. Bars: verify 1.20, refusals of an unknown
// key ID or another algorithm 0.1. The module bench compares with other libraries.
func BenchmarkRatios(b *testing.B) {
	const block = 10 // short, so that a burst of other load hits both blocks of a pair
	all := variants(b)
	times := make([][]float64, len(all))
	for b.Loop() {
		for i, v := range all {
			start := time.Now()
			for range block {
				if err := v.run(); err != nil {
					b.Fatal(err)
				}
			}
			times[i] = append(times[i], float64(time.Since(start)))
		}
	}
	ratio := func(of, over int) float64 {
		var ratios []float64
		for round := range times[of] {
			ratios = append(ratios, times[of][round]/times[over][round])
		}
		slices.Sort(ratios)
		return ratios[len(ratios)/2]
	}
	for i, v := range all[1:] {
		b.ReportMetric(ratio(i+1, 0), v.name+"/raw")
	}
}

func variants(b *testing.B) []variant {
	b.Helper()
	compact := tokentest.Valid()
	public := &tokentest.K1().PublicKey
	unknown := refusal.New(refusal.UnknownKid, "not in the set")
	published := tokentest.Key(signature.RS256)
	key := token.KeyFunc(func(_, kid string, _ *signature.Key) (*signature.Key, error) {
		if kid != "k1" {
			return nil, unknown
		}
		return published, nil
	})
	verifier, now := newVerifier(b), tokentest.Now()
	refuse := func(compact string, want refusal.Reason) func() error {
		return func() error {
			_, err := verifier.Verify(compact, now, key)
			if refusal.ReasonOf(err) != want {
				return fmt.Errorf("want %s, got %v", want, err)
			}
			return nil
		}
	}
	return []variant{
		{"raw", func() error {
			dot := strings.LastIndexByte(compact, '.')
			signature, err := base64.RawURLEncoding.DecodeString(compact[dot+1:])
			if err != nil {
				return err
			}
			digest := sha256.Sum256([]byte(compact[:dot]))
			return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
		}},
		{"verify", func() error { _, err := verifier.Verify(compact, now, key); return err }},
		{"unknown-kid", refuse(corpus.Headers(corpus.Set("kid", `"zz"`)), refusal.UnknownKid)},
		{"other-alg", refuse(corpus.Headers(corpus.Set("alg", `"HS256"`)), refusal.UnsupportedAlg)},
		{"megabyte", refuse(strings.Repeat(".", 1<<20), refusal.MalformedToken)},
	}
}
