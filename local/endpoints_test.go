package main

import (
	"path"
	"slices"
	"strings"
	"testing"

	"account-api/local/graph"
)

// declare makes a graph with methods, each "METHOD /path". Children come before parents:
// a graph has no useful order. HEAD and OPTIONS have no authorizer.
func declare(methods ...string) *graph.Graph {
	g := &graph.Graph{Stack: "test"}
	add := func(token, id string, outputs map[string]any) {
		g.Resources = slices.Insert(g.Resources, 0, graph.Resource{Type: "aws:apigateway/" + token, ID: id, Inputs: outputs, Outputs: outputs})
	}
	add("restApi:RestApi", "api", map[string]any{"rootResourceId": "/"})
	add("authorizer:Authorizer", "door", map[string]any{"identitySource": "method.request.header.X-Ticket"})
	declared := map[string]bool{"/": true}
	var resource func(full string)
	resource = func(full string) {
		if parent := path.Dir(full); !declared[full] {
			resource(parent)
			declared[full] = true
			add("resource:Resource", full, map[string]any{"parentId": parent, "pathPart": path.Base(full)})
		}
	}
	for _, m := range methods {
		method, full, _ := strings.Cut(m, " ")
		resource(full)
		outputs := map[string]any{"httpMethod": method, "resourceId": full, "authorization": "CUSTOM", "authorizerId": "door"}
		if method == "HEAD" || method == "OPTIONS" {
			outputs["authorization"] = "NONE"
		}
		add("method:Method", m, outputs)
	}
	return g
}

func TestEndpoints(t *testing.T) {
	for name, row := range map[string]struct {
		declared, want []string // the endpoint to try out is the first one
	}{
		"the shortest GET without parameters is first": {
			[]string{"GET /seats/free", "GET /{seat}", "GET /rows", "POST /a"},
			[]string{"GET /rows", "GET /seats/free", "POST /a", "GET /{seat}"}},
		"without one, the first by path and method": {
			[]string{"PUT /seats/{seat}", "DELETE /seats/{seat}", "GET /seats/{seat}/row"},
			[]string{"DELETE /seats/{seat}", "PUT /seats/{seat}", "GET /seats/{seat}/row"}},
		"preflights are none": {[]string{"OPTIONS /seats", "GET /seats"}, []string{"GET /seats"}},
		"the root is a path":  {[]string{"GET /"}, []string{"GET /"}},
		"nothing is declared": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range endpoints(declare(row.declared...)) {
				got = append(got, e.method+" "+e.path)
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("expected %q, got %q", row.want, got)
			}
		})
	}
}

func TestSamplesOfEndpoints(t *testing.T) {
	for declared, want := range map[string]string{
		"GET /seats":              "GET /seats X-Ticket",
		"GET /seats/{seat}/{to+}": "GET /seats/example/example X-Ticket",
		"ANY /seats":              "GET /seats X-Ticket",
		"HEAD /seats":             "HEAD /seats ", // open
	} {
		e := endpoints(declare(declared))[0]
		if got := e.verb() + " " + e.sample() + " " + e.header; got != want {
			t.Errorf("%s: expected %q, got %q", declared, want, got)
		}
	}
}
