// Package example describes example callers of an API: the claims that a policy decides
// by, and the token that carries them.
//
// The project's policy program finds the examples, and this package reads what it prints.
// It evaluates no policy itself and does not link OPA.
package example

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"account-api/local/issuer"
)

// Caller is a caller as the input of a policy describes it. An absent claim is "".
type Caller struct {
	Principal       string `json:"principal,omitempty"`   // the sub claim
	Scope           string `json:"scope,omitempty"`       // with spaces between
	Permissions     string `json:"permissions,omitempty"` // with spaces between
	AuthorizedParty string `json:"azp,omitempty"`
	Claims          Claims `json:"claims,omitempty"` // further claims
}

// Claims are claims by name.
type Claims = map[string]any

// Policy is what is known of one handler's policy.
type Policy struct {
	Handler    string   `json:"handler"`    // last name of the handler's directory
	Entrypoint string   `json:"entrypoint"` // as in OPA: "orders/decision"
	Method     string   `json:"method"`     // that the examples ask for; "" for any
	Resource   string   `json:"resource"`   // likewise, as declared: "/orders/{order}"
	Allowed    *Caller  `json:"allowed"`    // nil: none was found
	Denied     *Caller  `json:"denied"`     // likewise
	Scopes     []string `json:"scopes"`     // that the rules name
	Error      string   `json:"error"`      // why the policy does not compile, or ""
}

// Read decodes the array of policies that the policy program prints.
func Read(r io.Reader) ([]Policy, error) {
	var policies []Policy
	if err := json.NewDecoder(r).Decode(&policies); err != nil {
		return nil, fmt.Errorf("read the policies' example callers: %w", err)
	}
	return policies, nil
}

// Scopes are the scopes of all policies, each once, in alphabetical order.
func Scopes(policies []Policy) []string {
	all := []string{}
	for _, p := range policies {
		all = append(all, p.Scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Token asks the issuer for the caller's token.
func (c Caller) Token() issuer.TokenRequest {
	return issuer.TokenRequest{
		// Not nil, which would ask for all scopes.
		Scopes:      append([]string{}, strings.Fields(c.Scope)...),
		Permissions: strings.Fields(c.Permissions),
		Subject:     c.Principal, AuthorizedParty: c.AuthorizedParty, Claims: c.Claims,
	}
}

// Form are the parameters of a token request for the caller, see package issuer.
func (c Caller) Form() url.Values {
	form := url.Values{"scope": {c.Scope}} // present if empty, so that no scope is granted
	for name, value := range map[string]string{"sub": c.Principal, "permissions": c.Permissions, "azp": c.AuthorizedParty} {
		if value != "" {
			form.Set(name, value)
		}
	}
	if len(c.Claims) > 0 {
		form.Set("claims", c.ClaimsText())
	}
	return form
}

// ClaimsText are the further claims in JSON, "" if there are none.
func (c Caller) ClaimsText() string {
	if len(c.Claims) == 0 {
		return ""
	}
	text, err := json.Marshal(c.Claims)
	if err != nil {
		return fmt.Sprint(err) // they come from JSON
	}
	return string(text)
}

// String describes the caller's token: "a token with the scope read".
func (c Caller) String() string {
	var with []string
	add := func(singular, plural string, values []string) {
		switch {
		case len(values) > 1:
			with = append(with, plural+" "+list(values))
		case len(values) == 1:
			with = append(with, singular+" "+values[0])
		}
	}
	add("the scope", "the scopes", strings.Fields(c.Scope))
	add("the permission", "the permissions", strings.Fields(c.Permissions))
	if c.Principal != "" {
		with = append(with, "the subject "+c.Principal)
	}
	if c.AuthorizedParty != "" {
		with = append(with, "the client "+c.AuthorizedParty)
	}
	if len(c.Claims) > 0 {
		with = append(with, "the claims "+c.ClaimsText())
	}
	if with == nil {
		return "a token without scopes and permissions"
	}
	return "a token with " + list(with)
}

// list joins texts as a sentence does.
func list(texts []string) string {
	last := len(texts) - 1
	if last == 0 {
		return texts[0]
	}
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}
