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
)

// token is a token that a user gave.
type token struct {
	variable string // of make conform
	value    string // "" for none
}

// words are a claim's values: a text, or an array of texts joined by spaces.
type words string

// UnmarshalJSON takes any other type for an absent claim.
func (w *words) UnmarshalJSON(text []byte) error {
	var one string
	var many []string
	if json.Unmarshal(text, &one) != nil && json.Unmarshal(text, &many) == nil {
		one = strings.Join(many, " ")
	}
	*w = words(one)
	return nil
}

// claims are what is read of a token, under the names that providers use. The signature
// is not checked: the API does that, and a wrong guess here shows as a difference.
type claims struct {
	Expires            float64 `json:"exp"`
	Subject            words   `json:"sub"`
	Scope, Scp         words
	Permissions, Roles words
	AuthorizedParty    words `json:"azp"`
	ClientID           words `json:"client_id"`
	CID                words
}

func (t token) claims() claims {
	var c claims
	if parts := strings.Split(t.value, "."); len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		json.Unmarshal(payload, &c) // what cannot be read is absent
	}
	return c
}

// input is what a handler's policy is asked about the token's bearer at an endpoint.
func (c claims) input(e endpoint) (decision.Input, error) {
	query, err := url.ParseQuery(e.query)
	input := examples.Request{Method: e.verb, Resource: cmp.Or(e.path, "/")}.Input(example)
	input.Query, input.Time = query, time.Now().UnixNano()
	input.Principal = string(c.Subject)
	input.Scope = string(cmp.Or(c.Scope, c.Scp))
	input.Permissions = string(cmp.Or(c.Permissions, c.Roles))
	input.AuthorizedParty = string(cmp.Or(c.AuthorizedParty, c.CID, c.ClientID))
	return input, err
}

// predict asks the policy of an endpoint's handler, in this checkout, what it decides
// about a token's bearer. It returns nil where there is no such policy.
func predict(ctx context.Context, root string, e endpoint, t token) (*decision.Decision, error) {
	name := path.Base(e.handler)
	policies := filepath.Join(root, "policies")
	if _, err := os.Stat(filepath.Join(policies, name)); e.handler == "" || err != nil {
		return nil, nil
	}
	policy, err := decision.Prepare(ctx, ruleset.Of(os.DirFS(policies), name), name+"/decision")
	if err != nil {
		return nil, fmt.Errorf("policies/%s, the policy of %s: %w", name, e, err)
	}
	input, err := t.claims().input(e)
	if err != nil {
		return nil, err
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
