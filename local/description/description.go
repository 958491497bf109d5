// Package description is what the console, the printed commands and tests know of a stack
// that runs on this machine.
package description

import (
	"strings"

	"account-api/local/example"
	"account-api/local/issuer"
)

// Stack is the current state of the stack. As JSON it is the answer to GET /stack.
type Stack struct {
	Project   string         `json:"project"`
	Name      string         `json:"name"`
	Endpoints []Endpoint     `json:"endpoints"`         // at least one; the first is the one to try out
	IssuerURL string         `json:"issuer"`            // whose tokens the API accepts
	Audience  string         `json:"audience"`          // that it expects
	Scopes    []string       `json:"scopes"`            // that the policies name
	Notices   []string       `json:"notices,omitempty"` // what is declared and not run here
	Issuer    *issuer.Issuer `json:"-"`                 // makes tokens; nil if another issuer's are accepted
}

// Endpoint is one method of one path.
type Endpoint struct {
	Method  string          `json:"method"`
	Path    string          `json:"path"`    // as declared, such as "/accounts/{account}"
	URL     string          `json:"url"`     // with scheme, host, and a value for each parameter
	Header  string          `json:"header"`  // that identifies the caller; "" if nothing authorizes callers
	Policy  string          `json:"policy"`  // directory of the rules, relative to the project; "" if there is none
	Allowed *example.Caller `json:"allowed"` // whom the policy allows; nil if unknown
	Denied  *example.Caller `json:"denied"`  // whom it denies; nil if unknown
	Problem string          `json:"-"`       // why no allowed caller is known, or ""
}

// Endpoint is the endpoint to try out.
func (s Stack) Endpoint() Endpoint { return s.Endpoints[0] }

// Caller is the caller that the form begins with: one that the policy allows, or one with
// every scope.
func (s Stack) Caller() example.Caller {
	if allowed := s.Endpoint().Allowed; allowed != nil {
		return *allowed
	}
	return example.Caller{Scope: strings.Join(s.Scopes, " ")}
}
