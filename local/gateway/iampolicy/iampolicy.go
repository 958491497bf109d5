// Package iampolicy evaluates the policy that a Lambda authorizer returns, for the
// gateway that decides whether one request may pass. It models identity-based
// statements with Action, NotAction, Resource, NotResource and their wildcards.
//
// It evaluates no Condition and no policy variable: a statement that has one can deny
// and never allows. An Allow means that the method may be called. It does not mean that
// the caller may see what the method returns.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
package iampolicy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxResourceLength is the longest Resource, in bytes, that API Gateway accepts in
// an authorizer's policy.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
const maxResourceLength = 512

// Decision is the result of evaluating a policy for one action on one resource.
type Decision int

// The zero value refuses.
const (
	ImplicitDeny Decision = iota // no statement allows it
	ExplicitDeny                 // a statement denies it, whatever others allow
	Allow                        // a statement allows it and none denies it
)

// Verdict is a decision and the statement that made it.
type Verdict struct {
	Decision  Decision
	Statement int    // position of the deciding statement, from 1; 0 when no statement decided
	Pattern   string // the Resource or NotResource pattern that decided; "" when none did
}

// Policy is a parsed policy document. Its zero value allows nothing.
type Policy struct {
	statements []statement
}

// statement is one of a policy, as it is written.
type statement struct {
	Sid                   string
	Effect                string
	Action, NotAction     oneOrMore[string]
	Resource, NotResource oneOrMore[string]
	Condition             jsontext.Value
}

// oneOrMore is a list of values, or the only one of them.
type oneOrMore[T any] []T

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (l *oneOrMore[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case jsontext.KindNull:
		return errors.New("expected a value or a list, got null")
	case jsontext.KindBeginArray:
		return json.UnmarshalDecode(d, (*[]T)(l))
	}
	*l = make([]T, 1)
	return json.UnmarshalDecode(d, &(*l)[0])
}

// Parse reads a policy document. An unknown element, a repeated name or a wrong type is
// an error: an element without effect could leave out a Deny. Errors name elements and
// never quote their values.
func Parse(document []byte) (Policy, error) {
	var p struct {
		Version   string
		ID        string `json:"Id"`
		Statement oneOrMore[statement]
	}
	err := json.Unmarshal(document, &p, json.RejectUnknownMembers(true))
	if wrong := (*json.SemanticError)(nil); errors.As(err, &wrong) {
		return Policy{}, fmt.Errorf("policyDocument%s: expected an element of an IAM policy, of its type", wrong.JSONPointer)
	}
	switch {
	case err != nil:
		return Policy{}, errors.New("policyDocument: expected a JSON object without repeated names")
	case p.Version != "" && p.Version != "2012-10-17" && p.Version != "2008-10-17":
		return Policy{}, errors.New(`policyDocument/Version: expected "2012-10-17"`)
	case len(p.Statement) == 0:
		return Policy{}, errors.New("policyDocument/Statement: expected at least one statement: add the one that allows the method")
	}
	for i, s := range p.Statement {
		if err := s.check(); err != nil {
			return Policy{}, fmt.Errorf("policyDocument/Statement/%d: %w", i, err)
		}
	}
	return Policy{p.Statement}, nil
}

func (s statement) check() error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return errors.New(`expected the Effect "Allow" or "Deny"`)
	case (len(s.Action) > 0) == (len(s.NotAction) > 0):
		return errors.New("expected one of Action and NotAction")
	case (len(s.Resource) > 0) == (len(s.NotResource) > 0):
		return errors.New("expected one of Resource and NotResource")
	case s.Condition != nil && s.Condition.Kind() != jsontext.KindBeginObject:
		return errors.New("expected an object as Condition")
	}
	for _, resource := range slices.Concat(s.Resource, s.NotResource) {
		if len(resource) > maxResourceLength {
			return fmt.Errorf("a resource has %d bytes, expected at most %d", len(resource), maxResourceLength)
		}
	}
	return nil
}

// variable reports whether a resource has a policy variable, such as "${aws:username}".
func variable(resource string) bool { return strings.Contains(resource, "${") }

// conditional reports whether the statement depends on what is not evaluated.
func (s statement) conditional() bool {
	return strings.Trim(string(s.Condition), "{} \t\r\n") != "" || slices.ContainsFunc(slices.Concat(s.Resource, s.NotResource), variable)
}

// Evaluate decides whether the policy allows an action on a resource. A matching Deny
// wins, then a matching Allow. Without either, it is denied implicitly.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (p Policy) Evaluate(action, resource string) Verdict {
	var verdict Verdict
	for i, s := range p.statements {
		pattern, ok := s.matches(action, resource)
		switch {
		case !ok:
		case s.Effect == "Deny":
			return Verdict{Decision: ExplicitDeny, Statement: i + 1, Pattern: pattern}
		case verdict.Decision == ImplicitDeny && !s.conditional():
			verdict = Verdict{Decision: Allow, Statement: i + 1, Pattern: pattern}
		}
	}
	return verdict
}

// matches reports whether the statement applies, apart from its conditions, and by which
// resource pattern.
func (s statement) matches(action, resource string) (pattern string, ok bool) {
	named := slices.ContainsFunc(slices.Concat(s.Action, s.NotAction), func(pattern string) bool {
		return Match(strings.ToLower(pattern), strings.ToLower(action)) // unlike resources, in any case
	})
	if named == (len(s.NotAction) > 0) {
		return "", false
	}
	if slices.ContainsFunc(s.NotResource, func(pattern string) bool { return Match(pattern, resource) }) {
		return "", false
	}
	for _, pattern := range s.Resource {
		// The value of a variable is unknown, so a Deny that has one applies.
		if Match(pattern, resource) || s.Effect == "Deny" && variable(pattern) {
			return pattern, true
		}
	}
	return strings.Join(s.NotResource, ", "), len(s.NotResource) > 0
}

// Match reports whether value matches an IAM pattern as a whole: "*" stands for
// any run of characters, including "/" and none, and "?" for exactly one.
func Match(pattern, value string) bool {
	p, v := 0, 0
	star, resume := -1, 0 // last "*" seen, and where in value to retry from
	for v < len(value) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, v
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == value[v]):
			p++
			v++
		case star >= 0:
			resume++
			p, v = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// MatchARN reports whether an ARN matches a pattern as IAM's ArnLike does: each of
// the six parts between colons on its own, so that a "*" never spans two of them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func MatchARN(pattern, arn string) bool {
	const parts = 6 // arn:partition:service:region:account:resource
	patterns, values := strings.SplitN(pattern, ":", parts), strings.SplitN(arn, ":", parts)
	if len(patterns) != parts || len(values) != parts {
		return false
	}
	for i := range patterns {
		if !Match(patterns[i], values[i]) {
			return false
		}
	}
	return true
}
