package token_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// dresses turn an Auth0 access token into one of another profile: members for the payload, and
// whether the header names the type.
var dresses = map[string]struct {
	claims string
	atJWT  bool
	other  []string // what the rows' names begin with that the profile judges in its own way
}{
	"okta":     {claims: `"cid":"client","scp":["read:books"],`, other: []string{"azp", "scope"}},
	"entra":    {claims: `"ver":"2.0","scp":"read:books",`, other: []string{"azp", "scope"}},
	"cognito":  {claims: `"client_id":` + tokentest.Quote(tokentest.Audience) + `,"token_use":"access",`, other: []string{"azp", "aud", "AUD", "an ID token"}},
	"keycloak": {claims: `"typ":"Bearer",`},
	"rfc9068":  {claims: `"client_id":"client",`, atJWT: true, other: []string{"azp"}},
	"duende":   {claims: `"client_id":"client",`, atJWT: true, other: []string{"azp", "Sub", "sub missing", "sub null", "scope as an array", "scope as []"}},
}

// dressed is the token as one of the profile. It is signed anew if the outcome depends on a key:
// TestVerify shows that other tokens are refused without one. It is none if the row is about what
// is not a payload under the provider's signature, or about a claim of the profile itself.
func dressed(row corpus.Row, provider string) (compact string, ok bool) {
	parts := strings.Split(row.Token, ".")
	if row.OwnKeys || len(parts) != 3 || len(row.Expect.Issuers) != 1 || row.Expect.Issuers[0].Provider != "" || len(row.Expect.PassOn) > 0 {
		return "", false
	}
	header, err1 := base64.RawURLEncoding.Strict().DecodeString(parts[0])
	payload, err2 := base64.RawURLEncoding.Strict().DecodeString(parts[1])
	made, err3 := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if errors.Join(err1, err2, err3) != nil || tokentest.Key(signature.RS256).Verify([]byte(parts[0]+"."+parts[1]), made) != nil || strings.ContainsAny(row.Token, "\r\n") || !strings.HasPrefix(string(payload), "{\"") {
		return "", false
	}
	dress := dresses[provider]
	if slices.ContainsFunc(dress.other, func(beginning string) bool { return strings.HasPrefix(row.Name, beginning) }) {
		return "", false
	}
	if row.Want == refusal.WrongKind && provider != "okta" {
		return "", false // the profile tells kinds by what the token has now
	}
	for _, name := range []string{"cid", "scp", "ver", "client_id", "token_use", "typ"} {
		if strings.Contains(dress.claims, `"`+name+`":`) && strings.Contains(string(payload), `"`+name+`"`) {
			return "", false
		}
	}
	if provider == "rfc9068" && !strings.Contains(string(payload), `"iat":1`) {
		return "", false // it demands the date of issue
	}
	head := string(header)
	if dress.atJWT {
		if head = strings.Replace(head, `"typ":"JWT"`, `"typ":"at+jwt"`, 1); head == string(header) {
			return "", false
		}
	}
	input := tokentest.Segment([]byte(head)) + "." + tokentest.Segment([]byte("{"+dress.claims+string(payload[1:])))
	if row.NeedsKey() {
		compact = corpus.SignedAsIs(input)
	} else {
		compact = input + "." + parts[2]
	}
	return compact, len(compact) <= 10240 || row.Want != corpus.Accepted
}

// TestCorpusUnderEveryProfile presents the tokens of the corpus as each profile's access tokens.
// What a profile does not change has the same outcome.
func TestCorpusUnderEveryProfile(t *testing.T) {
	for _, provider := range token.Providers()[1:] {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			verifier, err := token.NewVerifier(corpus.Trusting(provider))
			if err != nil {
				t.Fatal(err)
			}
			compared, refused := 0, 0
			for _, row := range corpus.Rows() {
				compact, ok := dressed(row, provider)
				if !ok {
					continue
				}
				_, err := verifier.Verify(compact, row.At, row.Key)
				got := corpus.Accepted
				if err != nil {
					got = refusal.ReasonOf(err)
				}
				compared++
				if got != corpus.Accepted {
					refused++
				}
				if got != row.Want {
					t.Errorf("%s: want %q as under the first profile, got %q: %v", row.Name, row.Want, got, err)
				}
			}
			if compared < 200 || refused < 100 {
				t.Errorf("want a run over hundreds of rows, got %d with %d refused", compared, refused)
			}
			t.Logf("%d rows compared, %d of them refused", compared, refused)
		})
	}
}
