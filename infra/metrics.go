package infra

import (
	"fmt"
	"path"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/refusal"
)

// counter is a metric of ours: how many lines of a log match a pattern. Patterns are
// CloudWatch's, over the fields of one JSON line:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
type counter struct {
	name    string // of the filter; the metric is named alike
	log     string // "access", or a function's short name
	metric  string
	pattern string
}

// The metrics that several counters feed, or that alarms and the dashboard share.
const (
	metricAuthenticated   = "Authenticated"
	metricRefused         = "RefusedByToken"
	metricOutage          = "RefusedByOutage"
	metricKeysUnavailable = "KeysUnavailable"
	metricMisconfigured   = "Misconfigured"
	metricAttack          = "Attack"
	metricDefect          = "Defect"
	metricAllowed         = "Allowed"
	metricDenied          = "Denied"
	metricThrottled       = "Throttled"
)

// counters are what the stack counts in its logs. The authorizer's function counts
// every refused token as a failed invocation, so Lambda's own Errors metric says
// nothing about it: these do.
func (s *stack) counters() []counter {
	category := func(c refusal.Category) string { return fmt.Sprintf(`{ $.category = "%s" }`, c) }
	all := []counter{
		{"authenticated", "authorizer", metricAuthenticated, `{ $.reason = "accepted" }`},
		{"refused-client", "authorizer", metricRefused, category(refusal.Client)},
		{"refused-outage", "authorizer", metricOutage, category(refusal.Outage)},
		{"keys-unavailable", "authorizer", metricKeysUnavailable, fmt.Sprintf(`{ $.reason = "%s" }`, refusal.JWKSUnavailable)},
		// By category and not by reason: the reason config_error is also that of a
		// warning about a configuration that works.
		{"misconfigured", "authorizer", metricMisconfigured, category(refusal.Misconfiguration)},
		// Made-up key IDs spend the budget of key fetches: an honest caller's key ID is
		// one that the provider publishes.
		{"attack", "authorizer", metricAttack, fmt.Sprintf(`{ ($.category = "%s") || ($.reason = "%s") }`, refusal.Attack, refusal.JWKSRateLimited)},
		{"defect", "authorizer", metricDefect, category(refusal.Defect)},
		{"throttled", "access", metricThrottled, `{ $.status = "429" }`},
	}
	for _, name := range handlerNames(s.endpoints) {
		all = append(all,
			counter{name + "-allowed", name, metricAllowed, `{ ($.msg = "Decision Log") && ($.result.allow IS TRUE) }`},
			counter{name + "-denied", name, metricDenied, `{ ($.msg = "Decision Log") && ($.result.allow IS FALSE) }`},
			// A handler logs at ERROR what is its own fault, and nothing else.
			counter{name + "-defect", name, metricDefect, `{ $.level = "ERROR" }`},
		)
	}
	return all
}

// namespace keeps the metrics of stacks apart.
func (s *stack) namespace() string { return s.ctx.Project() + "/" + s.ctx.Stack() }

// handlerNames are the short names of the endpoints' functions, in alphabetical
// order.
func handlerNames(endpoints []endpoint) []string {
	var names []string
	for _, e := range endpoints {
		names = append(names, path.Base(e.handler))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// declareMonitoring declares what tells an operator how the stack is doing.
func (s *stack) declareMonitoring() error {
	for _, c := range s.counters() {
		_, err := cloudwatch.NewLogMetricFilter(s.ctx, c.name, &cloudwatch.LogMetricFilterArgs{
			Name:         pulumi.String(c.name),
			LogGroupName: s.logs[c.log].Name,
			Pattern:      pulumi.String(c.pattern),
			MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
				Name:      pulumi.String(c.metric),
				Namespace: pulumi.String(s.namespace()),
				Value:     pulumi.String("1"),
				// A line that does not match is a zero, so that graphs have no gaps.
				DefaultValue: pulumi.String("0"),
				Unit:         pulumi.String("Count"),
			},
		})
		if err != nil {
			return err
		}
	}
	if err := s.declareAlarms(); err != nil {
		return err
	}
	return s.declareDashboard()
}
