// Package corpus lists tokens and their outcome: hostile ones with the reason to refuse them,
// and unusual good ones with their claims. It is for the tests of the verifier and of all that
// is given a token. It verifies nothing and must never be linked into a function.
//
// A row is one line in one of the tables: what is special about the token, the token,
// and the outcome. Options say under which conditions, if they are not the usual ones.
package corpus

import (
	"crypto/rsa"
	"slices"
	"sync"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// Row is one token, presented under stated conditions, and its outcome.
type Row struct {
	Name   string
	Token  string
	Want   refusal.Reason    // Accepted, or why it is refused
	Expect token.Expectation // how the verifier is configured
	At     time.Time         // when the token is presented
	Claims token.Claims      // what it says, if it is accepted

	// Key is where the verifier finds keys. Unless OwnKeys is set it is [Published],
	// for which a provider that publishes [tokentest.PublicKeySet] may stand in.
	Key     token.KeyFunc
	OwnKeys bool

	// Mismatch is set if the key's algorithm, and not only the header, decides.
	Mismatch bool
}

// Accepted is the Want of a row whose token is a good one.
const Accepted refusal.Reason = ""

// Given is one row: under the usual conditions, unless an option says otherwise, the
// token meets want.
func Given(name, compact string, want refusal.Reason, options ...func(*Row)) Row {
	r := Row{
		Name: name, Token: compact, Want: want,
		Expect: Trusting(""),
		At:     tokentest.Now(),
		Claims: token.Claims{
			Issuer:          tokentest.Issuer,
			Subject:         tokentest.Subject,
			Scope:           tokentest.Scope,
			HasScope:        true,
			AuthorizedParty: tokentest.Client,
			KeyID:           "k1",
			ExpiresAt:       time.Unix(1700086400, 0),
		},
		Key: Published,
	}
	for _, option := range options {
		option(&r)
	}
	return r
}

// Trusting expects the usual issuer's tokens, as a provider's profile describes them.
func Trusting(provider string) token.Expectation {
	return token.Expectation{Issuers: []token.Issuer{
		{Name: tokentest.Issuer, Audiences: []string{tokentest.Audience}, Provider: provider},
	}}
}

// Published is the provider's key set, [tokentest.PublicKeySet], as a function.
var Published token.KeyFunc = func(_, kid string, _ *signature.Key) (*signature.Key, error) {
	switch kid {
	case "k1":
		return rs256(tokentest.K1()), nil
	case "k2":
		return rs256(tokentest.K2()), nil
	}
	return nil, refusal.New(refusal.UnknownKid, "key %q is not in the key set", "…")
}

func rs256(key *rsa.PrivateKey) *signature.Key {
	return &signature.Key{Algorithm: signature.RS256, Public: &key.PublicKey}
}

// NeedsKey reports whether the outcome depends on a key. If it does not, no key may be
// looked up.
func (r Row) NeedsKey() bool {
	if r.Mismatch {
		return true
	}
	switch r.Want {
	case Accepted, refusal.UnknownKid, refusal.KeyRejected, refusal.BadSignature, refusal.JWKSUnavailable, refusal.Internal:
		return r.Key != nil
	}
	return false
}

// Rows is every row of every table. It is the same each time within a process.
func Rows() []Row { return slices.Clone(rows()) }

var rows = sync.OnceValue(func() []Row {
	return slices.Concat(formRows(), headerRows(), keyRows(), claimRows(), kindRows(), dateRows(), principalRows(), grantRows(),
		providerRows(), issuerRows(), passedRows(), algorithmRows())
})

// The options of the tables.

func provider(name string) func(*Row)  { return func(r *Row) { r.Expect = Trusting(name) } }
func after(d time.Duration) func(*Row) { return func(r *Row) { r.At = r.At.Add(d) } }
func keys(k token.KeyFunc) func(*Row)  { return func(r *Row) { r.Key, r.OwnKeys = k, true } }

func says(f func(*token.Claims)) func(*Row) { return func(r *Row) { f(&r.Claims) } }
func expiring(unix int64) func(*Row) {
	return says(func(c *token.Claims) { c.ExpiresAt = time.Unix(unix, 0) })
}
