package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"account-api/internal/signature"
	"account-api/internal/token"
	"account-api/local/issuer"
)

// TestTokensOfTheLocalIssuer presents what make run's issuer signs, for every provider in every
// algorithm. Its shapes and the authorizer's profiles are written apart from each other.
func TestTokensOfTheLocalIssuer(t *testing.T) {
	var algorithms []string
	for _, algorithm := range signature.Algorithms() {
		algorithms = append(algorithms, string(algorithm))
	}
	if !reflect.DeepEqual(algorithms, issuer.Algorithms()) || len(token.Providers()) != len(issuer.Providers()) {
		t.Fatalf("expected %v and %v of the local issuer, got %v and %v", algorithms, token.Providers(), issuer.Algorithms(), issuer.Providers())
	}
	for _, provider := range token.Providers() {
		t.Run(provider, func(t *testing.T) {
			var local *issuer.Issuer
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { local.ServeHTTP(w, r) }))
			defer server.Close()
			local, err := issuer.New(issuer.Options{URL: server.URL + "/", Audience: "books films", Provider: provider, Algorithms: algorithms, Scopes: []string{"read:books", "lend:books"}})
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range map[string]string{
				"JWKS_URI": server.URL + "/.well-known/jwks.json", "TOKEN_ISSUER": server.URL + "/", "AUDIENCE": "books films",
				"PROVIDER": provider, "ALGORITHMS": strings.Join(algorithms, " "), "CLAIMS": "org_id",
			} {
				t.Setenv(name, value)
			}
			if token.HasPermissions(provider) != issuer.HasPermissions(provider) {
				t.Errorf("expected the local issuer to have permissions as the authorizer does, %t, got the opposite", token.HasPermissions(provider))
			}
			logs := &journal{}
			h, err := newHandler(slog.New(slog.NewJSONHandler(logs, nil)))
			if err != nil {
				t.Fatal(err)
			}
			a := authorizer{handler: h, logs: logs}
			for _, algorithm := range algorithms {
				request := issuer.TokenRequest{Algorithm: algorithm, Subject: "jo", Permissions: []string{"p", "q"}, AuthorizedParty: "web", Claims: map[string]any{"org_id": "one"}}
				context := a.contextOf(t, local, request)
				want := map[string]string{"scope": "read:books lend:books", "azp": "web", "claims": `{"org_id":"one"}`}
				if provider == "cognito" {
					want["azp"] = "books" // its tokens name the audience there
				}
				if token.HasPermissions(provider) {
					want["permissions"] = "p q"
				}
				if !reflect.DeepEqual(context, want) {
					t.Errorf("%s: expected the context %v, got %v", algorithm, want, context)
				}
				for _, accepted := range []issuer.TokenRequest{{Algorithm: algorithm}, {Algorithm: algorithm, Scopes: []string{}}, {Algorithm: algorithm, Audience: "films"}} {
					a.contextOf(t, local, accepted)
				}
				compact, err := local.Token(issuer.TokenRequest{Algorithm: algorithm, ID: true})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := h.Invoke(t.Context(), []byte(bearing(compact))); err != errUnauthorized || a.last(t).Reason != "wrong_kind" {
					t.Errorf("%s: expected the ID token refused as another kind, got %v %v", algorithm, err, a.last(t))
				}
			}
		})
	}
}

// contextOf presents a token of the local issuer and returns the context of the answer.
func (a authorizer) contextOf(t *testing.T, local *issuer.Issuer, request issuer.TokenRequest) map[string]string {
	t.Helper()
	compact, err := local.Token(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Invoke(t.Context(), []byte(bearing(compact)))
	var allowed struct{ Context map[string]string }
	if err != nil || json.Unmarshal(answer, &allowed) != nil {
		t.Fatalf("expected %+v accepted, got %v: %v", request, err, a.last(t))
	}
	return allowed.Context
}
