package main

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// verbs is what ANY stands for.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html
var verbs = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// declaration is what a stack declares, as far as a client can see it.
type declaration struct {
	stack     string
	stages    []string
	domains   []string   // host names of its own
	bases     []string   // paths below which those hosts serve a stage
	origin    string     // that API Gateway's own errors allow; "" if it is no constant
	endpoints []endpoint // by path and verb
}

// endpoint is one method of one path.
type endpoint struct {
	verb, path string            // "GET", "/orders/{order}"; the root's path is ""
	header     string            // the one that its TOKEN authorizer reads; "" without such an authorizer
	pattern    *regexp.Regexp    // that the header's value must match, as a whole; nil for any
	authorizer map[string]string // the variables of that authorizer's function
	open       bool              // needs no authorization of any kind
	mock       bool              // answered by API Gateway alone
	handler    string            // directory of the function's program; "" if unknown
	query      string            // with the required parameters
	extra      []string          // the required headers: name, value, name, value …
}

// example is the value of every path parameter and of every required parameter.
const example = "conform"

var parameter = regexp.MustCompile(`\{[^/{}]+\}`)

func (e endpoint) String() string { return e.verb + " " + cmp.Or(e.path, "/") }

// concrete is a path that can be requested.
func (e endpoint) concrete() string { return parameter.ReplaceAllString(cmp.Or(e.path, "/"), example) }

// safe reports whether a request changes nothing (RFC 9110, section 9.2.1).
func (e endpoint) safe() bool { return e.verb == "GET" || e.verb == "HEAD" || e.verb == "OPTIONS" }

// preflight reports whether it answers the question that a browser asks before a call.
func (e endpoint) preflight() bool { return e.verb == "OPTIONS" && e.open && e.mock }

// refuses reports whether API Gateway itself refuses a value of the header.
func (e endpoint) refuses(value string) bool {
	return e.pattern != nil && !e.pattern.MatchString(value)
}

// fits reports whether a requested path is one of the endpoint's.
func (e endpoint) fits(requested string) bool {
	parts := strings.Split(strings.TrimRight(requested, "/"), "/")
	for i, part := range strings.Split(e.path, "/") {
		switch {
		case i >= len(parts):
			return false
		case strings.HasSuffix(part, "+}"): // greedy: takes the rest
			return parts[i] != ""
		case part != parts[i] && !(parameter.MatchString(part) && parts[i] != ""):
			return false
		}
	}
	return len(parts) == strings.Count(e.path, "/")+1
}

// answers reports whether any endpoint is meant by a verb and a requested path.
func (d declaration) answers(verb, requested string) bool {
	return slices.ContainsFunc(d.endpoints, func(e endpoint) bool { return e.verb == verb && e.fits(requested) })
}

// knows reports whether a requested path is declared, for whatever verb.
func (d declaration) knows(requested string) bool {
	return slices.ContainsFunc(d.endpoints, func(e endpoint) bool { return e.fits(requested) })
}

// lacking are the verbs that a requested path does not have.
func (d declaration) lacking(requested string) []string {
	return slices.DeleteFunc(slices.Clone(verbs), func(verb string) bool { return d.answers(verb, requested) })
}

// where selects endpoints.
func (d declaration) where(holds func(endpoint) bool) []endpoint {
	return slices.DeleteFunc(slices.Clone(d.endpoints), func(e endpoint) bool { return !holds(e) })
}

// protected are the endpoints behind a TOKEN authorizer.
func (d declaration) protected() []endpoint {
	return d.where(func(e endpoint) bool { return e.header != "" })
}

// paths are the declared paths without repetition.
func (d declaration) paths() []string {
	var all []string
	for _, e := range d.endpoints {
		all = append(all, cmp.Or(e.path, "/"))
	}
	return slices.Compact(all)
}
