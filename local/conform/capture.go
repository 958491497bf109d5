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

	"account-api/local/graph"
)

// stackOf is the stack whose stage or whose domain the URL names, or dev.
func stackOf(root string, t target) string {
	stage, _, _ := strings.Cut(strings.TrimPrefix(t.url.Path, "/"), "/")
	files, _ := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml")) // the pattern is well-formed
	for _, file := range files {
		stack := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml")
		settings, _ := os.ReadFile(file)
		if stack == stage || t.place == elsewhere && strings.Contains(string(settings), t.url.Hostname()) {
			return stack
		}
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

// capture runs the program that writes a stack's graph.
func capture(ctx context.Context, s settings) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "-buildvcs=false", "./local/capture", "-root", ".", "-stack", s.stack)
	cmd.Dir = s.root
	written, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		complaint := strings.TrimSuffix(strings.TrimSpace(string(exit.Stderr)), "exit status 1")
		return nil, fmt.Errorf("read what stack %s declares: %s", s.stack, strings.TrimSpace(complaint))
	}
	return written, err
}

// readGraph finds the API in what the stack declares.
func readGraph(g *graph.Graph) (declaration, error) {
	d := declaration{stack: g.Stack, bases: []string{""}}
	if _, err := g.One("aws:apigateway/restApi:RestApi"); err != nil {
		return d, err
	}
	texts := func(kind, property string) (all []string) {
		for _, r := range g.OfType("aws:apigateway/" + kind) {
			all = append(all, r.String(property))
		}
		return all
	}
	d.stages, d.domains = texts("stage:Stage", "stageName"), texts("domainName:DomainName", "domainName")
	for _, base := range texts("basePathMapping:BasePathMapping", "basePath") {
		d.bases = append(d.bases, strings.TrimRight("/"+base, "/"))
	}
	for _, r := range g.OfType("aws:apigateway/response:Response") {
		value, _ := object(r, "responseParameters")["gatewayresponse.header.Access-Control-Allow-Origin"].(string)
		if constant, ok := strings.CutPrefix(value, "'"); ok && r.String("responseType") == "DEFAULT_4XX" {
			d.origin = strings.TrimSuffix(constant, "'")
		}
	}
	paths := g.Paths()
	var wildcards []endpoint
	for _, r := range g.OfType("aws:apigateway/method:Method") {
		e, err := readMethod(g, r)
		if err != nil {
			return d, err
		}
		if e.path = strings.TrimSuffix(paths[r.String("resourceId")], "/"); e.verb != "ANY" {
			d.endpoints = append(d.endpoints, e)
			continue
		}
		for _, e.verb = range verbs {
			wildcards = append(wildcards, e)
		}
	}
	// A method of its own wins over ANY.
	d.endpoints = append(d.endpoints, wildcards...)
	slices.SortStableFunc(d.endpoints, func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(slices.Index(verbs, a.verb), slices.Index(verbs, b.verb)))
	})
	d.endpoints = slices.CompactFunc(d.endpoints, func(a, b endpoint) bool { return a.String() == b.String() })
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

// readMethod reads a method with its authorizer, its integration and its function. A function
// that is not found is an error: what its policy decides would go unasked.
func readMethod(g *graph.Graph, method graph.Resource) (endpoint, error) {
	e := endpoint{verb: method.String("httpMethod"), open: method.String("authorization") == "NONE"}
	for _, r := range g.OfType("aws:apigateway/authorizer:Authorizer") {
		if method.String("authorization") == "CUSTOM" && r.ID == method.String("authorizerId") && cmp.Or(r.String("type"), "TOKEN") == "TOKEN" {
			e.header = strings.TrimPrefix(cmp.Or(r.String("identitySource"), "method.request.header.Authorization"), "method.request.header.")
			if expression := r.String("identityValidationExpression"); expression != "" {
				// One that only Java understands counts as none: fewer cases are run.
				e.pattern, _ = regexp.Compile(`^(?:` + expression + `)$`)
			}
			invoked, err := g.Target(r.String("authorizerUri"))
			if err != nil {
				return e, fmt.Errorf("authorizer %s: its authorizerUri %q %w", r.Name, r.String("authorizerUri"), err)
			}
			e.authorizer = invoked.Function.Environment()
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
		if r.String("type") != "AWS_PROXY" {
			continue
		}
		target, err := g.Target(r.String("uri"))
		if err != nil {
			return e, fmt.Errorf("integration %s: its uri %q %w", r.Name, r.String("uri"), err)
		}
		archive, _ := object(target.Function, "code")["path"].(string)
		e.handler = g.Bundles[archive]
	}
	return e, nil
}
