package token_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// holding are keys of which some are known without I/O.
type holding struct{ token.KeyFunc }

func (holding) Holds(issuer, kid string) bool {
	return issuer == tokentest.Issuer && (kid == "k1" || kid == "gone")
}

// blames are who has to act, where the reason does not tell.
func blames() []proof {
	signedBy3 := func(payload tokentest.Object) string {
		return tokentest.Sign(tokentest.Header("k1").JSON(), payload.JSON(), tokentest.K3())
	}
	slashless := tokentest.Payload().With("iss", `"https://issuer.example"`)
	var all []proof
	for _, row := range []struct {
		name, token string
		want        refusal.Category
	}{
		{"alg none", corpus.Headers(corpus.Set("alg", `"none"`)), refusal.Attack},
		{"alg NONE", corpus.Headers(corpus.Set("alg", `"NONE"`)), refusal.Attack},
		{"another algorithm", corpus.Headers(corpus.Set("alg", `"ES256"`)), refusal.Client},
		{"no algorithm", corpus.Headers(corpus.Drop("alg")), refusal.Client},
		{"an HMAC with a key ID of the provider", corpus.Headers(corpus.Set("alg", `"HS384"`)), refusal.Attack},
		{"an HMAC with another key ID", corpus.Headers(corpus.Set("alg", `"HS256"`), corpus.Set("kid", `"mine"`)), refusal.Client},
		{"an HMAC without a key ID", corpus.Headers(corpus.Set("alg", `"HS256"`), corpus.Drop("kid")), refusal.Client},
		{"an embedded key", corpus.Headers(corpus.Also("jwk", "{}")), refusal.Attack},
		{"an embedded certificate", corpus.Headers(corpus.Also("x5c", "[]")), refusal.Attack},
		{"an embedded trust chain", corpus.Headers(corpus.Also("trust_chain", "[]")), refusal.Attack},
		{"keys elsewhere", corpus.Headers(corpus.Also("jku", `"https://evil.example/keys"`)), refusal.Attack},
		{"a certificate elsewhere", corpus.Headers(corpus.Also("x5u", `"https://evil.example/keys"`)), refusal.Attack},
		{"keys at the issuer", corpus.Headers(corpus.Also("jku", `"https://issuer.example/keys"`)), refusal.Client},
		{"a certificate at the issuer", corpus.Headers(corpus.Also("x5u", `"https://issuer.example/keys"`)), refusal.Client},
		{"keys at the issuer, and another address", corpus.Headers(corpus.Also("jku", `"https://issuer.example/keys"`), corpus.Also("foo", `"https://evil.example/"`)), refusal.Client},
		{"keys at no host", corpus.Headers(corpus.Also("jku", `"keys"`)), refusal.Attack},
		{"keys at an address that is none", corpus.Headers(corpus.Also("jku", `"https://issuer.example/%zz"`)), refusal.Attack},
		{"an extension", corpus.Headers(corpus.Also("crit", "[]")), refusal.Client},
		{"an issuer without its slash, signed by the provider", corpus.RawPayload(slashless.String()), refusal.Misconfiguration},
		{"an issuer without its slash, signed by somebody else", signedBy3(slashless), refusal.Client},
		{"an issuer without its slash, and an unknown key", tokentest.Sign(tokentest.Header("zz").JSON(), slashless.JSON(), tokentest.K1()), refusal.Client},
		{"an issuer without its slash, and a key that is gone", tokentest.Sign(tokentest.Header("gone").JSON(), slashless.JSON(), tokentest.K1()), refusal.Client},
		{"an issuer in other letters, signed by the provider", corpus.Claims(corpus.Set("iss", `"https://ISSUER.example/"`)), refusal.Client},
		{"another reason, signed by the provider", corpus.Claims(corpus.Set("iss", "1")), refusal.Client},
		{"junk", "e30.e30.e30", refusal.Client},
	} {
		all = append(all, proof{"blames for " + row.name, func() error {
			verifier, err := token.NewVerifier(given("", "", "").Expect)
			if err != nil {
				return err
			}
			_, err = verifier.Verify(row.token, tokentest.Now(), holding{corpus.Published})
			if got := refusal.CategoryOf(err); got != row.want {
				return fmt.Errorf("want category %s, got %s: %v", row.want, got, err)
			}
			for _, f := range verifier.Explain(row.token, tokentest.Now(), holding{corpus.Published}) {
				if f.Refused != nil {
					if got := f.Refused.Category(); got != row.want {
						return fmt.Errorf("want category %s explained, got %s", row.want, got)
					}
					break
				}
			}
			return nil
		}})
	}
	return append(all, proof{"an issuer that is no URL is nobody's host", checkStrangeIssuers}, proof{"a replaced key", checkReplacedKey},
		proof{"blames each finding by itself", checkEachBlame})
}

