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
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"account-api/local/gateway/member"
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

type statement struct {
	effect      Decision // Allow or ExplicitDeny
	actions     []string
	notActions  bool
	resources   []string
	notResource bool
	conditional bool // has a Condition or a policy variable, which are not evaluated
}

// Parse reads a policy document. An unknown element, a repeated name or a wrong type is
// an error: an element without effect could leave out a Deny. Errors name elements and
// never quote their values.
func Parse(document []byte) (Policy, error) {
	object, err := members(document, "policyDocument", "Version", "Id", "Statement")
	if err != nil {
		return Policy{}, err
	}
	if raw, ok := object["Version"]; ok {
		if version, _ := member.Text(raw); version != "2012-10-17" && version != "2008-10-17" {
			return Policy{}, errors.New(`policyDocument.Version: expected "2012-10-17"`)
		}
	}
	raw, ok := object["Statement"]
	if !ok {
		return Policy{}, errors.New("policyDocument.Statement is missing: add the statement that allows the method")
	}
	var list []jsontext.Value
	switch raw.Kind() {
	case '{':
		list = []jsontext.Value{raw}
	case '[':
		if err := json.Unmarshal(raw, &list); err != nil {
			return Policy{}, errors.New("policyDocument.Statement is not a list of objects")
		}
	}
	if len(list) == 0 {
		return Policy{}, errors.New("policyDocument.Statement: expected at least one statement")
	}
	p := Policy{statements: make([]statement, 0, len(list))}
	for i, raw := range list {
		s, err := parseStatement(raw, fmt.Sprintf("policyDocument.Statement[%d]", i))
		if err != nil {
			return Policy{}, err
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

func parseStatement(raw jsontext.Value, at string) (statement, error) {
	object, err := members(raw, at, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return statement{}, err
	}
	var s statement
	switch effect, _ := member.Text(object["Effect"]); effect {
	case "Allow":
		s.effect = Allow
	case "Deny":
		s.effect = ExplicitDeny
	default:
		return statement{}, fmt.Errorf(`%s.Effect: expected "Allow" or "Deny"`, at)
	}
	if s.actions, s.notActions, err = either(object, at, "Action", "NotAction"); err != nil {
		return statement{}, err
	}
	if s.resources, s.notResource, err = either(object, at, "Resource", "NotResource"); err != nil {
		return statement{}, err
	}
	for _, resource := range s.resources {
		if len(resource) > maxResourceLength {
			return statement{}, fmt.Errorf("%s: a resource has %d bytes, expected at most %d", at, len(resource), maxResourceLength)
		}
		// A policy variable, such as "${aws:username}".
		s.conditional = s.conditional || strings.Contains(resource, "${")
	}
	if raw, ok := object["Condition"]; ok {
		var condition map[string]jsontext.Value
		if raw.Kind() != '{' || json.Unmarshal(raw, &condition) != nil {
			return statement{}, fmt.Errorf("%s.Condition: expected an object", at)
		}
		s.conditional = s.conditional || len(condition) > 0
	}
	return s, nil
}

// either reads an element or its inverse. A statement has exactly one of them.
func either(object map[string]jsontext.Value, at, name, inverse string) (values []string, inverted bool, err error) {
	raw, ok := object[name]
	other, otherOK := object[inverse]
	if ok == otherOK {
		return nil, false, fmt.Errorf("%s: expected one of %s and %s", at, name, inverse)
	}
	if otherOK {
		raw, name, inverted = other, inverse, true
	}
	switch raw.Kind() {
	case '"':
		if value, ok := member.Text(raw); ok {
			values = []string{value}
		}
	case '[':
		err = json.Unmarshal(raw, &values)
	}
	if err != nil || len(values) == 0 {
		return nil, false, fmt.Errorf("%s.%s: expected a string or a list of strings", at, name)
	}
	return values, inverted, nil
}

// members decodes an object whose names must be among known.
func members(raw jsontext.Value, at string, known ...string) (map[string]jsontext.Value, error) {
	object, err := member.Of(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: expected a JSON object without repeated names", at)
	}
	unknown := len(object)
	for _, name := range known {
		if _, ok := object[name]; ok {
			unknown--
		}
	}
	if unknown > 0 {
		return nil, fmt.Errorf("%s: expected only %s", at, strings.Join(known, ", "))
	}
	return object, nil
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
		case s.effect == ExplicitDeny:
			return Verdict{Decision: ExplicitDeny, Statement: i + 1, Pattern: pattern}
		case verdict.Decision == ImplicitDeny && !s.conditional:
			verdict = Verdict{Decision: Allow, Statement: i + 1, Pattern: pattern}
		}
	}
	return verdict
}

// matches reports whether the statement applies, apart from its conditions, and by which
// resource pattern.
func (s statement) matches(action, resource string) (pattern string, ok bool) {
	matched := false
	for _, candidate := range s.actions {
		// Action names are case-insensitive, resources are not.
		if Match(strings.ToLower(candidate), strings.ToLower(action)) {
			matched = true
			break
		}
	}
	if matched == s.notActions {
		return "", false
	}
	for _, candidate := range s.resources {
		// The value of a variable is unknown, so a Deny that has one applies.
		if Match(candidate, resource) || !s.notResource && s.effect == ExplicitDeny && strings.Contains(candidate, "${") {
			return candidate, !s.notResource
		}
	}
	if s.notResource {
		return strings.Join(s.resources, ", "), true
	}
	return "", false
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
