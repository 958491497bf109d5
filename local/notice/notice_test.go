package notice_test

import (
	"slices"
	"testing"

	"account-api/local/graph"
	"account-api/local/notice"
)

func TestOf(t *testing.T) {
	const arn = "arn:aws:lambda:eu-north-1:111122223333:function:tides"
	table := graph.Resource{URN: "urn:table", Type: "aws:dynamodb/table:Table", Name: "levels", ID: "levels-1a2b3c4", Outputs: map[string]any{"name": "levels-1a2b3c4", "arn": "arn:aws:dynamodb:::table/levels-1a2b3c4"}}
	function := func(variables map[string]any) graph.Resource {
		return graph.Resource{URN: "urn:f", Type: "aws:lambda/function:Function", Name: "tides", Outputs: map[string]any{"name": "tides", "arn": arn},
			Inputs:               map[string]any{"environment": map[string]any{"variables": variables}},
			PropertyDependencies: map[string][]string{"environment": {"urn:table", "urn:password"}}}
	}
	with := func(f graph.Resource, property string, value any) graph.Resource {
		f.Inputs[property] = value
		return f
	}
	deployed := table
	deployed.Deployed = true
	called := graph.Resource{URN: "urn:i", Type: "aws:apigateway/integration:Integration", Name: "i", Inputs: map[string]any{"uri": graph.InvokeARN("eu-north-1", arn)}}
	for _, row := range []struct {
		name      string
		resources []graph.Resource
		lines     []string
	}{
		{"a table that a function names", []graph.Resource{table, function(map[string]any{"TABLE": "levels-1a2b3c4", "OTHER": "x"}), called},
			[]string{"dynamodb:Table levels: not run here; TABLE in the environment of tides is the made-up name levels-1a2b3c4; " + notice.Reach}},
		{"a table that no function names", []graph.Resource{table}, []string{"dynamodb:Table levels: not run here; " + notice.Reach}},
		{"a deployed table", []graph.Resource{deployed, function(map[string]any{"TABLE": "levels-1a2b3c4"}), called},
			[]string{"dynamodb:Table levels: not run here; TABLE in the environment of tides is the deployed stack's name levels-1a2b3c4; " + notice.Reach}},
		{"a name within a text", []graph.Resource{table, function(map[string]any{"URL": "db://levels-1a2b3c4/x"}), called},
			[]string{"dynamodb:Table levels: not run here; URL in the environment of tides contains the made-up name levels-1a2b3c4; " + notice.Reach}},
		{"a secret", []graph.Resource{{URN: "urn:password", Type: "random:index/randomPassword:RandomPassword", Name: "password", ID: "none", Outputs: map[string]any{"result": graph.Secret}},
			function(map[string]any{"PASSWORD": "hush"}), called}, []string{"random:RandomPassword password: not run here"}},
		{"a schedule", []graph.Resource{{Type: "aws:cloudwatch/eventRule:EventRule", Name: "nightly"}}, []string{"cloudwatch:EventRule nightly: not run here; it invokes no function here"}},
		{"what only observes", []graph.Resource{{Type: "aws:iam/role:Role", Name: "a"}, {Type: "aws:iam/role:Role", Name: "b"}, {Type: "aws:cloudwatch/metricAlarm:MetricAlarm", Name: "c"}},
			[]string{"not run here, and no answer depends on it: cloudwatch:MetricAlarm (1), iam:Role (2)"}},
		{"what is part of the API, a provider and a component", []graph.Resource{{Type: "aws:apigateway/method:Method"}, {Type: "pulumi:providers:aws"}, {Type: "tides:index:Site", Component: true}}, nil},
		{"a function that nothing calls", []graph.Resource{function(nil)}, []string{"lambda:Function tides: not run here; the REST API does not call it"}},
		{"a function in a VPC", []graph.Resource{with(function(nil), "vpcConfig", map[string]any{"subnetIds": []any{"s"}}), called},
			[]string{"lambda:Function tides: runs on this machine's network, without the VPC of vpcConfig"}},
		{"a function with layers", []graph.Resource{with(function(nil), "layers", []any{"arn"}), called},
			[]string{"lambda:Function tides: runs without its layers: their files are not in /opt, their extensions do not run"}},
		{"a function with storage", []graph.Resource{with(function(nil), "ephemeralStorage", map[string]any{"size": 1024.0}), called},
			[]string{"lambda:Function tides: its temporary directory has no limit, whatever ephemeralStorage says"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := notice.Of(&graph.Graph{Region: "eu-north-1", Resources: row.resources}); !slices.Equal(got, row.lines) {
				t.Errorf("expected %q, got %q", row.lines, got)
			}
		})
	}
	other := &graph.Graph{Unselected: []string{"admin"}}
	if got := notice.Of(other); len(got) != 1 || got[0] != "apigateway:RestApi admin: not served now; make run API=admin" {
		t.Errorf("expected the other API to be listed, got %q", got)
	}
}
