package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"account-api/local/build"
	"account-api/local/graph"
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
	cors      bool       // whether API Gateway's own errors name an allowed origin
	origin    string     // that origin; "" if it is none or no constant
	endpoints []endpoint // by path and verb
}

// endpoint is one method of one path.
type endpoint struct {
	verb, path string         // "GET", "/orders/{order}"; the root's path is ""
	header     string         // the one that its TOKEN authorizer reads; "" without such an authorizer
	pattern    *regexp.Regexp // that the header's value must match, as a whole; nil for any
	open       bool           // needs no authorization of any kind
	mock       bool           // answered by API Gateway alone
	handler    string         // directory of the function's program; "" if unknown
	query      string         // with the required parameters
	extra      []string       // the required headers: name, value, name, value …
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

// readGraph finds the API in what the stack declares.
func readGraph(g *graph.Graph) (declaration, error) {
	d := declaration{stack: g.Stack, bases: []string{""}}
	api, err := g.One("aws:apigateway/restApi:RestApi")
	if err != nil {
		return d, err
	}
	for _, r := range g.OfType("aws:apigateway/stage:Stage") {
		d.stages = append(d.stages, r.String("stageName"))
	}
	for _, r := range g.OfType("aws:apigateway/domainName:DomainName") {
		d.domains = append(d.domains, r.String("domainName"))
	}
	for _, r := range g.OfType("aws:apigateway/basePathMapping:BasePathMapping") {
		d.bases = append(d.bases, strings.TrimRight("/"+r.String("basePath"), "/"))
	}
	for _, r := range g.OfType("aws:apigateway/response:Response") {
		if r.String("responseType") == "DEFAULT_4XX" {
			var value string
			value, d.cors = object(r, "responseParameters")["gatewayresponse.header.Access-Control-Allow-Origin"].(string)
			d.origin, _ = strings.CutPrefix(strings.TrimSuffix(value, "'"), "'")
			if d.origin == value {
				d.origin = "" // mapped from the request: no constant
			}
		}
	}
	resources := map[string]graph.Resource{}
	for _, r := range g.OfType("aws:apigateway/resource:Resource") {
		resources[r.ID] = r
	}
	var path func(id string) string
	path = func(id string) string {
		if r, known := resources[id]; known && id != api.String("rootResourceId") {
			return path(r.String("parentId")) + "/" + r.String("pathPart")
		}
		return ""
	}
	wildcards := map[string]endpoint{} // methods ANY, by path
	for _, r := range g.OfType("aws:apigateway/method:Method") {
		e := readMethod(g, r)
		if e.path = path(r.String("resourceId")); e.verb == "ANY" {
			wildcards[e.path] = e
		} else {
			d.endpoints = append(d.endpoints, e)
		}
	}
	for _, e := range wildcards {
		own := d.where(func(o endpoint) bool { return o.path == e.path })
		for _, e.verb = range verbs {
			if !slices.ContainsFunc(own, func(o endpoint) bool { return o.verb == e.verb }) {
				d.endpoints = append(d.endpoints, e)
			}
		}
	}
	slices.SortFunc(d.endpoints, func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(slices.Index(verbs, a.verb), slices.Index(verbs, b.verb)))
	})
	if len(d.protected()) == 0 {
		return d, fmt.Errorf("stack %s declares no method with a TOKEN authorizer: there is nothing to ask", g.Stack)
	}
	return d, nil
}

// object is an input that is an object, or nil.
func object(r graph.Resource, property string) map[string]any {
	o, _ := r.Inputs[property].(map[string]any)
	return o
}

// readMethod reads a method with its authorizer, its integration and its function.
func readMethod(g *graph.Graph, method graph.Resource) endpoint {
	e := endpoint{verb: method.String("httpMethod"), open: method.String("authorization") == "NONE"}
	for _, r := range g.OfType("aws:apigateway/authorizer:Authorizer") {
		if method.String("authorization") == "CUSTOM" && r.ID == method.String("authorizerId") && cmp.Or(r.String("type"), "TOKEN") == "TOKEN" {
			e.header = strings.TrimPrefix(cmp.Or(r.String("identitySource"), "method.request.header.Authorization"), "method.request.header.")
			if expression := r.String("identityValidationExpression"); expression != "" {
				// One that only Java understands counts as none: fewer cases are run.
				e.pattern, _ = regexp.Compile(`^(?:` + expression + `)$`)
			}
		}
	}
	parameters := object(method, "requestParameters")
	for name, required := range parameters {
		in, name, _ := strings.Cut(strings.TrimPrefix(name, "method.request."), ".")
		switch {
		case required != true:
		case in == "querystring":
			e.query = strings.TrimPrefix(e.query+"&"+name+"="+example, "&")
		case in == "header" && !strings.EqualFold(name, e.header):
			e.extra = append(e.extra, name, example)
		}
	}
	for _, r := range g.OfType("aws:apigateway/integration:Integration") {
		if r.String("resourceId") != method.String("resourceId") || r.String("httpMethod") != e.verb {
			continue
		}
		e.mock = r.String("type") == "MOCK"
		for _, f := range g.OfType("aws:lambda/function:Function") {
			if strings.HasSuffix(r.String("uri"), "/functions/"+f.String("arn")+"/invocations") {
				archive, _ := object(f, "code")["path"].(string)
				e.handler = g.Bundles[archive]
			}
		}
	}
	return e
}

// stackOf is the stack that an invoke URL names by its stage, or dev.
func stackOf(root, path string) string {
	stage, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if _, err := os.Stat(filepath.Join(root, "Pulumi."+stage+".yaml")); stage != "" && err == nil {
		return stage
	}
	return "dev"
}

// load reads what a stack declares: from a file, or as the Pulumi program tells.
func load(ctx context.Context, s settings, status io.Writer) (declaration, error) {
	var written []byte
	var err error
	if s.graph != "" {
		written, err = os.ReadFile(s.graph)
	} else {
		fmt.Fprintf(status, "Reading what stack %s declares. Compiling the Pulumi program may take minutes the first time.\n", s.stack)
		written, err = capture(ctx, s)
	}
	if err != nil {
		return declaration{}, err
	}
	g, err := graph.Read(bytes.NewReader(written))
	if err != nil {
		return declaration{}, err
	}
	return readGraph(g)
}

// capture builds and runs the program that writes a stack's graph.
func capture(ctx context.Context, s settings) ([]byte, error) {
	out, err := filepath.Abs(filepath.Join(s.root, "dist", "conform"))
	if err != nil {
		return nil, err
	}
	if err := build.Packages(ctx, build.Options{Root: s.root, Out: out, Packages: []string{"./local/capture"}}); err != nil {
		return nil, err
	}
	written, err := exec.CommandContext(ctx, filepath.Join(out, "capture"), "-root", s.root, "-stack", s.stack).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("read what stack %s declares: %w: %s", s.stack, err, strings.TrimSpace(string(exit.Stderr)))
	}
	return written, err
}
