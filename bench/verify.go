package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"github.com/lestrrat-go/jwx/v2/jwk"
	jwxjwt "github.com/lestrrat-go/jwx/v2/jwt"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/internal/jwks"
	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// rawRSA is what every verification needs: decode the signature, hash, and one RSA
// operation with a public key.
func rawRSA() paired.Variant {
	compact, public := tokentest.Valid(), &tokentest.K1().PublicKey
	dot := strings.LastIndexByte(compact, '.')
	return paired.CPU("raw RSA", func() error {
		signature, err := base64.RawURLEncoding.DecodeString(compact[dot+1:])
		if err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(compact[:dot]))
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	})
}

// verification measures P1 and P2. All verify the same token with the same key.
func (b *bench) verification() error {
	v, err := newVerification()
	if err != nil {
		return err
	}
	defer v.provider.Close()
	jwx, err := jwxPeer()
	if err != nil {
		return err
	}
	golangJWT, err := golangJWTPeer()
	if err != nil {
		return err
	}
	ours := v.verify(tokentest.Valid())
	const name, jwxName, golangJWTName = "verify one token", "jwx: jwt.Parse with a key set", "golang-jwt with keyfunc"
	samples, err := b.compare("P1", 60, rawRSA(),
		candidate{Variant: paired.CPU(name, ours), bar: 1.10},
		candidate{Variant: paired.CPU(jwxName, jwx)},
		candidate{Variant: paired.CPU(golangJWTName, golangJWT)},
		candidate{Variant: paired.CPU("go-oidc", goOIDCPeer())})
	if err != nil {
		return err
	}
	allocations := testing.AllocsPerRun(1000, func() { _ = ours() }) // it has succeeded above
	b.report.Add("P1", report.Row{Name: name, Unit: "allocations", Estimate: report.Exactly(allocations), Bar: 20})
	if err := b.algorithms(); err != nil {
		return err
	}
	b.report.Add("P2",
		report.Row{Name: name, Unit: "× " + jwxName, Estimate: samples.Ratio(name, jwxName), Bar: 0.60},
		report.Row{Name: name, Unit: "× " + golangJWTName, Estimate: samples.Ratio(name, golangJWTName), Bar: 0.95})
	return nil
}

// algorithms measures P1 for the others than RS256, each against its own signature alone.
func (b *bench) algorithms() error {
	verifier, err := token.NewVerifier(token.Expectation{
		Issuers:    []token.Issuer{{Name: tokentest.Issuer, Audiences: []string{tokentest.Audience}}},
		Algorithms: signature.Algorithms(),
	})
	if err != nil {
		return err
	}
	for _, algorithm := range signature.Algorithms()[1:] {
		key := tokentest.Key(algorithm)
		header := tokentest.Header("k").With("alg", tokentest.Quote(string(algorithm)))
		compact := tokentest.SignAs(algorithm, header.JSON(), tokentest.Payload().JSON())
		dot := strings.LastIndexByte(compact, '.')
		keys := token.KeyFunc(func(string, string, *signature.Key) (*signature.Key, error) { return key, nil })
		raw := paired.CPU("raw "+string(algorithm), func() error {
			made, err := base64.RawURLEncoding.DecodeString(compact[dot+1:])
			if err != nil {
				return err
			}
			return key.Verify([]byte(compact[:dot]), made)
		})
		if _, err := b.compare("P1", 60, raw, candidate{bar: 1.10, Variant: paired.CPU("verify one token, "+string(algorithm), func() error {
			_, err := verifier.Verify(compact, tokentest.Now(), keys)
			return err
		})}); err != nil {
			return err
		}
	}
	return nil
}

// refusals measures P4.
func (b *bench) refusals() error {
	v, err := newVerification()
	if err != nil {
		return err
	}
	defer v.provider.Close()
	unknown := v.refuse(sign("zz", "RS256"), refusal.UnknownKid, refusal.JWKSRateLimited)
	wrong := v.refuse(sign("k1", "HS256"), refusal.UnsupportedAlg)
	// Spend the requests that are allowed: for the key set, and for one unknown key ID.
	if err := errors.Join(v.verify(tokentest.Valid())(), unknown()); err != nil {
		return err
	}
	before := v.requests.Load()
	_, err = b.compare("P4", 60, rawRSA(),
		candidate{Variant: paired.CPU("refuse an unknown kid", unknown), bar: 0.10},
		candidate{Variant: paired.CPU("refuse a wrong alg", wrong), bar: 0.10})
	b.report.Add("P4", report.Row{Name: "requests to the provider meanwhile", Unit: "requests", Estimate: report.Exactly(float64(v.requests.Load() - before)), Zero: true})
	return err
}

