package token_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// scenario is a row of the corpus and what is checked about it here.
type scenario struct{ corpus.Row }

// given is a row that is not in the corpus.
func given(name, compact string, want refusal.Reason, options ...func(*corpus.Row)) scenario {
	return scenario{corpus.Given(name, compact, want, options...)}
}

// scenarios is the whole corpus.
func scenarios() []scenario {
	var all []scenario
	for _, row := range corpus.Rows() {
		all = append(all, scenario{row})
	}
	return all
}

// check returns what is wrong with the verifier's answer, or nil.
func (s scenario) check() error {
	verifier, err := token.NewVerifier(s.Expect)
	if err != nil {
		return err
	}
	// The second time a verified header comes out of the cache.
	for _, occasion := range []string{"first", "second"} {
		if err := s.checkWith(verifier); err != nil {
			return fmt.Errorf("the %s time: %w", occasion, err)
		}
	}
	return s.checkExplanation(verifier)
}

func (s scenario) checkWith(verifier *token.Verifier) error {
	calls := 0
	keys := token.KeyFunc(func(issuer, kid string, failed *signature.Key) (*signature.Key, error) {
		calls++
		return s.Key(issuer, kid, failed)
	})
	if s.Key == nil {
		keys = nil
	}
	claims, err := verifier.Verify(s.Token, s.At, keys)
	if s.Want == corpus.Accepted {
		if err != nil {
			return fmt.Errorf("want it accepted, got %v", err)
		}
		if !claims.ExpiresAt.Equal(s.Claims.ExpiresAt) {
			return fmt.Errorf("want exp %v, got %v", s.Claims.ExpiresAt, claims.ExpiresAt)
		}
		claims.ExpiresAt = s.Claims.ExpiresAt
		if !reflect.DeepEqual(claims, s.Claims) {
			return fmt.Errorf("want claims %+v, got %+v", s.Claims, claims)
		}
	} else {
		refused, ok := err.(*refusal.Error)
		if !ok {
			return fmt.Errorf("want a refusal for %s, got %v", s.Want, err)
		}
		if refused.Reason != s.Want {
			return fmt.Errorf("want %s, got %v", s.Want, refused)
		}
		if !reflect.DeepEqual(claims, token.Claims{}) {
			return fmt.Errorf("want zero claims with a refusal, got %+v", claims)
		}
		if err := s.checkText(refused.Error()); err != nil {
			return err
		}
	}
	want := map[bool]int{true: 1}[s.NeedsKey()]
	if s.Want == refusal.BadSignature || s.Mismatch {
		want = 2 // the key may have been replaced
	}
	if calls != want {
		return fmt.Errorf("want %d calls of the key function, got %d", want, calls)
	}
	return nil
}

// segments are the parts of a token that are long enough to tell. They are kept for the next
// call: some tokens are a megabyte of dots.
func segments(compact string) []string {
	if known, ok := knownSegments.Load(compact); ok {
		return known.([]string)
	}
	var long []string
	for segment := range strings.SplitSeq(compact, ".") {
		if len(segment) >= 8 {
			long = append(long, segment)
		}
	}
	long = slices.Clip(long) // the caller appends
	knownSegments.Store(compact, long)
	return long
}

var knownSegments sync.Map // by token

// checkText looks for what must never reach a log.
func (s scenario) checkText(text string) error {
	for _, secret := range append(segments(s.Token), tokentest.Client, "issuer.example", "library.example", "evil", "client-credentials") {
		if strings.Contains(text, secret) {
			return errors.New("want no token bytes and no claim values in the refusal, got some in: " + text)
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' && r != '…' }) {
		return fmt.Errorf("want one printable line as refusal, got %q", text)
	}
	return nil
}

// TestRowNamesAreUnique keeps a copied row from hiding behind another's name.
func TestRowNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		if seen[s.Name] {
			t.Errorf("two rows are named %q", s.Name)
		}
		seen[s.Name] = true
	}
}

func TestVerify(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			if err := s.check(); err != nil {
				t.Error(err)
			}
		})
	}
}
