package main

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"account-api/local/graph"
)

// endpoint is one method of one path, as the stack declares it.
type endpoint struct {
	method  string
	path    string // as declared, such as "/accounts/{account}"
	handler string // directory of the function's main package, "" if no function answers
	header  string // that identifies the caller; "" if nothing authorizes callers
}

// endpoints lists what the stack declares besides preflights: first the one to try out,
// the GET method with the shortest path that has no parameters, then by path and method.
func endpoints(g *graph.Graph) []endpoint {
	paths := g.Paths()
	handlers := map[string]string{} // by resource ID and method
	for _, integration := range g.OfType("aws:apigateway/integration:Integration") {
		if target, err := g.Target(integration.String("uri")); err == nil {
			handlers[integration.String("resourceId")+integration.String("httpMethod")] = g.Bundles[codePath(target.Function)]
		}
	}
	headers := map[string]string{} // by authorizer ID
	for _, a := range g.OfType("aws:apigateway/authorizer:Authorizer") {
		headers[a.ID] = strings.TrimPrefix(a.String("identitySource"), "method.request.header.")
	}
	var all []endpoint
	for _, m := range g.OfType("aws:apigateway/method:Method") {
		id, method := m.String("resourceId"), m.String("httpMethod")
		if method == http.MethodOptions {
			continue
		}
		e := endpoint{method: method, path: paths[id], handler: handlers[id+method]}
		if m.String("authorization") != "NONE" {
			e.header = cmp.Or(headers[m.String("authorizerId")], "Authorization")
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b endpoint) int {
		return cmp.Or(a.effort()-b.effort(), strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return all
}

// effort orders endpoints by what a command that calls them has to make up.
func (e endpoint) effort() int {
	if e.method == http.MethodGet && !strings.Contains(e.path, "{") {
		return len(e.path)
	}
	return 1 << 20 // longer than any path
}

// parameter is a path parameter, such as {account} or {rest+}.
var parameter = regexp.MustCompile(`\{[^/{}]*\}`)

// sample is a path that reaches the endpoint, with a value for each parameter.
func (e endpoint) sample() string { return parameter.ReplaceAllLiteralString(e.path, "example") }

// verb is a method that reaches the endpoint.
func (e endpoint) verb() string {
	if e.method == "ANY" {
		return http.MethodGet
	}
	return e.method
}

// stage is the name that the paths of the API begin with.
func stage(g *graph.Graph) string {
	for _, token := range []string{"aws:apigateway/stage:Stage", "aws:apigateway/deployment:Deployment"} {
		for _, s := range g.OfType(token) {
			if name := s.String("stageName"); name != "" {
				return name
			}
		}
	}
	return g.Stack
}