// verifier is our verifier with the keys of a provider.
type verifier struct {
	provider *httptest.Server
	requests atomic.Int64 // to the provider
	keys     *jwks.Source
	verifier *token.Verifier
}

func newVerification() (*verifier, error) {
	v := &verifier{}
	v.provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		v.requests.Add(1)
		_, _ = w.Write(tokentest.PublicKeySet())
	}))
	var err error
	// The clock stands still, so that no interval between two requests ends meanwhile.
	if v.keys, err = jwks.New(v.provider.URL, jwks.Options{Now: tokentest.Now}); err != nil {
		return nil, err
	}
	v.verifier, err = token.NewVerifier(token.Expectation{Issuers: []token.Issuer{
		{Name: tokentest.Issuer, Audiences: []string{tokentest.Audience}},
	}})
	return v, err
}

func (v *verifier) verify(compact string) func() error {
	key := token.KeyFunc(func(_, kid string, failed *signature.Key) (*signature.Key, error) {
		return v.keys.Key(context.Background(), kid, failed)
	})
	return func() error {
		_, err := v.verifier.Verify(compact, tokentest.Now(), key)
		return err
	}
}

func (v *verifier) refuse(compact string, reasons ...refusal.Reason) func() error {
	verify := v.verify(compact)
	return func() error {
		if err := verify(); err == nil || !slices.Contains(reasons, refusal.ReasonOf(err)) {
			return fmt.Errorf("expected a refusal for %v, got %v", reasons, err)
		}
		return nil
	}
}

// sign returns the usual token with another header.
func sign(kid, alg string) string {
	header := tokentest.Header(kid).With("alg", tokentest.Quote(alg)).JSON()
	return tokentest.Sign(header, tokentest.Payload().JSON(), tokentest.K1())
}

// The peers verify as their documentation shows first.

func jwxPeer() (func() error, error) {
	set, err := jwk.Parse(tokentest.PublicKeySet())
	text, clock := []byte(tokentest.Valid()), jwxjwt.ClockFunc(tokentest.Now)
	return func() error {
		_, err := jwxjwt.Parse(text, jwxjwt.WithKeySet(set), jwxjwt.WithClock(clock),
			jwxjwt.WithIssuer(tokentest.Issuer), jwxjwt.WithAudience(tokentest.Audience))
		return err
	}, err
}

func golangJWTPeer() (func() error, error) {
	keys, err := keyfunc.NewJWKSetJSON(tokentest.PublicKeySet())
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(tokentest.Issuer),
		jwt.WithAudience(tokentest.Audience), jwt.WithTimeFunc(tokentest.Now), jwt.WithExpirationRequired())
	compact := tokentest.Valid()
	return func() error {
		_, err := parser.ParseWithClaims(compact, jwt.MapClaims{}, keys.Keyfunc)
		return err
	}, err
}

func goOIDCPeer() func() error {
	keys := &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{&tokentest.K1().PublicKey}}
	verifier := oidc.NewVerifier(tokentest.Issuer, keys, &oidc.Config{
		ClientID: tokentest.Audience, SupportedSigningAlgs: []string{oidc.RS256},
		Now: func() time.Time { return tokentest.Now() },
	})
	compact := tokentest.Valid()
	return func() error {
		_, err := verifier.Verify(context.Background(), compact)
		return err
	}
}

// benchmarkMetric is a value that BenchmarkInvoke/paired reports, and its unit.
var benchmarkMetric = regexp.MustCompile(`([\d.]+) (q1/raw|median/raw|q3/raw|pairs)\b`)

// authorizerHandler measures P3 with the authorizer's own benchmark, since nothing outside
// its package can call its handler. It takes turns with raw RSA, call by call.
func (b *bench) authorizerHandler() error {
	output, err := b.goCommand("test", "-tags=lambda.norpc", "-run=^$", "-bench=^BenchmarkInvoke$/^paired$",
		fmt.Sprintf("-benchtime=%dms", b.rounds(3000)), "./handlers/authorizer")
	if err != nil {
		return err
	}
	metrics := map[string]float64{}
	for _, metric := range benchmarkMetric.FindAllStringSubmatch(output, -1) {
		metrics[metric[2]], _ = strconv.ParseFloat(metric[1], 64) // it has only digits and points
	}
	if len(metrics) != 4 {
		return fmt.Errorf("expected BenchmarkInvoke/paired to report quartiles and pairs, got %v", metrics)
	}
	b.report.Add("P3", report.Row{Name: "authorizer's handler", Unit: "× raw RSA", Bar: 1.40, Least: 1,
		Estimate: paired.Estimate{Median: metrics["median/raw"], Quartile: [2]float64{metrics["q1/raw"], metrics["q3/raw"]}, Rounds: int(metrics["pairs"])}})
	return nil
}
