package main

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

func FuzzInvoke(f *testing.F) {
	f.Add(bearing(tokentest.Valid()))
	f.Add(bearing("a.b.c"))
	f.Add(tokenEvent(""))
	f.Add(`{"type":"TOKEN"}`)
	f.Add(`{`)
	good := tokentest.Valid()
	verifier := newVerifier(f, corpus.Trusting(""))
	h := &handler{
		verifier: verifier, scope: scopeMethod, now: tokentest.Now, log: slog.New(slog.DiscardHandler),
		keys: keySources{tokentest.Issuer: keyFunc(corpus.Published)}, outage: errUnauthorized,
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
