package token_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// checkExplanation returns what is wrong with the explanation of a row. It must agree with
// Verify, have every check, and hold nothing of the token.
func (s scenario) checkExplanation(verifier *token.Verifier) error {
	findings := verifier.Explain(s.Token, s.At, s.Key)
	if len(findings) != 27 {
		return fmt.Errorf("want 27 findings, got %d", len(findings))
	}
	var first *refusal.Error
	made := map[token.Check]bool{}
	for _, f := range findings {
		made[f.Check] = f.Passed()
		passed, why := made[f.Needs]
		switch {
		case f.Expected == "":
			return fmt.Errorf("want what %s is expected to be", f.Check)
		case f.Needs == "" && first == nil:
			first = f.Refused
		case f.Needs != "" && (f.Refused != nil || f.Seen != "" || passed || !why):
			return fmt.Errorf("want %s without an outcome after another that failed, got %+v", f.Check, f)
		}
		if f.Check == token.KeyID { // shown, but never enough of it to smuggle something
			if utf8.RuneCountInString(f.Seen) > 16 {
				return fmt.Errorf("want at most 16 characters of the key ID, got %q", f.Seen)
			}
		} else if err := s.checkText(f.Seen); err != nil {
			return err
		}
		if f.Refused != nil {
			if err := s.checkText(f.Refused.Detail); err != nil {
				return err
			}
		}
	}
	verified, err := verifier.Verify(s.Token, s.At, s.Key)
	if verified.KeyID, verified.ExpiresAt = "", (time.Time{}); err == nil {
		if said := verifier.Unverified(s.Token); !reflect.DeepEqual(said, verified) {
			return fmt.Errorf("want what Verify returns, %+v, without a key as well, got %+v", verified, said)
		}
	}
	accepted := !slices.ContainsFunc(findings, func(f token.Finding) bool { return !f.Passed() })
	if accepted != (err == nil) {
		return fmt.Errorf("want findings that pass just when it is accepted, got %t and %v", accepted, err)
	}
	if refused, _ := errors.AsType[*refusal.Error](err); refused != nil && (first == nil || *first != *refused) {
		return fmt.Errorf("want the first refusal to be %v, got %v", refused, first)
	}
	return nil
}

