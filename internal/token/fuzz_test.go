package token_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// seeds is the whole corpus in a fuzzing run. Elsewhere it is one row of each outcome:
// TestProperties presents the whole corpus as FuzzVerify and FuzzCompact would.
func seeds() []scenario {
	if flag.Lookup("test.fuzz").Value.String() != "" {
		return scenarios()
	}
	seen := map[refusal.Reason]bool{}
	return slices.DeleteFunc(scenarios(), func(s scenario) bool {
		known := seen[s.Want]
		seen[s.Want] = true
		return known
	})
}

// contents are a token's header and payload, if both can be decoded.
func contents(compact string) (header, payload []byte, ok bool) {
	part := strings.Split(compact, ".")
	if len(part) != 3 {
		return nil, nil, false
	}
	header, err1 := base64.RawURLEncoding.DecodeString(part[0])
	payload, err2 := base64.RawURLEncoding.DecodeString(part[1])
	return header, payload, err1 == nil && err2 == nil
}

// FuzzVerify signs whatever header and payload the fuzzer finds with the provider's key, so
// only their content can be the reason to refuse.
func FuzzVerify(f *testing.F) {
	for _, s := range seeds() {
		if header, payload, ok := contents(s.Token); ok {
			f.Add(header, payload)
		}
	}
	jwx := newLibrary(f)
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		if err := properties(newVerifier(t), jwx, tokentest.Sign(header, payload, tokentest.K1())); err != nil {
			t.Error(err)
		}
	})
}

// FuzzAlgorithms signs with one algorithm whatever the fuzzer finds, under a key ID of its own
// choice. Only a header that names the algorithm of the key, and that key, are accepted.
func FuzzAlgorithms(f *testing.F) {
	all := signature.Algorithms()
	for i, algorithm := range all {
		for _, named := range all {
			f.Add(uint8(i), tokentest.Header(string(algorithm)).With("alg", tokentest.Quote(string(named))).JSON(), tokentest.Payload().JSON())
		}
	}
	expect := corpus.Trusting("")
	expect.Algorithms = all
	verifier, err := token.NewVerifier(expect)
	if err != nil {
		f.Fatal(err)
	}
	set := map[string]*signature.Key{}
	for _, algorithm := range all {
		set[string(algorithm)] = tokentest.Key(algorithm)
	}
	keys := token.KeyFunc(func(_, kid string, _ *signature.Key) (*signature.Key, error) {
		if set[kid] == nil {
			return nil, refusal.New(refusal.UnknownKid, "not in the set")
		}
		return set[kid], nil
	})
	f.Fuzz(func(t *testing.T, index uint8, header, payload []byte) {
		algorithm := all[int(index)%len(all)]
		claims, err := verifier.Verify(tokentest.SignAs(algorithm, header, payload), tokentest.Now(), keys)
		var named struct {
			Alg string `json:"alg"`
		}
		if err == nil && (claims.KeyID != string(algorithm) || json.Unmarshal(header, &named) != nil || named.Alg != claims.KeyID) {
			t.Errorf("accepted a signature of %s under header %q with the key %q", algorithm, named.Alg, claims.KeyID)
		}
	})
}

// FuzzCompact presents any text: as it is, and with a good signature over its first two
// parts.
func FuzzCompact(f *testing.F) {
	for _, s := range seeds() {
		if len(s.Token) < 10_000 {
			f.Add(s.Token)
		}
	}
	jwx := newLibrary(f)
	f.Fuzz(func(t *testing.T, compact string) {
		for _, presented := range []string{compact, withGoodSignature(compact)} {
			if err := properties(newVerifier(t), jwx, presented); err != nil {
				t.Error(err)
			}
		}
	})
}

// withGoodSignature is a token's first two parts with the provider's signature. RS256 is
// deterministic, so a token that has it is returned as it is: verifying takes a fraction of the
// time of signing.
func withGoodSignature(compact string) string {
	header, rest, _ := strings.Cut(compact, ".")
	payload, made, _ := strings.Cut(rest, ".")
	input := header + "." + payload
	raw, err := base64.RawURLEncoding.DecodeString(made)
	if err == nil && tokentest.Segment(raw) == made && tokentest.Key(signature.RS256).Verify([]byte(input), raw) == nil {
		return compact
	}
	return corpus.SignedAsIs(input)
}

