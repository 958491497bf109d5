package graph_test

import (
	"testing"

	"account-api/local/graph"
)

func TestTarget(t *testing.T) {
	const arn = "arn:aws:lambda:eu-north-1:111122223333:function:tides"
	g := &graph.Graph{Region: "eu-north-1", Resources: []graph.Resource{
		{Type: "aws:lambda/function:Function", Name: "tides", Outputs: map[string]any{"name": "tides", "arn": arn, "version": "1"}},
		{Type: "aws:lambda/alias:Alias", Name: "calm", Outputs: map[string]any{"name": "calm", "functionName": arn, "functionVersion": "1"}},
		{Type: "aws:lambda/alias:Alias", Name: "wild", Outputs: map[string]any{"name": "wild", "functionName": "tides", "functionVersion": "$LATEST"}},
		{Type: "aws:lambda/alias:Alias", Name: "theirs", Outputs: map[string]any{"name": "theirs", "functionName": "moon", "functionVersion": "1"}},
	}}
	for _, row := range []struct{ name, called, version string }{
		{"the function", arn, "$LATEST"},
		{"its version", arn + ":1", "1"},
		{"what is not published", arn + ":$LATEST", "$LATEST"},
		{"an alias of its version", arn + ":calm", "1"},
		{"an alias of what is not published", arn + ":wild", "$LATEST"},
		{"another function's alias", arn + ":theirs", ""},
		{"an earlier version", arn + ":0", ""},
		{"another function", arn + "s", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := g.Target(graph.InvokeARN("eu-north-1", row.called))
			if (err != nil) != (row.version == "") || err == nil && (got.Version != row.version || got.ARN != row.called || got.Function.Name != "tides") {
				t.Errorf("expected version %q, got %+v, %v", row.version, got, err)
			}
			if graph.Unqualified(got.ARN) != arn && err == nil {
				t.Errorf("expected %s without a qualifier, got %s", arn, graph.Unqualified(got.ARN))
			}
		})
	}
}
