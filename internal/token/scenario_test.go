package token_test

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

// scenario is one token, presented under stated conditions, and its outcome. Most
// come from rows of the tables in the *_rows_test.go files.
type scenario struct {
	name   string
	token  string
	want   refusal.Reason // empty: accepted
	expect token.Expectation
	at     time.Time
	key    token.KeyFunc
	claims token.Claims // if accepted
}

// accepted is the want of a row whose token is a good one.
const accepted refusal.Reason = ""

// given is one row: under the usual conditions, unless an option says otherwise,
// the token meets want.
func given(name, compact string, want refusal.Reason, options ...func(*scenario)) scenario {
	s := scenario{
		name: name, token: compact, want: want,
		expect: token.Expectation{Issuer: tokentest.Issuer, Audience: tokentest.Audience},
		at:     tokentest.Now(),
		key:    published,
		claims: token.Claims{
			Subject:         tokentest.Subject,
			Scope:           "get:profile",
			HasScope:        true,
			AuthorizedParty: "FHgLVARPk8oXjsP5utP8wYAnZePPAkw1",
			KeyID:           "k1",
			ExpiresAt:       time.Unix(1700086400, 0),
		},
	}
	for _, option := range options {
		option(&s)
	}
	return s
}

func leeway(d time.Duration) func(*scenario) { return func(s *scenario) { s.expect.Leeway = d } }
func lifetime(d time.Duration) func(*scenario) {
	return func(s *scenario) { s.expect.MaxLifetime = d }
}
func accessTokenType(s *scenario)                { s.expect.RequireAccessTokenType = true }
func after(d time.Duration) func(*scenario)      { return func(s *scenario) { s.at = s.at.Add(d) } }
func keys(k token.KeyFunc) func(*scenario)       { return func(s *scenario) { s.key = k } }
func says(f func(*token.Claims)) func(*scenario) { return func(s *scenario) { f(&s.claims) } }
func expiring(unix int64) func(*scenario) {
	return says(func(c *token.Claims) { c.ExpiresAt = time.Unix(unix, 0) })
}

// published is the provider's key set: k1 and k2.
func published(kid string) (*rsa.PublicKey, error) {
	switch kid {
	case "k1":
		return &tokentest.K1().PublicKey, nil
	case "k2":
		return &tokentest.K2().PublicKey, nil
	}
	return nil, refusal.New(refusal.UnknownKid, "key %q is not in the key set", "…")
}

// check returns what is wrong with the verifier's answer, or nil.
func (s scenario) check() error {
	verifier, err := token.NewVerifier(s.expect)
	if err != nil {
		return err
	}
	// The second time a verified header comes out of the cache.
	for _, occasion := range []string{"first", "second"} {
		if err := s.checkWith(verifier); err != nil {
			return fmt.Errorf("the %s time: %w", occasion, err)
		}
	}
	return nil
}

func (s scenario) checkWith(verifier *token.Verifier) error {
	calls := 0
	key := func(kid string) (*rsa.PublicKey, error) { calls++; return s.key(kid) }
	if s.key == nil {
		key = nil
	}
	claims, err := verifier.Verify(s.token, s.at, key)
	if s.want == accepted {
		if err != nil {
			return fmt.Errorf("want accepted, got %v", err)
		}
		if !claims.ExpiresAt.Equal(s.claims.ExpiresAt) {
			return fmt.Errorf("want exp %v, got %v", s.claims.ExpiresAt, claims.ExpiresAt)
		}
		claims.ExpiresAt = s.claims.ExpiresAt
		if !reflect.DeepEqual(claims, s.claims) {
			return fmt.Errorf("want claims %+v, got %+v", s.claims, claims)
		}
	} else {
		refused, ok := err.(*refusal.Error)
		if !ok {
			return fmt.Errorf("want a refusal for %s, got %v", s.want, err)
		}
		if refused.Reason != s.want {
			return fmt.Errorf("want %s, got %v", s.want, refused)
		}
		if !reflect.DeepEqual(claims, token.Claims{}) {
			return fmt.Errorf("want zero claims with a refusal, got %+v", claims)
		}
		if err := s.checkText(refused.Error()); err != nil {
			return err
		}
	}
	if want := s.wantCalls(); calls != want {
		return fmt.Errorf("want %d calls of the key function, got %d", want, calls)
	}
	return nil
}

// wantCalls is 1 if the outcome depends on the key, and 0 if the token alone is
// reason enough to refuse it.
func (s scenario) wantCalls() int {
	needKey := []refusal.Reason{accepted, refusal.UnknownKid, refusal.BadSignature, refusal.KeyRejected, refusal.JWKSUnavailable, refusal.Internal}
	if s.key != nil && slices.Contains(needKey, s.want) {
		return 1
	}
	return 0
}

// checkText looks for what must never reach a log.
func (s scenario) checkText(text string) error {
	secrets := []string{tokentest.Subject, "FHgLVARP", "TENANT", "example.com", "evil", "client-credentials"}
	for segment := range strings.SplitSeq(s.token, ".") {
		if len(segment) >= 8 {
			secrets = append(secrets, segment)
		}
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			return errors.New("want no token bytes and no claim values in the refusal, got some in: " + text)
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' && r != '…' }) {
		return fmt.Errorf("want one printable line as refusal, got %q", text)
	}
	return nil
}

func TestVerify(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			if err := s.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// scenarios is every row of every table.
func scenarios() []scenario {
	return slices.Concat(formRows(), headerRows(), keyRows(), claimRows(), dateRows(), principalRows(), grantRows())
}

// TestRowNamesAreUnique keeps a copied row from hiding behind another's name.
func TestRowNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.name] {
			t.Errorf("two rows are named %q", s.name)
		}
		seen[s.name] = true
	}
}

// edit derives one JSON object from another.
type edit = func(tokentest.Object) tokentest.Object

func set(name, value string) edit {
	return func(o tokentest.Object) tokentest.Object { return o.With(name, value) }
}
func also(name, value string) edit {
	return func(o tokentest.Object) tokentest.Object { return o.Also(name, value) }
}
func before(name, value string) edit {
	return func(o tokentest.Object) tokentest.Object { return o.Before(name, value) }
}
func drop(name string) edit {
	return func(o tokentest.Object) tokentest.Object { return o.Without(name) }
}

func apply(o tokentest.Object, edits []edit) []byte {
	for _, edit := range edits {
		o = edit(o)
	}
	return o.JSON()
}

// headers is a good token but for its header; claims but for its payload. Both are
// signed with the provider's key, so that nothing but the edit can be the reason.
func headers(edits ...edit) string {
	return rawHeader(string(apply(tokentest.Header("k1"), edits)))
}
func claims(edits ...edit) string {
	return rawPayload(string(apply(tokentest.Payload(), edits)))
}
func rawHeader(text string) string {
	return tokentest.Sign([]byte(text), tokentest.Payload().JSON(), tokentest.K1())
}
func rawPayload(text string) string {
	return tokentest.Sign(tokentest.Header("k1").JSON(), []byte(text), tokentest.K1())
}
