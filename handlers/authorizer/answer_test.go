package main

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"account-api/internal/refusal"
	"account-api/internal/signature"
	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

var _ lambda.Handler = (*handler)(nil)

// answerRows are about the answer (the policy, the claims passed on, the one error) and the log
// line.
func answerRows() []row {
	allows := func(name, response string, edits ...corpus.Edit) row {
		return row{name, func(t *testing.T, a authorizer) {
			event := bearing(corpus.Claims(edits...))
			for range 100 { // the same each time
				a.meets(t, event, accepted, response)
			}
			a.fetched(t, 1)
		}}
	}
	const before = `{"principalId":"nightly-inventory@clients","policyDocument":{"Version":"2012-10-17","Statement":[` +
		`{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["` + arn + `"]}]}`
	const machine = before + `,"context":{"azp":"nightly-inventory","scope":"read:books"}}`
	without := corpus.Drop("azp")
	rows := []row{
		allows("a machine's token", machine),
		allows("no scope, no scope passed on", before+`}`, corpus.Drop("scope"), without),
		allows("an empty scope stays empty", before+`,"context":{"scope":""}}`, corpus.Set("scope", `""`), without),
		allows("scp is not scope", before+`}`, corpus.Drop("scope"), without, corpus.Also("scp", `["read:books"]`)),
		allows("odd permissions are dropped", before+`,"context":{"scope":"read:books"}}`, without, corpus.Also("permissions", "[1]")),
		allows("permissions become one string", before+`,"context":{"permissions":"a:b c:d","scope":"read:books"}}`, without, corpus.Also("permissions", `["a:b","c:d"]`)),
		allows("claims with API Gateway's names stay behind", machine, corpus.Also("principalId", `"root"`), corpus.Also("integrationLatency", "1"), corpus.Also("claims", `{"a":"b"}`)),
		{"a cached answer covers the stage and no more", func(t *testing.T, a authorizer) {
			a.scope = scopeAPI
			for _, path := range []string{"/books", "/*", "/" + strings.Repeat("x", 600)} { // the path is not in it
				event := strings.Replace(bearing(tokentest.Valid()), "/books", path, 1)
				a.meets(t, event, accepted, strings.Replace(machine, arn, "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/*/*", 1))
			}
		}},
		{"one line in a fixed shape", checkLine},
		{"almost no time left", func(t *testing.T, a authorizer) {
			ctx, cancel := context.WithTimeout(t.Context(), reserve/2)
			defer cancel()
			if _, err := a.Invoke(ctx, []byte(bearing(tokentest.Valid()))); err != errUnauthorized || a.last(t).Reason != "internal" {
				t.Errorf("expected a refusal for want of time, got %v, %s", err, a.last(t).Reason)
			}
			a.fetched(t, 0)
		}},
		{"time that runs out while keys are fetched", func(t *testing.T, a authorizer) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*reserve)
			defer cancel()
			slow := &slowKeys{}
			a.keys[tokentest.Issuer] = slow
			if _, err := a.Invoke(ctx, []byte(bearing(tokentest.Valid()))); err != errUnauthorized || a.last(t).Reason != "jwks_unavailable" {
				t.Errorf("expected a refusal for want of keys, got %v, %s", err, a.last(t).Reason)
			}
			// This compares deadlines, not how long anything took.
			if deadline, _ := ctx.Deadline(); deadline.Sub(slow.deadline) != reserve {
				t.Errorf("expected %v to be kept to answer in, got %v", reserve, deadline.Sub(slow.deadline))
			}
		}},
	}
	for name, keys := range map[string]keyFunc{
		"a panic that quotes the token": func(string, string, *signature.Key) (*signature.Key, error) { panic(tokentest.Valid()) },
		"a nil pointer": func(string, string, *signature.Key) (*signature.Key, error) {
			return &signature.Key{Public: (*rsa.PrivateKey)(nil).Public()}, nil
		},
		"an error that quotes the token": func(string, string, *signature.Key) (*signature.Key, error) {
			return nil, errors.New(tokentest.Valid())
		},
		"neither key nor error": nil,
	} {
		rows = append(rows, row{name, func(t *testing.T, a authorizer) {
			a.keys[tokentest.Issuer] = keys
			a.meets(t, bearing(tokentest.Valid()), refusal.Internal, "")
		}})
	}
	return rows
}

// slowKeys answers at its deadline, and remembers it.
type slowKeys struct{ deadline time.Time }

func (s *slowKeys) Key(ctx context.Context, _ string, _ *signature.Key) (*signature.Key, error) {
	s.deadline, _ = ctx.Deadline()
	<-ctx.Done()
	return nil, refusal.New(refusal.JWKSUnavailable, "no time left")
}

func (*slowKeys) Holds(string) bool          { return false }
func (*slowKeys) Usable() bool               { return false }
func (*slowKeys) Age() (time.Duration, bool) { return 0, false }

