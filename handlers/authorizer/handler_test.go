package main

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"account-api/internal/jwks"
	"account-api/internal/refusal"
	"account-api/internal/token"
	"account-api/internal/token/tokentest"
)

var _ lambda.Handler = (*handler)(nil)

const arn = "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/GET/profile"

// provider is an identity provider that publishes a key set.
type provider struct {
	*httptest.Server
	mu       sync.Mutex
	document []byte
	down     bool
	fetches  int
}

func newProvider(t testing.TB) *provider {
	t.Helper()
	p := &provider{document: tokentest.PublicKeySet()}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fetches++
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Write(p.document)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) publish(document []byte) { p.set(func() { p.document, p.down = document, false }) }
func (p *provider) stop()                   { p.set(func() { p.down = true }) }

func (p *provider) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetches
}

// clock is a wall clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// authorizer is a handler with a real key source in front of a provider.
type authorizer struct {
	*handler
	provider *provider
	clock    *clock
	logs     *syncBuffer
}

func newAuthorizer(t testing.TB) authorizer {
	t.Helper()
	p, c, logs := newProvider(t), &clock{now: tokentest.Now()}, &syncBuffer{}
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keys, err := jwks.New(p.URL+"/.well-known/jwks.json", jwks.Options{Now: c.Now, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := token.NewVerifier(token.Expectation{Issuer: tokentest.Issuer, Audience: tokentest.Audience})
	if err != nil {
		t.Fatal(err)
	}
	return authorizer{&handler{verifier: verifier, keys: keys, scope: scopeMethod, now: c.Now, log: log}, p, c, logs}
}

// reason is the last one logged.
func (a authorizer) reason(t *testing.T) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(a.logs.String()), "\n")
	var line struct{ Reason string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil {
		t.Fatalf("expected a JSON line, got %q: %v", lines[len(lines)-1], err)
	}
	return line.Reason
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// tokenEvent is the event of a request with an Authorization value.
func tokenEvent(authorization string) string {
	b, err := json.Marshal(map[string]string{"type": "TOKEN", "authorizationToken": authorization, "methodArn": arn})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func allowed(claims string) string {
	return `{"principalId":"` + tokentest.Subject + `","policyDocument":{"Version":"2012-10-17","Statement":[` +
		`{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["` + arn + `"]}]},"context":` + claims + `}`
}

const machineClaims = `{"azp":"FHgLVARPk8oXjsP5utP8wYAnZePPAkw1","scope":"get:profile"}`

func TestEvents(t *testing.T) {
	good := tokentest.Valid()
	valid := tokenEvent("Bearer " + good)
	with := func(field, value string) string {
		var e map[string]json.RawMessage
		if err := json.Unmarshal([]byte(valid), &e); err != nil {
			t.Fatal(err)
		}
		if value == "" {
			delete(e, field)
		} else {
			e[field] = json.RawMessage(value)
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	authorization := func(value string) string { return tokenEvent(value) }
	method := func(arn string) string { return with("methodArn", `"`+arn+`"`) }
	const accepted = refusal.Reason("accepted")

	for name, row := range map[string]struct {
		event string
		want  refusal.Reason
	}{
		"E01 a valid event":                          {valid, accepted},
		"E02 type REQUEST":                           {with("type", `"REQUEST"`), refusal.InvalidEvent},
		"E03 type missing":                           {with("type", ""), refusal.InvalidEvent},
		"E03 type empty":                             {with("type", `""`), refusal.InvalidEvent},
		"E03 type in lower case":                     {with("type", `"token"`), refusal.InvalidEvent},
		"E03 type null":                              {with("type", `null`), refusal.InvalidEvent},
		"E04 token missing":                          {with("authorizationToken", ""), refusal.MissingToken},
		"E05 token empty":                            {authorization(""), refusal.MissingToken},
		"E06 token null":                             {with("authorizationToken", "null"), refusal.MissingToken},
		"E06 token a number":                         {with("authorizationToken", "5"), refusal.InvalidEvent},
		"E06 token an object":                        {with("authorizationToken", "{}"), refusal.InvalidEvent},
		"E07 another word":                           {authorization("boarer 1234"), refusal.MalformedToken},
		"E08 a bearer that is no JWT":                {authorization("Bearer 1234"), refusal.MalformedToken},
		"E09 lower case":                             {authorization("bearer " + good), refusal.MalformedToken},
		"E10 upper case":                             {authorization("BEARER " + good), refusal.MalformedToken},
		"E11 two spaces":                             {authorization("Bearer  " + good), refusal.MalformedToken},
		"E12 a tab":                                  {authorization("Bearer\t" + good), refusal.MalformedToken},
		"E13 a space before":                         {authorization(" Bearer " + good), refusal.MalformedToken},
		"E14 a space behind":                         {authorization("Bearer " + good + " "), refusal.MalformedToken},
		"E15 a newline behind":                       {authorization("Bearer " + good + "\n"), refusal.MalformedToken},
		"E15 CR LF behind":                           {authorization("Bearer " + good + "\r\n"), refusal.MalformedToken},
		"E16 only the scheme":                        {authorization("Bearer"), refusal.MalformedToken},
		"E16 only the scheme and a space":            {authorization("Bearer "), refusal.MalformedToken},
		"E17 two credentials":                        {authorization("Bearer " + good + ", Bearer " + good), refusal.MalformedToken},
		"E18 Basic":                                  {authorization("Basic " + good), refusal.MalformedToken},
		"E18 DPoP":                                   {authorization("DPoP " + good), refusal.MalformedToken},
		"E18 no scheme":                              {authorization(good), refusal.MalformedToken},
		"E19 16 KiB":                                 {authorization("Bearer " + tokentest.Sign(tokentest.Header("k1").JSON(), tokentest.Payload().With("x", tokentest.Quote(strings.Repeat("x", 16<<10))).JSON(), tokentest.K1())), refusal.MalformedToken},
		"E20 1 MiB of letters":                       {authorization("Bearer " + strings.Repeat("A", 1<<20)), refusal.MalformedToken},
		"E20 1 MiB of dots":                          {authorization("Bearer " + strings.Repeat(".", 1<<20)), refusal.MalformedToken},
		"E22 method ARN missing":                     {with("methodArn", ""), refusal.InvalidEvent},
		"E22 method ARN empty":                       {method(""), refusal.InvalidEvent},
		"E22 another service's ARN":                  {method("arn:aws:lambda:eu-central-1:123456789012:function:f"), refusal.InvalidEvent},
		"E22 an API without stage and method":        {method("arn:aws:execute-api:eu-central-1:123456789012:abcdef123"), refusal.InvalidEvent},
		"E23 a star in the path":                     {method(arn + "/*"), refusal.InvalidEvent},
		"E23 a question mark in the path":            {method(arn + "/?"), refusal.InvalidEvent},
		"E23 a variable in the path":                 {method(arn + "/${aws:username}"), refusal.InvalidEvent},
		"E23 a star for the verb":                    {method("arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/*/profile"), refusal.InvalidEvent},
		"E24 a method ARN of 513 characters":         {method(arn + strings.Repeat("x", 513-len(arn))), refusal.InvalidEvent},
		"E26 keys that API Gateway may add":          {with("foo", `{"bar":[1]}`), accepted},
		"E27 the token twice":                        {strings.Replace(valid, `{`, `{"authorizationToken":"Bearer a.b.c",`, 1), refusal.InvalidEvent},
		"a name in another case is not the name":     {strings.Replace(valid, "authorizationToken", "AuthorizationToken", 1), refusal.MissingToken},
		"no JSON":                                    {"Bearer", refusal.InvalidEvent},
		"nothing":                                    {"", refusal.InvalidEvent},
		"null":                                       {"null", refusal.InvalidEvent},
		"an array":                                   {"[]", refusal.InvalidEvent},
		"invalid UTF-8":                              {strings.Replace(valid, "TOKEN", "TOKEN\xff", 1), refusal.InvalidEvent},
		"something behind the event":                 {valid + "{}", refusal.InvalidEvent},
		"the root's method ARN, which ends in slash": {method("arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/POST/"), accepted},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthorizer(t)
			response, err := a.Invoke(t.Context(), []byte(row.event))
			if got := a.reason(t); got != string(row.want) {
				t.Errorf("expected reason %s, got %s", row.want, got)
			}
			if row.want == accepted {
				if err != nil || !bytes.Contains(response, []byte(`"Effect":"Allow"`)) {
					t.Errorf("expected an Allow policy, got %s, %v", response, err)
				}
				return
			}
			// Compared by identity: a wrapped error has the text and is a 500 all the same.
			if err != errUnauthorized || err.Error() != "Unauthorized" || response != nil {
				t.Errorf("expected exactly Unauthorized and no response, got %q, %v", response, err)
			}
			if a.provider.count() != 0 {
				t.Errorf("expected no fetch for an event that is refused unseen, got %d", a.provider.count())
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	signed := func(payload tokentest.Object) string {
		return tokenEvent("Bearer " + tokentest.Sign(tokentest.Header("k1").JSON(), payload.JSON(), tokentest.K1()))
	}
	for name, row := range map[string]struct {
		payload tokentest.Object
		claims  string // context of the answer
	}{
		"O04 a machine's token":               {tokentest.Payload(), machineClaims},
		"C42 no scope, no scope passed on":    {tokentest.Payload().Without("scope").Without("azp"), ""},
		"C43 an empty scope stays empty":      {tokentest.Payload().With("scope", `""`).Without("azp"), `{"scope":""}`},
		"C48 scp is not scope":                {tokentest.Payload().Without("scope").Without("azp").With("scp", `["get:profile"]`), ""},
		"C51 permissions become one string":   {tokentest.Payload().Without("azp").With("permissions", `["a:b","c:d"]`), `{"permissions":"a:b c:d","scope":"get:profile"}`},
		"C50 odd permissions are dropped":     {tokentest.Payload().Without("azp").With("permissions", `[1]`), `{"scope":"get:profile"}`},
		"C61 claims with API Gateway's names": {tokentest.Payload().With("principalId", `"root"`).With("integrationLatency", "1").With("claims", `{"a":"b"}`), machineClaims},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.TrimSuffix(allowed(row.claims), `,"context":}`)
			if row.claims == "" {
				want += "}"
			} else {
				want = allowed(row.claims)
			}
			a := newAuthorizer(t)
			for range 100 { // O11: the same answer each time
				response, err := a.Invoke(t.Context(), []byte(signed(row.payload)))
				if err != nil || string(response) != want {
					t.Fatalf("expected %s, got %s, %v", want, response, err)
				}
			}
		})
	}

	t.Run("C39 principals pass on as they are", func(t *testing.T) {
		for _, subject := range []string{"x@clients", "auth0|123", "Daniël", strings.Repeat("s", 255)} {
			a := newAuthorizer(t)
			response, err := a.Invoke(t.Context(), []byte(signed(tokentest.Payload().With("sub", tokentest.Quote(subject)))))
			var answer struct{ PrincipalID string }
			if err != nil || json.Unmarshal(response, &answer) != nil || answer.PrincipalID != subject {
				t.Errorf("expected principal %q, got %q, %v", subject, answer.PrincipalID, err)
			}
		}
	})

	t.Run("E25 partitions are echoed", func(t *testing.T) {
		for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
			want := strings.Replace(arn, "arn:aws:", "arn:"+partition+":", 1)
			a := newAuthorizer(t)
			response, err := a.Invoke(t.Context(), []byte(strings.Replace(tokenEvent("Bearer "+tokentest.Valid()), arn, want, 1)))
			if err != nil || !strings.Contains(string(response), `"Resource":["`+want+`"]`) {
				t.Errorf("expected the resource %s, got %s, %v", want, response, err)
			}
		}
	})

	t.Run("O06 a cached answer covers the stage and no more", func(t *testing.T) {
		a := newAuthorizer(t)
		a.scope = scopeAPI
		response, err := a.Invoke(t.Context(), []byte(tokenEvent("Bearer "+tokentest.Valid())))
		if err != nil || !strings.Contains(string(response), `"Resource":["arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/*/*"]`) {
			t.Errorf("expected the stage's methods, got %s, %v", response, err)
		}
	})
}

// keyFunc is a key source without a provider.
type keyFunc func(context.Context, string) (*rsa.PublicKey, error)

func (f keyFunc) Key(ctx context.Context, kid string) (*rsa.PublicKey, error) { return f(ctx, kid) }
func (f keyFunc) Age() (time.Duration, bool)                                  { return 0, false }

func TestFailuresOfOurOwnEndInUnauthorized(t *testing.T) {
	event := []byte(tokenEvent("Bearer " + tokentest.Valid()))
	for name, row := range map[string]struct {
		keys keyFunc
		want refusal.Reason
	}{
		"O02 a panic":      {func(context.Context, string) (*rsa.PublicKey, error) { panic(tokentest.Valid()) }, refusal.Internal},
		"an unnamed error": {func(context.Context, string) (*rsa.PublicKey, error) { return nil, fmt.Errorf("%s", tokentest.Valid()) }, refusal.Internal},
		"no key, no error": {func(context.Context, string) (*rsa.PublicKey, error) { return nil, nil }, refusal.Internal},
		"a named error": {func(context.Context, string) (*rsa.PublicKey, error) {
			return nil, refusal.New(refusal.JWKSUnavailable, "down")
		}, refusal.JWKSUnavailable},
		"time that runs out": {func(ctx context.Context, _ string) (*rsa.PublicKey, error) {
			<-ctx.Done()
			return nil, refusal.New(refusal.JWKSUnavailable, "no time")
		}, refusal.JWKSUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAuthorizer(t)
			a.keys = row.keys
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			if name == "time that runs out" {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), reserve+50*time.Millisecond)
			}
			defer cancel()
			response, err := a.Invoke(ctx, event)
			if err != errUnauthorized || response != nil {
				t.Errorf("expected exactly Unauthorized, got %s, %v", response, err)
			}
			if ctx.Err() != nil {
				t.Error("expected an answer before the deadline")
			}
			if got := a.reason(t); got != string(row.want) {
				t.Errorf("expected reason %s, got %s", row.want, got)
			}
			checkNoToken(t, a.logs.String(), tokentest.Valid())
		})
	}

	t.Run("O03 almost no time left", func(t *testing.T) {
		a := newAuthorizer(t)
		ctx, cancel := context.WithTimeout(t.Context(), reserve/2)
		defer cancel()
		if _, err := a.Invoke(ctx, event); err != errUnauthorized || a.reason(t) != string(refusal.Internal) {
			t.Errorf("expected a refusal for want of time, got %v, %s", err, a.reason(t))
		}
	})
}

// checkNoToken fails if a log holds any part of a token or its subject.
func checkNoToken(t *testing.T, log, compact string) {
	t.Helper()
	for _, segment := range strings.Split(compact, ".") {
		if len(segment) > 16 && strings.Contains(log, segment) {
			t.Error("expected no part of the token in the log")
		}
	}
	if strings.Contains(log, tokentest.Subject) {
		t.Error("expected no subject in the log")
	}
}

func TestKeysOverTime(t *testing.T) {
	under := func(kid string, key *rsa.PrivateKey) []byte {
		return []byte(tokenEvent("Bearer " + tokentest.Sign(tokentest.Header(kid).JSON(), tokentest.Payload().JSON(), key)))
	}
	expect := func(t *testing.T, a authorizer, event []byte, want string) {
		t.Helper()
		_, err := a.Invoke(t.Context(), event)
		if got := a.reason(t); got != want || (err == nil) != (want == "accepted") {
			t.Fatalf("expected %s, got %s, %v", want, got, err)
		}
	}
	k1, k3 := under("k1", tokentest.K1()), under("k3", tokentest.K3())

	t.Run("a provider that was down at the start is asked again by the first call", func(t *testing.T) {
		a := newAuthorizer(t)
		a.provider.stop()
		expect(t, a, k1, "jwks_unavailable")
		a.provider.publish(tokentest.PublicKeySet())
		a.clock.advance(5 * time.Second) // past the back-off after one failure
		expect(t, a, k1, "accepted")
	})

	t.Run("a new key is fetched when a token names it, an old one stays good until it is withdrawn", func(t *testing.T) {
		a := newAuthorizer(t)
		expect(t, a, k1, "accepted")
		expect(t, a, k3, "unknown_kid")
		a.clock.advance(time.Minute)
		a.provider.publish(tokentest.JWKS(tokentest.JWK("k1", tokentest.K1()), tokentest.JWK("k3", tokentest.K3())))
		expect(t, a, k3, "accepted")
		expect(t, a, k1, "accepted")
		a.provider.publish(tokentest.JWKS(tokentest.JWK("k3", tokentest.K3())))
		a.clock.advance(time.Hour)
		expect(t, a, k3, "accepted")
		expect(t, a, k1, "unknown_kid")
	})

	t.Run("a provider that goes down costs nobody anything for a day", func(t *testing.T) {
		a := newAuthorizer(t)
		expect(t, a, k1, "accepted")
		a.provider.stop()
		a.clock.advance(23 * time.Hour)
		expect(t, a, k1, "accepted")
		a.clock.advance(50 * time.Minute)
		expect(t, a, k1, "accepted")
		a.clock.advance(20 * time.Minute)
		expect(t, a, k1, "expired") // the token's own day is over
	})

	t.Run("a key that the provider never published verifies nothing", func(t *testing.T) {
		a := newAuthorizer(t)
		expect(t, a, under("k1", tokentest.K3()), "bad_signature")
		if n := a.provider.count(); n != 1 {
			t.Errorf("expected one fetch, got %d: a bad signature must not cause any", n)
		}
	})
}

func TestConcurrentCallsShareOneFetch(t *testing.T) {
	a := newAuthorizer(t)
	event := []byte(tokenEvent("Bearer " + tokentest.Valid()))
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := a.Invoke(t.Context(), event); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := a.provider.count(); n != 1 {
		t.Errorf("expected one fetch, got %d", n)
	}
}

func FuzzInvoke(f *testing.F) {
	f.Add(tokenEvent("Bearer " + tokentest.Valid()))
	f.Add(tokenEvent("Bearer a.b.c"))
	f.Add(tokenEvent(""))
	f.Add(`{"type":"TOKEN"}`)
	f.Add(`{`)
	good := tokentest.Valid()
	verifier, err := token.NewVerifier(token.Expectation{Issuer: tokentest.Issuer, Audience: tokentest.Audience})
	if err != nil {
		f.Fatal(err)
	}
	key := &tokentest.K1().PublicKey
	h := &handler{
		verifier: verifier, scope: scopeMethod, now: tokentest.Now, log: slog.New(slog.DiscardHandler),
		keys: keyFunc(func(context.Context, string) (*rsa.PublicKey, error) { return key, nil }),
	}
	f.Fuzz(func(t *testing.T, event string) {
		response, err := h.Invoke(t.Context(), []byte(event))
		if err != nil {
			if err != errUnauthorized || response != nil {
				t.Fatalf("expected exactly Unauthorized, got %q, %v", response, err)
			}
			return
		}
		if !strings.Contains(event, good[:40]) {
			t.Fatalf("expected only the good token to be accepted, got %q", event)
		}
		var answer struct {
			PrincipalID    string
			PolicyDocument struct{ Statement []struct{ Resource []string } }
			Context        map[string]string // every value a string
		}
		if err := json.Unmarshal(response, &answer); err != nil {
			t.Fatal(err)
		}
		if resource := answer.PolicyDocument.Statement[0].Resource[0]; strings.ContainsAny(resource, "*?$") || len(resource) > maxResource {
			t.Fatalf("expected a resource without wildcards, got %q", resource)
		}
	})
}
