package main

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"account-api/internal/refusal"
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
			a.meets(t, bearing(tokentest.Valid()), accepted, strings.Replace(machine, arn, "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/*/*", 1))
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
			a.keys = slow
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
		"a panic that quotes the token":  func(string) (*rsa.PublicKey, error) { panic(tokentest.Valid()) },
		"a nil pointer":                  func(string) (*rsa.PublicKey, error) { return (*rsa.PrivateKey)(nil).Public().(*rsa.PublicKey), nil },
		"an error that quotes the token": func(string) (*rsa.PublicKey, error) { return nil, errors.New(tokentest.Valid()) },
		"neither key nor error":          nil,
	} {
		rows = append(rows, row{name, func(t *testing.T, a authorizer) {
			a.keys = keys
			a.meets(t, bearing(tokentest.Valid()), refusal.Internal, "")
		}})
	}
	return rows
}

// slowKeys answers at its deadline, and remembers it.
type slowKeys struct{ deadline time.Time }

func (s *slowKeys) Key(ctx context.Context, _ string) (*rsa.PublicKey, error) {
	s.deadline, _ = ctx.Deadline()
	<-ctx.Done()
	return nil, refusal.New(refusal.JWKSUnavailable, "no time left")
}

func (*slowKeys) Age() (time.Duration, bool) { return 0, false }

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
			if name != "scope" && name != "permissions" && name != "azp" {
				t.Errorf("%s: expected scope, permissions and azp at most, got %s", r.Name, name)
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
	a.keys = keyFunc(func(kid string) (*rsa.PublicKey, error) {
		a.clock.advance(1500 * time.Microsecond)
		return corpus.Published(kid)
	})
	a.meets(t, bearing(tokentest.Valid()), accepted, machine())
	if !strings.Contains(a.logs.String(), `"latency_ms":1.5`) {
		t.Errorf("expected a latency of 1.5 ms, got %s", a.logs)
	}
}