// TestOutage: the setting changes the answer only for a token that fails for want of a key.
func TestOutage(t *testing.T) {
	a := newAuthorizer(t)
	a.outage = errUnavailable
	good, unknown := bearing(tokentest.Valid()), under("k3", tokentest.K3())
	answers := func(name, event string, want error) {
		t.Helper()
		if response, err := a.Invoke(t.Context(), []byte(event)); err != want || response != nil {
			t.Errorf("%s: expected %v, got %s, %v", name, want, response, err)
		}
	}
	a.provider.says(status(503))
	answers("no keys", good, errUnavailable)
	answers("no keys, and in back-off", good, errUnavailable)
	answers("no keys, and an expired token", bearing(corpus.Claims(corpus.Set("exp", corpus.In(-1)))), errUnauthorized)
	answers("no keys, and junk", bearing("e30.e30.e30"), errUnauthorized)
	a.clock.advance(time.Hour)
	a.provider.says(document(tokentest.PublicKeySet()))
	a.meets(t, good, accepted, machine())
	a.provider.says(status(503))
	a.clock.advance(time.Hour)
	a.meets(t, good, accepted, machine())
	answers("stale keys without the key", unknown, errUnauthorized)
	answers("a forged token", under("k1", tokentest.K3()), errUnauthorized)
	a.clock.advance(24 * time.Hour)
	good = bearing(corpus.Claims(corpus.Set("exp", corpus.In(7*24*60*60))))
	answers("keys past their use", good, errUnavailable)
	a.outage = errUnauthorized
	answers("without the setting", good, errUnauthorized)
}

// checkLine checks the fields of a log line, which dashboards and metric filters match.
func checkLine(t *testing.T, a authorizer) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "request-1"})
	for _, r := range []struct{ event, msg, level, names string }{
		{bearing(tokentest.Valid()), "authenticated", "INFO", "jwks_age_s kid latency_ms level msg reason request_id time"},
		{bearing(corpus.Forged()), "refused", "WARN", "category detail jwks_age_s kid latency_ms level msg reason request_id time"},
		{bearing(corpus.Headers(corpus.Set("kid", tokentest.Quote(strings.Repeat("ë", 100))))), "refused", "WARN", "category detail jwks_age_s kid latency_ms level msg reason request_id time"},
	} {
		response, err := a.Invoke(ctx, []byte(r.event))
		if (response != nil) == (err != nil) {
			t.Errorf("expected a response or an error, got %s, %v", response, err)
		}
		text := strings.TrimSpace(a.logs.String())
		text = text[strings.LastIndexByte(text, '\n')+1:]
		var all map[string]any
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(sortedKeys(all), " "); got != r.names {
			t.Errorf("expected the fields %s, got %s", r.names, got)
		}
		if all["msg"] != r.msg || all["level"] != r.level || all["request_id"] != "request-1" || all["jwks_age_s"] != 0.0 {
			t.Errorf("expected %s at %s for request-1 with fresh keys, got %s", r.msg, r.level, text)
		}
		if kid := []rune(all["kid"].(string)); len(kid) > 16 {
			t.Errorf("expected at most 16 characters of the key ID, got %q", string(kid))
		}
	}
}

// TestNoValueIsAnythingButText checks the context of every good token's answer. API Gateway
// answers 500 if a value is an array or an object.
func TestNoValueIsAnythingButText(t *testing.T) {
	a, seen := newAuthorizer(t), 0
	for _, r := range corpus.Rows() {
		a.verifier = newVerifier(t, r.Expect)
		a.clock.set(r.At)
		response, err := a.Invoke(t.Context(), []byte(bearing(r.Token)))
		if err != nil {
			continue
		}
		seen++
		var answer struct {
			PrincipalID        string
			PolicyDocument     struct{ Statement []json.RawMessage }
			Context            map[string]string
			UsageIdentifierKey *string
		}
		if err := json.Unmarshal(response, &answer); err != nil || answer.PrincipalID == "" || len(answer.PolicyDocument.Statement) != 1 || answer.UsageIdentifierKey != nil {
			t.Errorf("%s: expected a principal, one statement and texts, got %s, %v", r.Name, response, err)
		}
		for name := range answer.Context {
			if !slices.Contains([]string{"scope", "permissions", "azp", "claims", "issuer"}, name) {
				t.Errorf("%s: expected the documented names at most, got %s", r.Name, name)
			}
		}
	}
	if seen == 0 {
		t.Error("expected good tokens in the corpus, got none")
	}
}

// TestLatencyIsMeasuredByTheHandlersClock: the log of a test does not depend on the machine.
func TestLatencyIsMeasuredByTheHandlersClock(t *testing.T) {
	a := newAuthorizer(t)
	a.keys[tokentest.Issuer] = keyFunc(func(_, kid string, _ *signature.Key) (*signature.Key, error) {
		a.clock.advance(1500 * time.Microsecond)
		return corpus.Published("", kid, nil)
	})
	a.meets(t, bearing(tokentest.Valid()), accepted, machine())
	if !strings.Contains(a.logs.String(), `"latency_ms":1.5`) {
		t.Errorf("expected a latency of 1.5 ms, got %s", a.logs)
	}
}
