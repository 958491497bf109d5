package infra

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// endpoint is one method of one path, answered by one handler.
type endpoint struct {
	method      string // "GET"
	path        string // "profile", or nested: "accounts/{account}/profile"
	handler     string // directory of the handler's main package; several endpoints may share it
	description string // of the handler's function
}

// endpoints are the API. To add one:
//
//  1. Write its Rego package and the tests in a directory of policies/ with the name of
//     its handler.
//  2. Write its handler next to handlers/profile: a main function that gives
//     endpoint.Serve the policy, its entrypoint and what the allowed are answered.
//  3. Add its entry here. One more path to a handler that is there takes this step only.
var endpoints = []endpoint{
	{
		method:      "GET",
		path:        "profile",
		handler:     "handlers/profile",
		description: "Answers with the caller's profile if the policy allows it",
	},
}

// name is the endpoint's logical name in the program.
func (e endpoint) name() string { return e.method + "-" + resourceName(e.path) }

// variable is a path parameter, such as {account} or the greedy {rest+}.
var variable = regexp.MustCompile(`\{[^/{}]+\}`)

// source is the endpoint's end of the ARN that API Gateway shows to Lambda, in which
// a path parameter stands for any value:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html
func (e endpoint) source() string { return e.method + "/" + variable.ReplaceAllString(e.path, "*") }

// resourceName is a path as a logical name. It becomes part of physical names, some
// of which have neither slashes nor braces.
func resourceName(path string) string {
	return strings.NewReplacer("/", "-", "{", "", "}", "", "+", "").Replace(path)
}

// paths are the endpoints' paths without repetition, in alphabetical order.
func paths(endpoints []endpoint) []string {
	var all []string
	for _, e := range endpoints {
		all = append(all, e.path)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// functionNames are the names of the stack's functions, without project and stack.
func functionNames(endpoints []endpoint) []string {
	names := []string{"authorizer"}
	for _, e := range endpoints {
		names = append(names, path.Base(e.handler))
	}
	return names
}

// methodsOf lists the methods of a path, in alphabetical order.
func methodsOf(path string, endpoints []endpoint) []string {
	var methods []string
	for _, e := range endpoints {
		if e.path == path {
			methods = append(methods, e.method)
		}
	}
	slices.Sort(methods)
	return methods
}
