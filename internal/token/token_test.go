package token_test

import (
	"fmt"
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

// configuration is one [token.Expectation] and what NewVerifier says to it.
type configuration struct {
	name   string
	expect token.Expectation
	names  string // what the error names; empty: accepted
}

func configurations() []configuration {
	with := func(edit func(*token.Expectation)) token.Expectation {
		expect := corpus.Trusting("")
		edit(&expect)
		return expect
	}
	return []configuration{
		{"issuer and audience are enough", with(func(*token.Expectation) {}), ""},
		{"no issuers", with(func(e *token.Expectation) { e.Issuers = nil }), "issuer"},
		{"no issuer", with(func(e *token.Expectation) { e.Issuers[0].Name = "" }), "issuer"},
		{"no audiences", with(func(e *token.Expectation) { e.Issuers[0].Audiences = nil }), "audience"},
		{"no audience", with(func(e *token.Expectation) { e.Issuers[0].Audiences[0] = "" }), "audience"},
		{"an issuer with a space", with(func(e *token.Expectation) { e.Issuers[0].Name += " " }), "issuer"},
		{"an audience with a line feed", with(func(e *token.Expectation) { e.Issuers[0].Audiences[0] = "\n" + tokentest.Audience }), "audience"},
		{"an issuer twice", with(func(e *token.Expectation) { e.Issuers = append(e.Issuers, e.Issuers[0]) }), "issuer once"},
		{"every provider", with(func(e *token.Expectation) {
			for _, name := range token.Providers() {
				e.Issuers = append(e.Issuers, token.Issuer{Name: "https://" + name + ".example/", Audiences: []string{"a", "b"}, Provider: name})
			}
		}), ""},
		{"an unknown provider", with(func(e *token.Expectation) { e.Issuers[0].Provider = "ping" }), "follows rfc9068"},
		{"a provider in another case", with(func(e *token.Expectation) { e.Issuers[0].Provider = "Auth0" }), "did you mean auth0?"},
		{"every algorithm", with(func(e *token.Expectation) { e.Algorithms = signature.Algorithms() }), ""},
		{"an HMAC", with(func(e *token.Expectation) { e.Algorithms = []signature.Algorithm{"HS256"} }), "algorithm"},
		{"none as algorithm", with(func(e *token.Expectation) { e.Algorithms = []signature.Algorithm{signature.RS256, "none"} }), "algorithm"},
		{"claims to pass on", with(func(e *token.Expectation) { e.PassOn = []string{"org_id", "https://claims.example/roles"} }), ""},
		{"a claim twice", with(func(e *token.Expectation) { e.PassOn = []string{"org_id", "org_id"} }), "each once"},
		{"a claim without a name", with(func(e *token.Expectation) { e.PassOn = []string{""} }), "each once"},
		{"a claim that is not UTF-8", with(func(e *token.Expectation) { e.PassOn = []string{"\xff"} }), "each once"},
	}
}

func (c configuration) check() error {
	verifier, err := token.NewVerifier(c.expect)
	switch {
	case c.names == "" && (err != nil || verifier == nil):
		return fmt.Errorf("want a verifier, got %v", err)
	case c.names != "" && (err == nil || verifier != nil):
		return fmt.Errorf("want an error and no verifier, got %v", err)
	case c.names != "" && (refusal.ReasonOf(err) != refusal.ConfigError || !strings.Contains(err.Error(), c.names)):
		return fmt.Errorf("want %s naming the %s, got %v", refusal.ConfigError, c.names, err)
	}
	return nil
}

func TestNewVerifier(t *testing.T) {
	for _, c := range configurations() {
		t.Run(c.name, func(t *testing.T) {
			if err := c.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// proof is one statement about the package. The mutation test runs all of them.
type proof struct {
	name  string
	check func() error
}

func proofs() []proof {
	// Those about single sentences come first: they are few and fail for most mutants.
	all := slices.Concat(explanations(), details(), blames(), hints(), []proof{{"header cache", checkHeaderCache}, {"header cache size", checkHeaderCacheSize}, {"providers with permissions", checkPermissions}})
	for _, c := range configurations() {
		all = append(all, proof{c.name, c.check})
	}
	for _, s := range scenarios() {
		all = append(all, proof{s.Name, s.check})
	}
	return all
}

func TestProvidersWithPermissions(t *testing.T) {
	if err := checkPermissions(); err != nil {
		t.Error(err)
	}
}

func checkPermissions() error {
	with := slices.DeleteFunc(append(token.Providers(), "", "ping"), func(name string) bool { return !token.HasPermissions(name) })
	if !slices.Equal(with, []string{"auth0", "entra", ""}) { // no name is the first one's
		return fmt.Errorf("want permissions of auth0, entra and the default, got those of %q", with)
	}
	return nil
}

func TestDetail(t *testing.T) {
	for _, p := range details() {
		if err := p.check(); err != nil {
			t.Error(err)
		}
	}
}

// details are the sentences that tell an operator what is wrong, and how much of a key ID
// a log line may show.
func details() []proof {
	var all []proof
	add := func(compact, detail string, key token.Keys) {
		all = append(all, proof{"detail " + detail, func() error {
			verifier, err := token.NewVerifier(given("", "", "").Expect)
			if err != nil {
				return err
			}
			if _, err := verifier.Verify(compact, tokentest.Now(), key); err == nil || !strings.Contains(err.Error(), detail) {
				return fmt.Errorf("want a detail with %q, got %v", detail, err)
			}
			return nil
		}})
	}
	h, rest, _ := strings.Cut(tokentest.Valid(), ".")
	p, _, _ := strings.Cut(rest, ".")
	for _, row := range []struct{ token, detail string }{
		{corpus.Claims(corpus.Set("iss", `"https://issuer.example"`)), "different trailing slash"},
		{corpus.Claims(corpus.Set("iss", `"https://ISSUER.example/"`)), "other letter case"},
		{corpus.Claims(corpus.Set("iss", `"http://issuer.example/"`)), "http instead of https"},
		{corpus.Claims(corpus.Set("iss", `" https://issuer.example/"`)), "white space around"},
		{corpus.Claims(corpus.Set("iss", `"https://other.example/"`)), "another value"},
		{corpus.Claims(corpus.Drop("iss")), "got none"},
		{corpus.Claims(corpus.Set("iss", "1")), "another type"},
		{corpus.Claims(corpus.Set("aud", `["a","b","https://library.example/books/"]`)), "which has 3 entries, got it with a different trailing slash"},
		{corpus.Claims(corpus.Set("aud", `["https://library.example/books/","b"]`)), "which has 2 entries, got it with a different trailing slash"},
		{corpus.Headers(corpus.Set("typ", `"JOSE"`)), "expected header typ at+jwt, JWT or none, got another"},
		{h + "=." + p + ".AA", "header in canonical base64url"},
		{h + "." + p + "=.AA", "payload in canonical base64url"},
		{h + "." + p + ".AA=", "signature in canonical base64url"},
		{h + "..AA", "expected a payload, got an empty part"},
		{h + "." + p[:8] + "\n" + p[8:] + ".AA", "payload on one line"},
		{corpus.Claims(corpus.Set("aud", `["a","b"]`)), "which has 2 entries, got another value"},
		{corpus.Claims(corpus.Set("exp", corpus.In(-42)), corpus.Set("iat", corpus.In(-50))), "expired 42s ago"},
		{corpus.Claims(corpus.Also("nbf", corpus.In(120))), "another 2m0s"},
		{corpus.Claims(corpus.Set("iat", corpus.In(90))), "issued 1m30s in the future; at most 1m0s"},
		{corpus.Claims(corpus.Set("exp", corpus.In(40*24*60*60))), "at most 720h0m0s"},
		{corpus.Headers(corpus.Set("alg", `"HS256"`)), "header alg RS256, got another"},
		{corpus.Headers(corpus.Drop("alg")), "header alg RS256, got none"},
		{corpus.Headers(corpus.Set("alg", `"None"`)), "header alg RS256, got none, an unsigned token: no setting accepts one"},
		{corpus.Headers(corpus.Also("jku", `"https://x/"`)), "no header jku"},
		{corpus.Headers(corpus.Also("x5c", "[]")), "no header x5c"},
		{corpus.Claims(corpus.Also("nonce", `"x"`)), "got an ID token: has nonce; send the access token"},
		{corpus.Claims(corpus.Also("at_hash", `"x"`)), "an ID token: has at_hash"},
		{corpus.Claims(corpus.Also("events", `{}`)), "a logout token: has events"},
		{corpus.Claims(corpus.Also("typ", `"ID"`), corpus.Also("nonce", `"x"`)), "an ID token: typ is ID"},
		{corpus.Claims(corpus.Also("typ", `"Refresh"`)), "a refresh token: typ is Refresh"},
		{corpus.Claims(corpus.Also("typ", `"Offline"`)), "a refresh token: typ is Offline"},
		{corpus.Claims(corpus.Also("typ", `"Logout"`)), "a logout token: typ is Logout"},
		{corpus.Claims(corpus.Also("typ", `"evil"`)), "another kind of token: typ is not Bearer"},
		{corpus.Claims(corpus.Also("token_use", `"id"`)), "an ID token: token_use is id"},
		{corpus.Claims(corpus.Also("token_use", "1")), "another kind of token: token_use is not access"},
		{corpus.Claims(corpus.Also("jti", "1")), "expected jti as a string, got another type"},
		{corpus.Forged(), `key "k1" does not verify`},
		{tokentest.Valid() + ".x.y", "encrypted token"},
		{"opaque", "opaque token"},
		{"a.b", "got 2"},
		{corpus.RawPayload("5"), "got another value"},
		{corpus.RawPayload("{}{}"), "something after it"},
		{corpus.RawPayload(`{"a":1,"a":2}`), "repeats a name"},
		{corpus.RawPayload(`{"a":1`), "ends early"},
		{corpus.RawPayload(` `), "ends early"},
		{corpus.RawPayload(`{"a" 1}`), "syntax error"},
		{corpus.RawPayload(`{"a":` + corpus.Nested(40) + `}`), "nests too deep"},
	} {
		add(row.token, row.detail, corpus.Published)
	}
	anyKey := token.KeyFunc(func(string, string, *signature.Key) (*signature.Key, error) {
		return &signature.Key{Algorithm: signature.RS256, Public: &tokentest.K3().PublicKey}, nil
	})
	for kid, shown := range map[string]string{
		"0123456789abcdef":          `"0123456789abcdef"`,
		"0123456789abcdefg":         `"0123456789abcdef"`,
		"ëëëëëëëëëëëëëëëëë":         `"ëëëëëëëëëëëëëëëë"`,
		strings.Repeat("k", 200):    `"kkkkkkkkkkkkkkkk"`,
		`"quoted"` + "\u00eb\\back": `"\"quoted\"ë\\back"`,
	} {
		add(corpus.Headers(corpus.Set("kid", tokentest.Quote(kid))), "key "+shown+" does not", anyKey)
	}
	return all
}

// TestHeaderCacheIsNoShortcut presents tokens that share a header with an accepted one and
// must be refused all the same.
func TestHeaderCacheIsNoShortcut(t *testing.T) {
	if err := checkHeaderCache(); err != nil {
		t.Error(err)
	}
}

func checkHeaderCache() error {
	verifier, err := token.NewVerifier(given("", "", "").Expect)
	if err != nil {
		return err
	}
	repeating := tokentest.Header("k1").Also("sub", tokentest.Quote(tokentest.Subject)).JSON()
	for _, s := range []scenario{
		given("an attacker's token first", corpus.Forged(), refusal.BadSignature),
		given("a good token", tokentest.Valid(), corpus.Accepted),
		given("the attacker's token again", corpus.Forged(), refusal.BadSignature),
		given("an expired token", corpus.Claims(corpus.Set("exp", corpus.In(0))), refusal.Expired),
		given("no signature", corpus.Unsigned(tokentest.Valid()), refusal.MalformedToken),
		given("the key is gone", tokentest.Valid(), refusal.UnknownKid, func(r *corpus.Row) {
			r.Key = func(string, string, *signature.Key) (*signature.Key, error) {
				return nil, refusal.New(refusal.UnknownKid, "removed")
			}
		}),
		given("a header that repeats sub", tokentest.Sign(repeating, tokentest.Payload().JSON(), tokentest.K1()), corpus.Accepted),
		given("the same header over another sub", tokentest.Sign(repeating, tokentest.Payload().With("sub", `"other"`).JSON(), tokentest.K1()), refusal.UnsupportedHeader),
	} {
		if err := s.checkWith(verifier); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return nil
}

// TestHeaderCacheIsBounded fills the cache.
func TestHeaderCacheIsBounded(t *testing.T) {
	if err := checkHeaderCacheSize(); err != nil {
		t.Error(err)
	}
}

// sized are tokens whose headers have a length: of length bytes, 4/3 as many characters.
var sized = sync.OnceValue(func() (tokens struct{ long, short string }) {
	ofLength := func(length int) string {
		filler := length - len(tokentest.Header("k1").Also("foo", `""`).String())
		return corpus.Headers(corpus.Also("foo", tokentest.Quote(strings.Repeat("x", filler))))
	}
	tokens.long, tokens.short = ofLength(385), ofLength(384)
	return tokens
})

// distinct are tokens with different headers, one more than the cache holds beside a sized one.
var distinct = sync.OnceValue(func() (tokens [17]string) {
	for i := range tokens {
		tokens[i] = corpus.Headers(corpus.Also("foo", fmt.Sprint(i)))
	}
	return tokens
})

func checkHeaderCacheSize() error {
	verifier, err := token.NewVerifier(given("", "", "").Expect)
	if err != nil {
		return err
	}
	present := func(compact string, want int) error {
		if _, err := verifier.Verify(compact, tokentest.Now(), corpus.Published); err != nil {
			return err
		}
		if got := verifier.KnownHeaders(); got != want {
			return fmt.Errorf("want %d known headers, got %d", want, got)
		}
		return nil
	}
	if err := present(sized().long, 0); err != nil { // 514 characters
		return err
	}
	if err := present(sized().short, 1); err != nil { // 512 characters
		return err
	}
	for i := 1; i < 16; i++ {
		for range 2 {
			if err := present(distinct()[i], i+1); err != nil {
				return err
			}
		}
	}
	return present(distinct()[16], 1) // a full cache starts anew
}

// TestConcurrentUse shares one verifier between goroutines. Run with -race.
func TestConcurrentUse(t *testing.T) {
	rows := []scenario{
		given("good", tokentest.Valid(), corpus.Accepted),
		given("expired", corpus.Claims(corpus.Set("exp", corpus.In(0))), refusal.Expired),
		given("foreign signature", corpus.Forged(), refusal.BadSignature),
		given("malformed", corpus.RawPayload(`{"a":[`), refusal.MalformedToken),
		given("another subject", corpus.Claims(corpus.Set("sub", `"other"`)), corpus.Accepted, func(r *corpus.Row) { r.Claims.Subject = "other" }),
	}
	for i := range 40 { // more headers than the cache holds
		rows = append(rows, given("header", corpus.Headers(corpus.Also("foo", fmt.Sprint(i))), corpus.Accepted))
	}
	verifier := newVerifier(t)
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 3 * len(rows) {
				if err := rows[(i+worker*5)%len(rows)].checkWith(verifier); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func newVerifier(t testing.TB) *token.Verifier {
	t.Helper()
	verifier, err := token.NewVerifier(corpus.Trusting(""))
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}
