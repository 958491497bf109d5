package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"account-api/internal/jwks"
	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

const arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/GET/books"

// accepted is the reason in the log of an invocation that allows.
const accepted refusal.Reason = "accepted"

// provider is an identity provider. It gives one answer until it is told another.
type provider struct {
	*httptest.Server
	fetches atomic.Int64
	answer  atomic.Pointer[http.HandlerFunc]
}

func newProvider(t testing.TB, answer http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{}
	p.says(answer)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fetches.Add(1)
		(*p.answer.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) says(answer http.HandlerFunc) { p.answer.Store(&answer) }

// publishing answers with a key set.
func publishing(keys ...tokentest.Object) http.HandlerFunc { return document(tokentest.JWKS(keys...)) }

func document(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.Write(body) }
}

func status(code int, body ...byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); w.Write(body) }
}

// key is the provider's current key as it is published, nextKey the one after it and
// strangeKey the attacker's.
func key() tokentest.Object        { return tokentest.JWK("k1", tokentest.K1()) }
func nextKey() tokentest.Object    { return tokentest.JWK("k2", tokentest.K2()) }
func strangeKey() tokentest.Object { return tokentest.JWK("k3", tokentest.K3()) }

// clock is a wall clock that a test moves.
type clock struct{ now atomic.Pointer[time.Time] }

func (c *clock) Now() time.Time          { return *c.now.Load() }
func (c *clock) set(now time.Time)       { c.now.Store(&now) }
func (c *clock) advance(d time.Duration) { c.set(c.Now().Add(d)) }

// authorizer is a handler with a real key source in front of a provider.
type authorizer struct {
	*handler
	provider *provider
	clock    *clock
	logs     *journal
}

// newAuthorizer is an authorizer as it is deployed, with another clock and a log of every level.
// The provider publishes its two keys.
func newAuthorizer(t testing.TB) authorizer {
	t.Helper()
	p, c, logs := newProvider(t, document(tokentest.PublicKeySet())), &clock{}, &journal{}
	c.set(tokentest.Now())
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return authorizer{&handler{
		verifier: newVerifier(t, corpus.Trusting("")),
		keys:     keySources{tokentest.Issuer: newSource(t, p.URL, c, log)},
		scope:    scopeMethod, outage: errUnauthorized, now: c.Now, log: log,
	}, p, c, logs}
}

func newVerifier(t testing.TB, expect token.Expectation) *token.Verifier {
	t.Helper()
	verifier, err := token.NewVerifier(expect)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func newSource(t testing.TB, url string, c *clock, log *slog.Logger) *jwks.Source {
	t.Helper()
	source, err := jwks.New(url+"/.well-known/jwks.json", jwks.Options{Now: c.Now, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// patience is the function's timeout, after which a caller gets a 500.
const patience = 3 * time.Second

// meets presents an event and fails the test unless the outcome is this one, to the byte. It
// checks for every invocation that a refusal is exactly Unauthorized without a response, that
// the answer is in time, and that the log has no part of the token.
func (a authorizer) meets(t testing.TB, event string, want refusal.Reason, response string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := a.Invoke(ctx, []byte(event))
	if ctx.Err() != nil {
		t.Errorf("expected an answer within %v", patience)
	}
	switch {
	case want == accepted && (err != nil || string(got) != response):
		t.Errorf("expected the response %s, got %s, %v", response, got, err)
	// Compared by identity: a wrapped error with the same text is a 500.
	case want != accepted && (err != errUnauthorized || err.Error() != "Unauthorized" || got != nil):
		t.Errorf("expected exactly Unauthorized and no response, got %q, %v", got, err)
	}
	line := a.last(t)
	if line.Reason != string(want) {
		t.Errorf("expected reason %s, got %s: %s", want, line.Reason, line.Detail)
	}
	if want != accepted && line.Category == "" {
		t.Error("expected a category, got none")
	}
	a.logs.holdsNothingOf(t, event)
}

// line is what an invocation logs, as far as tests look at it.
type line struct{ Msg, Level, Reason, Category, Detail, Kid string }

// last is the last line in the log, which is the invocation's.
func (a authorizer) last(t testing.TB) line {
	t.Helper()
	text := strings.TrimSpace(a.logs.String())
	var l line
	if err := json.Unmarshal([]byte(text[strings.LastIndexByte(text, '\n')+1:]), &l); err != nil {
		t.Fatalf("expected a JSON line at the end of %q: %v", text, err)
	}
	return l
}

func (a authorizer) fetched(t testing.TB, want int64) {
	t.Helper()
	if got := a.provider.fetches.Load(); got != want {
		t.Errorf("expected %d fetches so far, got %d", want, got)
	}
}

// journal collects log lines.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// minSecret is the shortest text, in bytes, that a log is searched for. Shorter ones,
// such as "AA", occur by chance.
const minSecret = 8

// holdsNothingOf fails the test if the log has any part of the event's token.
func (j *journal) holdsNothingOf(t testing.TB, event string) {
	t.Helper()
	var e struct{ AuthorizationToken string }
	json.Unmarshal([]byte(event), &e) // hostile events need not be JSON; then the whole text counts
	text := j.String()
	secrets := append(strings.FieldsFunc(e.AuthorizationToken, func(r rune) bool { return r == '.' || r == ' ' }), event, tokentest.Subject)
	for _, secret := range secrets {
		if len(secret) >= minSecret && strings.Contains(text, secret) {
			t.Errorf("expected nothing of the token in the log, got %.20q…", secret)
		}
	}
}

// tokenEvent is the event of a request with an Authorization value.
func tokenEvent(authorization string) string {
	return marshal(map[string]string{"type": "TOKEN", "authorizationToken": authorization, "methodArn": arn})
}

func bearing(compact string) string { return tokenEvent("Bearer " + compact) }

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// allowed is the answer to a caller with these claims, written out.
func allowed(c token.Claims, severalIssuers bool) string {
	context := map[string]string{}
	if c.AuthorizedParty != "" {
		context["azp"] = c.AuthorizedParty
	}
	if c.HasScope {
		context["scope"] = c.Scope
	}
	if c.Permissions != nil {
		context["permissions"] = strings.Join(c.Permissions, " ")
	}
	if c.PassedOn != "" {
		context["claims"] = c.PassedOn
	}
	if severalIssuers {
		context["issuer"] = c.Issuer
	}
	var members []string
	for _, name := range sortedKeys(context) {
		members = append(members, `"`+name+`":`+marshal(context[name]))
	}
	text := `{"principalId":` + marshal(c.Subject) + `,"policyDocument":{"Version":"2012-10-17","Statement":[` +
		`{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["` + arn + `"]}]}`
	if len(members) > 0 {
		text += `,"context":{` + strings.Join(members, ",") + `}`
	}
	return text + `}`
}

// machine is the answer to the provider's token as it is.
func machine() string { return allowed(corpus.Given("", "", corpus.Accepted).Claims, false) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