// properties returns what is wrong with the verifier's answer to any token.
func properties(verifier *token.Verifier, jwx library, compact string) error {
	claims, err := verifier.Verify(compact, tokentest.Now(), corpus.Published)
	if err != nil {
		if _, ok := err.(*refusal.Error); !ok {
			return fmt.Errorf("want a refusal, got %T", err)
		}
		if !reflect.DeepEqual(claims, token.Claims{}) {
			return errors.New("want zero claims with a refusal")
		}
		return nil
	}
	for _, property := range []func() error{
		func() error { return oneSpelling(compact) },
		func() error { return usable(claims) },
		func() error { return monotonicInTime(verifier, compact, claims) },
		func() error { return everyClaimNeeded(verifier, compact) },
		func() error { return jwx.accept(compact) },
	} {
		if err := property(); err != nil {
			return fmt.Errorf("accepted %q: %w", compact, err)
		}
	}
	return nil
}

// oneSpelling: no other text decodes to an accepted token's bytes.
func oneSpelling(compact string) error {
	part := strings.Split(compact, ".")
	if len(part) != 3 || len(compact) > 10_240 {
		return fmt.Errorf("want 3 parts in 10 240 bytes, got %d in %d bytes", len(part), len(compact))
	}
	for _, segment := range part {
		raw, err := base64.RawURLEncoding.DecodeString(segment)
		if err != nil || base64.RawURLEncoding.EncodeToString(raw) != segment {
			return errors.New("want every part encoded canonically")
		}
	}
	return nil
}