// explanations are single findings, as a person reads them.
func explanations() []proof {
	expired := corpus.Claims(corpus.Set("iss", `"https://issuer.example"`), corpus.Set("aud", `["a","b"]`), corpus.Set("exp", corpus.In(-90)), corpus.Set("iat", corpus.In(-100)))
	broken := corpus.RawPayload("{")
	dateless := corpus.Claims(corpus.Drop("exp"), corpus.Also("nbf", corpus.In(500)))
	edited := func(edits ...corpus.Edit) string { return corpus.Claims(edits...) }
	strict := func(r *corpus.Row) { r.Expect = corpus.Trusting("rfc9068") }

	var all []proof
	for _, row := range []struct {
		token   string
		check   token.Check
		want    string // the finding, as text
		options []func(*corpus.Row)
	}{
		{expired, token.Issued, tokentest.Issuer + "; bad_issuer: expected iss to be the configured issuer, got it with a different trailing slash", nil},
		{expired, token.Audience, tokentest.Audience + " in aud, alone or among others; bad_audience: expected the configured audience in aud, which has 2 entries, got another value", nil},
		{expired, token.Expiry, "after 2023-11-14T22:13:20Z; expired: expired 1m30s ago; seen 2023-11-14T22:11:50Z, 1m30s ago", nil},
		{expired, token.IssuedAt, "until 2023-11-14T22:14:20Z, or none; seen 2023-11-14T22:11:40Z, 1m40s ago", nil},
		{expired, token.NotBefore, "until 2023-11-14T22:14:20Z, or none; seen none", nil},
		{expired, token.Lifetime, "at most 720h0m0s", nil},
		{expired, token.Key, "a usable key in the key set under the kid", nil},
		{expired, token.Signature, "of header and payload, by that key with its algorithm", nil},
		{tokentest.Valid(), token.Expiry, "after 2023-11-14T22:13:20Z; seen 2023-11-15T22:13:20Z, in 24h0m0s", nil},
		{tokentest.Valid(), token.KeyID, "1 to 256 printable bytes; seen k1", nil},
		{tokentest.Valid(), token.Type, "at+jwt, JWT or none", nil},
		{tokentest.Valid(), token.Type, "at+jwt, JWT or none", []func(*corpus.Row){strict}},
		{tokentest.Valid(), token.Permissions, "none under the profile rfc9068; seen none", []func(*corpus.Row){strict}},
		{tokentest.Valid(), token.TokenKind, "an access token as the profile rfc9068 describes it; wrong_kind: expected an access token, got another kind of token: its header typ is not at+jwt; the profile auth0 accepts such access tokens; seen looks like an access token of the profile auth0", []func(*corpus.Row){strict}},
		{tokentest.Valid(), token.TokenKind, "an access token as the profile auth0 describes it", nil},
		{edited(corpus.Also("nonce", `"n"`)), token.TokenKind, "an access token as the profile auth0 describes it; wrong_kind: expected an access token, got an ID token: has nonce; send the access token instead", nil},
		{tokentest.Valid(), token.Scope, "a string of scope tokens in scope, or none", nil},
		{tokentest.Valid(), token.Permissions, "an array of scope tokens in permissions; anything else is ignored; seen none", nil},
		{edited(corpus.Also("permissions", `["a","b"]`)), token.Permissions, "an array of scope tokens in permissions; anything else is ignored; seen 2", nil},
		{edited(corpus.Also("permissions", "1")), token.Permissions, "an array of scope tokens in permissions; anything else is ignored; seen ignored", nil},
		{edited(corpus.Drop("scope")), token.Scope, "a string of scope tokens in scope, or none; seen none: a policy that asks for a scope will deny", nil},
		{edited(corpus.Set("exp", corpus.In(0))), token.Expiry, "after 2023-11-14T22:13:20Z; expired: expired 0s ago; seen 2023-11-14T22:13:20Z, in 0s", nil},
		{broken, token.Payload, "a strict JSON object in canonical base64url; malformed_token: expected a strict JSON object as payload, got one that ends early", nil},
		{broken, token.Issued, tokentest.Issuer + "; needs payload", nil},
		{broken, token.Replicated, "as in the payload, or none; needs payload", nil},
		{broken, token.Expiry, "after 2023-11-14T22:13:20Z; needs dates", nil},
		{broken, token.KeyID, "1 to 256 printable bytes; seen k1", nil},
		{broken, token.Signature, "of header and payload, by that key with its algorithm", nil},
		{dateless, token.Dates, "exp, and perhaps nbf and iat, in seconds since 1970; bad_claims: expected exp, got none: a token that never expires", nil},
		{dateless, token.NotBefore, "until 2023-11-14T22:14:20Z, or none; needs dates", nil},
		{dateless, token.Principal, "1 to 255 printable characters, no quotation mark, no backslash", nil},
		{"a.b", token.Form, "three parts in at most 10240 bytes; malformed_token: expected 3 parts between dots, got 2", nil},
		{"a.b", token.Payload, "a strict JSON object in canonical base64url; needs compact form", nil},
		{"a.b", token.Algorithm, "RS256; needs header", nil},
		{corpus.Unsigned(tokentest.Valid()), token.SignatureForm, "canonical base64url; malformed_token: expected a signature, got an empty part", nil},
		{corpus.Unsigned(tokentest.Valid()), token.Signature, "of header and payload, by that key with its algorithm; needs signature form", nil},
		{corpus.Headers(corpus.Set("kid", `"zz"`)), token.Key, "a usable key in the key set under the kid; unknown_kid: key \"…\" is not in the key set", nil},
		{corpus.Headers(corpus.Set("kid", `"zz"`)), token.Signature, "of header and payload, by that key with its algorithm; needs key", nil},
		{corpus.Headers(corpus.Set("alg", `"none"`), corpus.Drop("kid")), token.Key, "a usable key in the key set under the kid; needs header kid", nil},
		{corpus.Forged(), token.Signature, "of header and payload, by that key with its algorithm; bad_signature: key \"k1\" does not verify the signature", nil},
	} {
		all = append(all, proof{fmt.Sprintf("explains %s: %s", row.check, row.want), func() error {
			s := given("", row.token, "", row.options...)
			verifier, err := token.NewVerifier(s.Expect)
			if err != nil {
				return err
			}
			for _, f := range verifier.Explain(s.Token, s.At, s.Key) {
				if got := text(f); f.Check == row.check && got != row.want {
					return fmt.Errorf("want %q, got %q", row.want, got)
				}
			}
			return nil
		}})
	}
	return append(all, proof{"asks for the key of a refused token, once", checkKeyOfRefused})
}

// text is a finding on one line.
func text(f token.Finding) string {
	parts := []string{f.Expected}
	if f.Refused != nil {
		parts = append(parts, f.Refused.Error())
	}
	if f.Needs != "" {
		parts = append(parts, "needs "+string(f.Needs))
	}
	if f.Seen != "" {
		parts = append(parts, "seen "+f.Seen)
	}
	return strings.Join(parts, "; ")
}

func checkKeyOfRefused() error {
	s := given("", corpus.Claims(corpus.Set("exp", corpus.In(-1))), "")
	verifier, err := token.NewVerifier(s.Expect)
	if err != nil {
		return err
	}
	var asked []string
	verifier.Explain(s.Token, s.At, token.KeyFunc(func(issuer, kid string, failed *signature.Key) (*signature.Key, error) {
		asked = append(asked, kid)
		return corpus.Published(issuer, kid, failed)
	}))
	if !slices.Equal(asked, []string{"k1"}) {
		return fmt.Errorf("want the key k1 asked for once, got %q", asked)
	}
	return nil
}

func TestExplain(t *testing.T) {
	for _, p := range explanations() {
		if err := p.check(); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}