// checkStrangeIssuers: an issuer need not be a URL.
func checkStrangeIssuers() error {
	for _, name := range []string{"issuer", "https://%zz/"} {
		expect := corpus.Trusting("")
		expect.Issuers[0].Name = name
		verifier, err := token.NewVerifier(expect)
		if err != nil {
			return err
		}
		_, err = verifier.Verify(corpus.Headers(corpus.Also("jku", `"keys"`)), tokentest.Now(), corpus.Published)
		if got := refusal.CategoryOf(err); got != refusal.Attack {
			return fmt.Errorf("want category attack with the issuer %s, got %s", name, got)
		}
	}
	return nil
}

// checkEachBlame: who is to blame for one finding is not to blame for the next.
func checkEachBlame() error {
	verifier, err := token.NewVerifier(corpus.Trusting(""))
	if err != nil {
		return err
	}
	expired := tokentest.Payload().With("exp", corpus.In(-1))
	for _, compact := range []string{
		corpus.RawPayload(expired.With("iss", `"https://issuer.example"`).String()),
		tokentest.Sign(tokentest.Header("k1").With("alg", `"HS256"`).JSON(), expired.JSON(), tokentest.K1()),
	} {
		for _, f := range verifier.Explain(compact, tokentest.Now(), holding{corpus.Published}) {
			if f.Check == token.Expiry && f.Refused.Category() != refusal.Client {
				return fmt.Errorf("want category client for an expired token, got %s", f.Refused.Category())
			}
		}
	}
	return nil
}

// checkReplacedKey presents a token of the key that replaced another.
func checkReplacedKey() error {
	old, fresh := tokentest.Key(signature.RS256), tokentest.Key(signature.PS256)
	fresh.Algorithm = signature.RS256
	header, payload := tokentest.Header("k1").JSON(), tokentest.Payload().JSON()
	input := tokentest.Segment(header) + "." + tokentest.Segment(payload)
	compact := input + "." + tokentest.Segment(tokentest.SignatureAs(signature.RS256, input, tokentest.Signer(signature.PS256)))
	verifier, err := token.NewVerifier(corpus.Trusting(""))
	if err != nil {
		return err
	}
	for _, row := range []struct {
		then *signature.Key
		err  error
		want refusal.Reason
	}{
		{fresh, nil, corpus.Accepted},
		{old, nil, refusal.BadSignature},
		{nil, refusal.New(refusal.JWKSUnavailable, "no answer"), refusal.BadSignature},
	} {
		claims, err := verifier.Verify(compact, tokentest.Now(), token.KeyFunc(func(_, _ string, failed *signature.Key) (*signature.Key, error) {
			switch failed {
			case nil:
				return old, nil
			case old:
				return row.then, row.err
			}
			return nil, errors.New("asked about a key that it was not given")
		}))
		if row.want == corpus.Accepted && (err != nil || claims.KeyID != "k1") || row.want != corpus.Accepted && refusal.ReasonOf(err) != row.want {
			return fmt.Errorf("want %q, got %v", row.want, err)
		}
	}
	return nil
}