// usable: what comes out can be put into a policy and a log line.
func usable(claims token.Claims) error {
	switch {
	case claims.Subject == "" || len(claims.Subject) > 4*255 || strings.TrimSpace(claims.Subject) != claims.Subject:
		return errors.New("want a subject")
	case strings.ContainsFunc(claims.Subject+claims.Scope+claims.AuthorizedParty+claims.KeyID, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("want no control characters")
	case claims.Scope != "" && !claims.HasScope:
		return errors.New("want no scope without HasScope")
	case !claims.ExpiresAt.After(tokentest.Now()):
		return errors.New("want exp ahead")
	}
	for _, permission := range claims.Permissions {
		if len(strings.Fields(permission)) != 1 || strings.Fields(permission)[0] != permission {
			return errors.New("want permissions that survive being joined by spaces")
		}
	}
	return nil
}

// monotonicInTime: what is accepted now is accepted until exp, and never from exp on.
func monotonicInTime(verifier *token.Verifier, compact string, claims token.Claims) error {
	remaining := claims.ExpiresAt.Sub(tokentest.Now())
	for _, share := range []time.Duration{2, 3, 100, remaining} {
		if _, err := verifier.Verify(compact, tokentest.Now().Add(remaining-remaining/share), corpus.Published); err != nil {
			return fmt.Errorf("want it accepted until exp, got %w", err)
		}
	}
	for _, late := range []time.Duration{0, 1, time.Second, time.Hour, 100 * 365 * 24 * time.Hour} {
		if _, err := verifier.Verify(compact, claims.ExpiresAt.Add(late), corpus.Published); refusal.ReasonOf(err) != refusal.Expired {
			return fmt.Errorf("want %s %v after exp, got %v", refusal.Expired, late, err)
		}
	}
	return nil
}

// everyClaimNeeded: the token is refused without any one of the claims that must be there,
// and with another key's signature.
func everyClaimNeeded(verifier *token.Verifier, compact string) error {
	part := strings.Split(compact, ".")
	payload, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		return err
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(payload, &all); err != nil {
		return err
	}
	for _, name := range []string{"iss", "aud", "exp", "sub"} {
		fewer := maps.Clone(all)
		delete(fewer, name)
		text, err := json.Marshal(fewer)
		if err != nil {
			return err
		}
		// Not for its signature, which comes last: a good one would not help.
		_, err = verifier.Verify(part[0]+"."+tokentest.Segment(text)+"."+part[2], tokentest.Now(), corpus.Published)
		if err == nil || refusal.ReasonOf(err) == refusal.BadSignature {
			return fmt.Errorf("want it refused without %s, got %v", name, err)
		}
	}
	foreign := tokentest.Segment(tokentest.Signature(part[0]+"."+part[1], tokentest.K3()))
	if _, err := verifier.Verify(part[0]+"."+part[1]+"."+foreign, tokentest.Now(), corpus.Published); refusal.ReasonOf(err) != refusal.BadSignature {
		return fmt.Errorf("want %s with the attacker's signature, got %v", refusal.BadSignature, err)
	}
	return nil
}

// library is jwx's own parser with the same issuer, audience, keys and clock. The
// verifier is stricter, so jwx may not refuse what it accepts. The module vectors
// compares with another library.
type library []jwt.ParseOption

func newLibrary(t testing.TB) library {
	t.Helper()
	set, err := jwk.Parse(tokentest.PublicKeySet())
	if err != nil {
		t.Fatal(err)
	}
	return library{jwt.WithKeySet(set), jwt.WithClock(jwt.ClockFunc(tokentest.Now)), jwt.WithIssuer(tokentest.Issuer),
		jwt.WithAudience(tokentest.Audience), jwt.WithAcceptableSkew(token.ClockTolerance)}
}

func (l library) accept(compact string) error {
	header, err := base64.RawURLEncoding.DecodeString(compact[:strings.IndexByte(compact, '.')])
	if err != nil {
		return err
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[1])
	if err != nil {
		return err
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(payload, &all); err != nil {
		return err
	}
	// These are the only exceptions; another difference is our defect.
	// jwx v2 verifies the header without white space around the object, and not as
	// it was signed. RFC 8259, section 2, allows that white space.
	spaced := len(bytes.Trim(header, " \t\r\n")) != len(header)
	// jwx v2 refuses null as a date. Null is absent here.
	undated := string(all["iat"]) == "null" || string(all["nbf"]) == "null"
	if _, err := jwt.Parse([]byte(compact), l...); err != nil && !spaced && !undated {
		return fmt.Errorf("jwx refuses it: %w", err)
	}
	return nil
}

// TestProperties checks the properties of the fuzz targets on every row, each token once.
func TestProperties(t *testing.T) {
	jwx, seen := newLibrary(t), map[string]bool{}
	for _, s := range scenarios() {
		signed := withGoodSignature(s.Token)
		all := []string{s.Token, signed}
		if header, payload, ok := contents(signed); ok { // canonically encoded
			all = append(all, withGoodSignature(tokentest.Segment(header)+"."+tokentest.Segment(payload)+signed[strings.LastIndexByte(signed, '.'):]))
		}
		for _, presented := range all {
			if seen[presented] {
				continue
			}
			seen[presented] = true
			if err := properties(newVerifier(t), jwx, presented); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}

// noNeighbourIsAccepted changes a token in every single place of a range: each character to
// each other one, left out, or written twice.
func noNeighbourIsAccepted(t *testing.T, verifier *token.Verifier, keys token.Keys, valid string, from, to int) {
	t.Helper()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n"
	if _, err := verifier.Verify(valid, tokentest.Now(), keys); err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		neighbours := []string{valid[:i] + valid[i+1:], valid[:i] + valid[i:i+1] + valid[i:]}
		for _, char := range alphabet {
			if neighbour := valid[:i] + string(char) + valid[i+1:]; neighbour != valid {
				neighbours = append(neighbours, neighbour)
			}
		}
		if slices.ContainsFunc(neighbours, func(n string) bool { _, err := verifier.Verify(n, tokentest.Now(), keys); return err == nil }) {
			t.Errorf("want every change of character %d refused, got one accepted", i)
		}
	}
}

// TestNoNeighbourIsAccepted changes header and payload, up to the dot before the signature.
func TestNoNeighbourIsAccepted(t *testing.T) {
	valid := tokentest.Valid()
	noNeighbourIsAccepted(t, newVerifier(t), corpus.Published, valid, 0, len(corpus.Unsigned(valid)))
}

// TestNoOtherSignatureIsAccepted changes the signature of every algorithm.
func TestNoOtherSignatureIsAccepted(t *testing.T) {
	expect := corpus.Trusting("")
	expect.Algorithms = signature.Algorithms()
	verifier, err := token.NewVerifier(expect)
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range signature.Algorithms() {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			key := token.KeyFunc(func(string, string, *signature.Key) (*signature.Key, error) { return tokentest.Key(algorithm), nil })
			header := tokentest.Header("k").With("alg", tokentest.Quote(string(algorithm)))
			valid := tokentest.SignAs(algorithm, header.JSON(), tokentest.Payload().JSON())
			noNeighbourIsAccepted(t, verifier, key, valid, len(corpus.Unsigned(valid)), len(valid))
		})
	}
}
