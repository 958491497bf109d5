package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	examples "account-api/internal/caller"
	"account-api/internal/decision"
	"account-api/internal/ruleset"
	tokens "account-api/internal/token"
	"account-api/internal/token/environment"
)

// token is a token that a user gave.
type token struct {
	variable string // of make conform
	value    string // "" for none
}

// expires is when the token expires, in seconds since 1970; 0 if it does not say.
func (t token) expires() float64 {
	var c struct {
		Expires float64 `json:"exp"`
	}
	if parts := strings.Split(t.value, "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		json.Unmarshal(payload, &c) // what cannot be read is absent
	}
	return c.Expires
}

// input is what a handler's policy is asked about the token's bearer at an endpoint: the
// request, and what the endpoint's authorizer passes on. The signature is not checked: the API
// does that, and a wrong guess here shows as a difference.
func (t token) input(e endpoint) (decision.Input, error) {
	query, err := url.ParseQuery(e.query)
	if err != nil {
		return decision.Input{}, err
	}
	trust, err := environment.Read(func(name string) string { return e.authorizer[name] })
	if err != nil {
		return decision.Input{}, err
	}
	verifier, err := tokens.NewVerifier(trust.Expectation)
	if err != nil {
		return decision.Input{}, err
	}
	input := examples.Request{Method: e.verb, Resource: cmp.Or(e.path, "/")}.Input(example)
	input.Query, input.Time = query, time.Now().UnixNano()
	said := verifier.Unverified(t.value)
	input.Principal, input.AuthorizedParty = said.Subject, said.AuthorizedParty
	input.Scope, input.Permissions = said.Scope, strings.Join(said.Permissions, " ")
	input.Claims = decision.Claims(said.PassedOn)
	if len(trust.Issuers) > 1 {
		input.Issuer = said.Issuer
	}
	return input, nil
}

// predict asks the policy of an endpoint's handler, in this checkout, what it decides
// about a token's bearer. It returns nil where there is no such policy, or another authorizer
// than this checkout's.
func predict(ctx context.Context, root string, e endpoint, t token) (*decision.Decision, error) {
	name := path.Base(e.handler)
	policies := filepath.Join(root, "policies")
	if _, err := os.Stat(filepath.Join(policies, name)); e.handler == "" || e.authorizer["TOKEN_ISSUER"] == "" || err != nil {
		return nil, nil
	}
	policy, err := decision.Prepare(ctx, ruleset.Of(os.DirFS(policies), name), name+"/decision")
	if err != nil {
		return nil, fmt.Errorf("policies/%s, the policy of %s: %w", name, e, err)
	}
	input, err := t.input(e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e, err)
	}
	d, err := policy.Decide(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("policies/%s has no decision about %s: %w", name, t.variable, err)
	}
	return &d, nil
}

// forbiddenBody is how a handler answers what its policy denies.
func forbiddenBody(reasons []string) string {
	info, _ := jsontext.AppendQuote(nil, cmp.Or(strings.Join(reasons, "; "), "denied by policy"))
	return `{"message":"Error: Forbidden","info":` + string(info) + `}`
}