// hints are what a refusal adds about profiles.
func hints() []proof {
	bare := func(o tokentest.Object) tokentest.Object { return o.Without("azp").Without("scope").Without("gty") }
	rfc := tokentest.Header("k1").With("typ", `"at+jwt"`)
	typed := func(edits ...corpus.Edit) string {
		payload := tokentest.Payload()
		for _, edit := range edits {
			payload = edit(payload)
		}
		return tokentest.Sign(rfc.JSON(), payload.JSON(), tokentest.K1())
	}
	var all []proof
	for _, row := range []struct{ provider, token, detail string }{
		{"", corpus.Claims(bare, corpus.Drop("aud"), corpus.Also("token_use", `"access"`), corpus.Also("client_id", `"c"`)), "got none; the profile cognito expects it in client_id"},
		{"", corpus.Claims(corpus.Set("aud", `"x"`), corpus.Also("token_use", `"access"`)), "got another value; the profile cognito expects it in client_id"},
		{"", corpus.Claims(corpus.Set("aud", `"x"`), corpus.Also("cid", `"c"`), corpus.Drop("scope")), "got another value$"},
		{"", corpus.Claims(bare, corpus.Set("aud", `"x"`)), "got another value$"},
		{"cognito", corpus.Claims(corpus.Also("token_use", `"access"`)), "expected client_id as a string or an array of strings, got none$"},
		{"cognito", corpus.Claims(corpus.Also("token_use", `"access"`), corpus.Set("scope", `["a"]`)), "got none$"},
		{"", corpus.Claims(corpus.Also("typ", `"Bearer"`), corpus.Also("nonce", `"n"`)), "got an ID token: has nonce; the profile keycloak accepts such access tokens"},
		{"okta", tokentest.Valid(), "another kind of token: has no cid; the profile auth0 accepts such access tokens"},
		{"okta", corpus.Claims(bare, corpus.Also("permissions", `["a"]`)), "has no cid; the profile auth0 accepts such access tokens"},
		{"okta", corpus.Claims(bare), "has no cid; send the access token instead"},
		{"okta", corpus.Claims(corpus.Set("scope", `["a"]`)), "has no cid; send the access token instead"},
		{"okta", corpus.Claims(bare, corpus.Also("c_hash", `"h"`)), "got an ID token: has c_hash; send the access token instead"},
		{"keycloak", corpus.Claims(bare, corpus.Also("nonce", `"n"`)), "got an ID token: has nonce; send the access token instead"},
		{"keycloak", corpus.Claims(bare, corpus.Also("cid", `"c"`), corpus.Also("scp", `["a"]`)), "has no typ; the profile okta accepts such access tokens"},
		{"cognito", typed(), "has no token_use; the profile rfc9068 accepts such access tokens"},
		{"cognito", typed(corpus.Set("scope", `["a"]`)), "has no token_use; the profile duende accepts such access tokens"},
		{"cognito", corpus.Claims(bare, corpus.Also("ver", `"2.0"`), corpus.Also("azp", `"c"`), corpus.Also("roles", `["a"]`)), "the profile entra accepts such access tokens"},
		{"entra", corpus.Claims(bare, corpus.Also("ver", `"2.0"`), corpus.Also("azp", `"c"`)), "has neither scp nor roles; send"},
		{"entra", corpus.Claims(corpus.Also("ver", `"1.0"`), bare), "another kind of token: ver is not 2.0; send"},
		{"keycloak", corpus.Claims(corpus.Also("typ", `"Bearer"`), corpus.Drop("sub")), "got none: give the client the client scope basic"},
		{"keycloak", corpus.Claims(corpus.Also("typ", `"Bearer"`), corpus.Set("sub", `""`)), "an empty one or another type$"},
		{"", corpus.Claims(corpus.Drop("sub")), "expected sub as a string, got none$"},
		{"okta", corpus.Claims(bare, corpus.Also("cid", `"c"`), corpus.Also("scp", `"a"`)), "expected scp as an array, got another type"},
		{"duende", typed(corpus.Set("scope", "1")), "expected scope as a string or an array, got another type"},
		{"okta", corpus.Claims(bare, corpus.Also("cid", `"c"`), corpus.Also("scp", `["a b"]`)), "expected one scope in each element of scp"},
	} {
		all = append(all, proof{"hint " + row.provider + ": " + row.detail, func() error {
			verifier, err := token.NewVerifier(corpus.Trusting(row.provider))
			if err != nil {
				return err
			}
			_, err = verifier.Verify(row.token, tokentest.Now(), corpus.Published)
			text, whole := strings.CutSuffix(row.detail, "$")
			if err == nil || !strings.Contains(err.Error(), text) || whole && !strings.HasSuffix(err.Error(), text) {
				return fmt.Errorf("want a detail with %q, got %v", row.detail, err)
			}
			return nil
		}})
	}
	return append(all, proof{"the nearest of several issuers is named", func() error {
		expect := corpus.Trusting("")
		expect.Issuers = append(expect.Issuers, token.Issuer{Name: "https://other.example/", Audiences: []string{"a"}})
		verifier, err := token.NewVerifier(expect)
		if err != nil {
			return err
		}
		_, err = verifier.Verify(corpus.Claims(corpus.Set("iss", `"https://issuer.example"`)), tokentest.Now(), corpus.Published)
		if err == nil || !strings.Contains(err.Error(), "a different trailing slash") {
			return fmt.Errorf("want the slash named, got %v", err)
		}
		return nil
	}})
}

func TestBlamesAndHints(t *testing.T) {
	for _, p := range append(blames(), hints()...) {
		if err := p.check(); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}
