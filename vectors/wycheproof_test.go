package vectors

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"account-api/internal/jwks"
	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"

	"github.com/c2sp/wycheproof"
)

// file is the part of a Wycheproof file that is used here.
type file struct {
	NumberOfTests int
	TestGroups    []group
}

type group struct {
	Comment         string
	Public, Private json.RawMessage // a JWK or a JWK Set; Public is absent for symmetric keys
	KeyJWK          json.RawMessage // of signatures
	PublicKeyJWK    json.RawMessage // the same, in other files
	PublicKey       struct{ Uncompressed string }
	Tests           []vector
}

type vector struct {
	TcID     int
	Comment  string
	Result   string // valid, acceptable or invalid
	JWS, JWE serialized
	Msg, Sig string // of signatures, in hexadecimal
}

// serialized is a token as it would be sent: the text of a compact serialization, or
// the JSON of the others.
type serialized string

func (s *serialized) UnmarshalJSON(text []byte) error {
	var compact string
	if json.Unmarshal(text, &compact) == nil {
		*s = serialized(compact)
		return nil
	}
	*s = serialized(text)
	return nil
}

// key is what a provider would publish of the group's key.
func (g group) key() json.RawMessage {
	if g.Public != nil {
		return g.Public
	}
	return g.Private
}

// jwk is the key of signatures.
func (g group) jwk() json.RawMessage {
	switch point, _ := hex.DecodeString(g.PublicKey.Uncompressed); {
	case g.PublicKeyJWK != nil:
		return g.PublicKeyJWK
	case len(point) == 65: // 4, then x and y
		return fmt.Appendf(nil, `{"kty":"EC","crv":"P-256","kid":"none","x":%q,"y":%q}`, tokentest.Segment(point[1:33]), tokentest.Segment(point[33:]))
	}
	return g.KeyJWK
}

// document is the group's key as a key set.
func document(key json.RawMessage) []byte {
	var set struct{ Keys []json.RawMessage }
	if json.Unmarshal(key, &set) == nil && set.Keys != nil {
		return key
	}
	return []byte(`{"keys":[` + string(key) + `]}`)
}

// load reads a file and checks that all its tests were found.
func load(t *testing.T, name string) []group {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, g := range f.TestGroups {
		count += len(g.Tests)
	}
	if count == 0 || count != f.NumberOfTests {
		t.Fatalf("want the file's %d tests, got %d", f.NumberOfTests, count)
	}
	return f.TestGroups
}

// verdict is the outcome of a JWS with a key set.
type verdict struct {
	valid bool   // as a JWS: whatever the payload says
	why   string // if it is not
}

// judge looks at a JWS with a provider's key set. The payloads of the vectors are no claims, so
// it looks at form, header, key, signature, and the encoding of the payload.
func judge(t *testing.T, sent serialized, keySet []byte) verdict {
	t.Helper()
	expect := corpus.Trusting("")
	expect.Algorithms = signature.Algorithms()
	verifier, err := token.NewVerifier(expect)
	if err != nil {
		t.Fatal(err)
	}
	compact := string(sent)
	set, err := jwks.Parse(keySet, expect.Algorithms...)
	if err != nil {
		return verdict{why: err.Error()}
	}
	keys := token.KeyFunc(func(_, kid string, _ *signature.Key) (*signature.Key, error) { return set.Key(kid) })
	if claims, err := verifier.Verify(compact, tokentest.Now(), keys); err == nil {
		t.Errorf("want no vector taken for an access token, got %+v", claims)
	}
	checks := []token.Check{
		token.Form, token.Header, token.Algorithm, token.OtherHeaders, token.Type, token.Thumbprints, token.KeyID,
		token.SignatureForm, token.Key, token.Signature,
	}
	about := map[token.Check]bool{}
	for _, check := range checks {
		about[check] = true
	}
	for _, f := range verifier.Explain(compact, tokentest.Now(), keys) {
		switch {
		case f.Passed():
		case about[f.Check] && f.Refused != nil:
			return verdict{why: f.Refused.Error()}
		case about[f.Check]:
			return verdict{why: "needs " + string(f.Needs)}
		case f.Check == token.Payload && f.Refused != nil && strings.Contains(f.Refused.Detail, "canonical"):
			return verdict{why: f.Refused.Error()}
		}
	}
	return verdict{valid: true}
}

// compare fails the test unless the verdict is the file's. With a deviation it has to differ.
func compare(t *testing.T, v vector, got verdict, deviation string) {
	t.Helper()
	want := v.Result == "valid"
	switch {
	case got.valid == want && deviation != "":
		t.Errorf("tcId %d %s: want it to differ (%s), got the file's %s", v.TcID, v.Comment, deviation, v.Result)
	case got.valid != want && deviation == "":
		t.Errorf("tcId %d %s: want %s, got valid %t: %s", v.TcID, v.Comment, v.Result, got.valid, got.why)
	}
}
