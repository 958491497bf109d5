package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
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
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// rawRSA is what every verification has to do: decode the signature, hash, and one RSA
// public-key operation.
const rawRSA = "raw RSA"

// verification measures P1, P2 and P4: one token, all of them with the same key.
func (b *bench) verification() error {
	b.say("verification of one token")
	v, err := newVerification()
	if err != nil {
		return err
	}
	defer v.provider.Close()
	peers := []struct {
		name string
		bar  float64 // of ours in terms of the peer
		work func() error
	}{
		{"jwx jwt.Parse with a key set", 0.5, v.jwx()},
		{"golang-jwt with keyfunc", 0.95, v.golangJWT()},
		{"go-oidc", 0, v.goOIDC()},
	}
	ours, raw := v.accept(tokentest.Valid()), v.raw()
	unknown := v.refuse(sign("zz", "RS256"), refusal.UnknownKid, refusal.JWKSRateLimited)
	wrong := v.refuse(sign("k1", "HS256"), refusal.UnsupportedAlg)
	variants := []paired.Variant{
		paired.CPU(rawRSA, raw), paired.CPU("ours", ours),
		paired.CPU("unknown kid", unknown), paired.CPU("wrong alg", wrong),
	}
	for _, peer := range peers {
		variants = append(variants, paired.CPU(peer.name, peer.work))
	}
	if err := v.settle(ours, unknown); err != nil {
		return err
	}
	asked := v.fetches.Load()
	samples, err := paired.Run(b.rounds(60), variants...)
	if err != nil {
		return err
	}
	asked = v.fetches.Load() - asked

	b.add(report.Row{Figure: "P1", Name: "verify one token, all strict checks", Unit: "× " + rawRSA, Estimate: samples.Ratio("ours", rawRSA), Bar: 1.20, Stretch: 1.10, Floor: 1})
	for _, peer := range peers {
		b.add(report.Row{Figure: "P1", Name: peer.name, Unit: "× " + rawRSA, Estimate: samples.Ratio(peer.name, rawRSA)})
	}
	if err := b.addAllocations("P1", "verify one token, allocations", 35, 20, ours); err != nil {
		return err
	}
	if err := b.addAllocations("P1", rawRSA, 0, 0, raw); err != nil {
		return err
	}
	for _, peer := range peers {
		if err := b.addAllocations("P1", peer.name, 0, 0, peer.work); err != nil {
			return err
		}
	}
	for _, peer := range peers {
		if peer.bar > 0 {
			b.add(report.Row{Figure: "P2", Name: "verify one token against " + peer.name, Unit: "×", Estimate: samples.Ratio("ours", peer.name), Bar: peer.bar})
		}
	}
	b.add(report.Row{Figure: "P4", Name: "refuse an unknown kid", Unit: "× " + rawRSA, Estimate: samples.Ratio("unknown kid", rawRSA), Bar: 0.1})
	b.add(report.Row{Figure: "P4", Name: "refuse a wrong alg", Unit: "× " + rawRSA, Estimate: samples.Ratio("wrong alg", rawRSA), Bar: 0.1})
	b.add(report.Row{Figure: "P4", Name: "requests to the provider meanwhile", Unit: "requests", Estimate: report.Exactly(float64(asked)), Zero: true})
	b.cost.rawRSA = samples.Cost(rawRSA).Median
	return b.profile("verify", ours)
}

// verificationSetup is a provider, our verifier with its keys, and one good token.
type verificationSetup struct {
	provider *httptest.Server
	fetches  atomic.Int64
	keys     *jwks.Source
	verifier *token.Verifier
	compact  string
}

func newVerification() (*verificationSetup, error) {
	v := &verificationSetup{compact: tokentest.Valid()}
	v.provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		v.fetches.Add(1)
		_, _ = w.Write(tokentest.PublicKeySet())
	}))
	var err error
	// The clock stands still, so that no interval within which the provider is left
	// alone ends during the measurement.
	if v.keys, err = jwks.New(v.provider.URL, jwks.Options{Now: tokentest.Now}); err != nil {
		return nil, err
	}
	v.verifier, err = token.NewVerifier(token.Expectation{Issuer: tokentest.Issuer, Audience: tokentest.Audience})
	return v, err
}

// settle spends what may be fetched: the key set itself, and what one unknown key ID
// is worth.
func (v *verificationSetup) settle(ours, unknown func() error) error {
	if err := ours(); err != nil {
		return err
	}
	return unknown()
}

func (v *verificationSetup) raw() func() error {
	public := &tokentest.K1().PublicKey
	dot := strings.LastIndexByte(v.compact, '.')
	return func() error {
		signature, err := base64.RawURLEncoding.DecodeString(v.compact[dot+1:])
		if err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(v.compact[:dot]))
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
	}
}

func (v *verificationSetup) key(kid string) (*rsa.PublicKey, error) {
	return v.keys.Key(context.Background(), kid)
}

func (v *verificationSetup) accept(compact string) func() error {
	return func() error {
		_, err := v.verifier.Verify(compact, tokentest.Now(), v.key)
		return err
	}
}

func (v *verificationSetup) refuse(compact string, reasons ...refusal.Reason) func() error {
	return func() error {
		_, err := v.verifier.Verify(compact, tokentest.Now(), v.key)
		for _, reason := range reasons {
			if err != nil && refusal.ReasonOf(err) == reason {
				return nil
			}
		}
		return fmt.Errorf("expected a refusal for %v, got %v", reasons, err)
	}
}

// sign returns the usual token with another header.
func sign(kid, alg string) string {
	header := tokentest.Header(kid).With("alg", tokentest.Quote(alg)).JSON()
	return tokentest.Sign(header, tokentest.Payload().JSON(), tokentest.K1())
}

// jwx verifies as the library's own documentation begins: one call, with a key set.
func (v *verificationSetup) jwx() func() error {
	set, err := jwk.Parse(tokentest.PublicKeySet())
	text, clock := []byte(v.compact), jwxjwt.ClockFunc(tokentest.Now)
	return func() error {
		if err != nil {
			return err
		}
		_, err := jwxjwt.Parse(text, jwxjwt.WithKeySet(set), jwxjwt.WithClock(clock),
			jwxjwt.WithIssuer(tokentest.Issuer), jwxjwt.WithAudience(tokentest.Audience))
		return err
	}
}

func (v *verificationSetup) golangJWT() func() error {
	keys, err := keyfunc.NewJWKSetJSON(tokentest.PublicKeySet())
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(tokentest.Issuer),
		jwt.WithAudience(tokentest.Audience), jwt.WithTimeFunc(tokentest.Now), jwt.WithExpirationRequired())
	return func() error {
		if err != nil {
			return err
		}
		_, err := parser.ParseWithClaims(v.compact, jwt.MapClaims{}, keys.Keyfunc)
		return err
	}
}

func (v *verificationSetup) goOIDC() func() error {
	keys := &oidc.StaticKeySet{PublicKeys: []crypto.PublicKey{&tokentest.K1().PublicKey}}
	verifier := oidc.NewVerifier(tokentest.Issuer, keys, &oidc.Config{
		ClientID: tokentest.Audience, SupportedSigningAlgs: []string{oidc.RS256},
		Now: func() time.Time { return tokentest.Now() },
	})
	return func() error {
		_, err := verifier.Verify(context.Background(), v.compact)
		return err
	}
}
