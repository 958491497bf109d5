package graph_test

import (
	"maps"
	"testing"

	"account-api/local/graph"
)

func TestPaths(t *testing.T) {
	g := &graph.Graph{}
	declare := func(token, id string, inputs map[string]any) {
		g.Resources = append(g.Resources, graph.Resource{Type: token, ID: id, Inputs: inputs, Outputs: inputs})
	}
	part := func(id, parent, part string) {
		declare("aws:apigateway/resource:Resource", id, map[string]any{"parentId": parent, "pathPart": part})
	}
	part("lines", "order", "lines") // before its parents
	part("order", "orders", "{order}")
	part("orders", "top", "orders")
	part("own", "top", "lines") // ends as another does
	part("lost", "nowhere", "lines")
	declare("aws:apigateway/restApi:RestApi", "api", map[string]any{"rootResourceId": "top"})
	want := map[string]string{"top": "/", "orders": "/orders", "order": "/orders/{order}", "lines": "/orders/{order}/lines", "own": "/lines"}
	if got := g.Paths(); !maps.Equal(got, want) {
		t.Errorf("expected %q, got %q", want, got)
	}
}
