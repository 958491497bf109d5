package infra

import (
	"encoding/json"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// graph is one widget that plots metrics. A line is a namespace, a metric, its
// dimensions and, last, options.
type graph struct {
	title, stat, unit string
	lines             [][]any
}

// newDashboards declares a page that shows, from left to right: how many requests come
// in, how far they get, why not further, and how long they take. The functions are on a page of their own: an
// endpoint that is added changes that one only, and a preview shows a changed page whole.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func (s *stack) newDashboards(functions []*function) error {
	gateway := func(metric string, options map[string]any) []any {
		return []any{"AWS/ApiGateway", metric, "ApiName", s.name(), "Stage", s.ctx.Stack(), options}
	}
	lambda := func(metric, function string, options map[string]any) []any {
		return []any{"AWS/Lambda", metric, "FunctionName", s.name(function), options}
	}
	ours := func(metric, label string) []any { return []any{s.namespace(), metric, map[string]any{"label": label}} }
	label := func(text string) map[string]any { return map[string]any{"label": text} }

	refusals := widget{"log", map[string]any{
		"title": "Why tokens were refused", "view": "table",
		"query": "SOURCE '/aws/lambda/" + s.name("authorizer") + "' | filter msg = 'refused' | stats count(*) as refusals by reason, category | sort refusals desc",
	}}
	requests := []graph{
		{"How far requests get", "Sum", "count", [][]any{
			gateway("Count", label("1 requests")), ours(metricAuthenticated, "2 authenticated"), ours(metricAllowed, "3 allowed by the policy"),
		}},
		{"Why not further", "Sum", "count", [][]any{
			ours(metricRefused, "token refused"), ours(metricDenied, "denied by the policy"), ours(metricThrottled, "throttled"),
			ours(metricOutage, "provider unreachable"), ours(metricAttack, "attack"), ours(metricMisconfigured, "misconfigured"), ours(metricDefect, "defect"),
		}},
		{"Errors that callers see", "Sum", "count", [][]any{gateway("4XXError", label("4xx")), gateway("5XXError", label("5xx"))}},
		{"The slowest one in a hundred", "p99", "ms", [][]any{gateway("Latency", label("whole request")), gateway("IntegrationLatency", label("endpoint"))}},
	}
	var running []graph
	for _, f := range functions {
		running = append(running, graph{f.name, "Sum", "count or ms", [][]any{
			lambda("Duration", f.name, map[string]any{"label": "p99 of the duration", "stat": "p99"}),
			lambda("ConcurrentExecutions", f.name, map[string]any{"label": "at once", "stat": "Maximum"}),
			lambda("Throttles", f.name, label("throttled")),
		}})
	}
	if err := s.putDashboard("account", s.name(), append(widgets(requests), refusals)); err != nil {
		return err
	}
	return s.putDashboard("functions", s.name("functions"), widgets(running))
}

// widget is one rectangle of a page.
type widget struct {
	kind       string
	properties map[string]any
}

func widgets(graphs []graph) []widget {
	var all []widget
	for _, g := range graphs {
		all = append(all, widget{"metric", map[string]any{
			"title": g.title, "stat": g.stat, "period": 60, "view": "timeSeries", "metrics": g.lines,
			"yAxis": map[string]any{"left": map[string]any{"min": 0, "label": g.unit, "showUnits": false}},
		}})
	}
	return all
}

// putDashboard lays the widgets out in two columns.
func (s *stack) putDashboard(name, physical string, all []widget) error {
	const columns, width, height = 2, 12, 6 // of a grid that is 24 wide
	var placed []any
	for i, w := range all {
		w.properties["region"] = s.config.region
		placed = append(placed, map[string]any{
			"type": w.kind, "x": i % columns * width, "y": i / columns * height, "width": width, "height": height, "properties": w.properties,
		})
	}
	body, err := json.Marshal(map[string]any{"widgets": placed})
	if err != nil {
		return err
	}
	_, err = cloudwatch.NewDashboard(s.ctx, name, &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String(physical),
		DashboardBody: pulumi.String(string(body)),
	}, s.options()...)
	return err
}
