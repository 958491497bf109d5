package graph_test

import (
	"strings"
	"testing"

	"account-api/local/graph"
)

func TestSelect(t *testing.T) {
	api := func(name, id string) graph.Resource {
		return graph.Resource{Type: "aws:apigateway/restApi:RestApi", Name: name, ID: id, Outputs: map[string]any{"name": "the-" + name}}
	}
	part := func(token, name, property, id string) graph.Resource {
		return graph.Resource{Type: token, Name: name, Inputs: map[string]any{property: id}}
	}
	g := &graph.Graph{Resources: []graph.Resource{
		api("tides", "api1"), api("moon", "api2"),
		part("aws:apigateway/method:Method", "get-tides", "restApi", "api1"), part("aws:apigateway/method:Method", "get-moon", "restApi", "api2"),
		part("aws:apigateway/response:Response", "of-moon", "restApiId", "api2"), part("aws:sqs/queue:Queue", "queue", "restApi", "api1"),
	}}
	for _, row := range []struct{ name, choose, kept, says string }{
		{"a logical name", "moon", "moon get-moon of-moon queue", ""},
		{"a name", "the-tides", "tides get-tides queue", ""},
		{"no name", "", "", "the stack has 2 REST APIs, tides, moon, and one is served at a time: make run API=tides"},
		{"another name", "sun", "", "make run API=tides"},
	} {
		t.Run(row.name, func(t *testing.T) {
			selected, err := g.Select(row.choose)
			if row.says != "" {
				if err == nil || !strings.Contains(err.Error(), row.says) {
					t.Errorf("expected %q, got %v", row.says, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var kept []string
			for _, r := range selected.Resources {
				kept = append(kept, r.Name)
			}
			if got := strings.Join(kept, " "); got != row.kept || len(selected.Unselected) != 1 {
				t.Errorf("expected %s and another API, got %s and %v", row.kept, got, selected.Unselected)
			}
		})
	}
	one := &graph.Graph{Resources: g.Resources[:1]}
	if selected, err := one.Select(""); err != nil || selected != one {
		t.Errorf("expected the only API without a choice, got %v", err)
	}
	if _, err := one.Select("moon"); err == nil || !strings.Contains(err.Error(), "there is tides") {
		t.Errorf("expected the error to name the only API, got %v", err)
	}
}
