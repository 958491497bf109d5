package main

import (
	"context"
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

// row is one sentence about the function, and its check.
type row struct {
	name  string
	check func(*testing.T, authorizer)
}

// TestCorpus presents every hostile and every unusual token, event and key set to the handler:
// event bytes in, the bytes for Lambda's Runtime API out. Each row has an authorizer without
// keys and a provider of its own.
func TestCorpus(t *testing.T) {
	t.Parallel()
	rows := slices.Concat(tokenRows(), eventRows(), keySetRows(), transportRows(), overTimeRows(), answerRows())
	passed := 0
	for _, r := range rows {
		if t.Run(r.name, func(t *testing.T) { r.check(t, newAuthorizer(t)) }) {
			passed++
		}
	}
	t.Logf("corpus: %d of %d rows", passed, len(rows))
}

// tokenRows are the rows of the token corpus. What is refused without a key must not cause a
// fetch, not even in a function without keys.
func tokenRows() []row {
	var rows []row
	for _, r := range corpus.Rows() {
		rows = append(rows, row{r.Name, func(t *testing.T, a authorizer) {
			a.verifier = newVerifier(t, r.Expect)
			a.clock.set(r.At)
			fetches := map[bool]int64{true: 1}[r.NeedsKey()]
			if r.Want == refusal.BadSignature {
				fetches++ // the key may have been replaced
			}
			if r.OwnKeys {
				fetches = 0
				for _, issuer := range r.Expect.Issuers {
					a.keys[issuer.Name] = keyFunc(func(_, kid string, failed *signature.Key) (*signature.Key, error) {
						return r.Key.Key(issuer.Name, kid, failed)
					})
				}
			}
			want := r.Want
			if want == corpus.Accepted {
				want = accepted
			}
			if strings.Trim(r.Token, bearerCharacters) != "" { // never reaches the verifier
				want, fetches = refusal.MalformedToken, 0
			}
			a.meets(t, bearing(r.Token), want, allowed(r.Claims, len(r.Expect.Issuers) > 1))
			a.fetched(t, fetches)
		}})
	}
	return rows
}

// keyFunc is a key source without a provider. Nil finds no key and no error either.
type keyFunc token.KeyFunc

func (f keyFunc) Key(_ context.Context, kid string, failed *signature.Key) (*signature.Key, error) {
	return token.KeyFunc(f).Key(tokentest.Issuer, kid, failed)
}
func (f keyFunc) Holds(string) bool          { return false }
func (f keyFunc) Usable() bool               { return false }
func (f keyFunc) Age() (time.Duration, bool) { return 0, false }

// refusing is a row whose event is refused, after so many fetches.
func refusing(name, event string, want refusal.Reason, fetches int64) row {
	return row{name, func(t *testing.T, a authorizer) {
		a.meets(t, event, want, "")
		a.fetched(t, fetches)
	}}
}
