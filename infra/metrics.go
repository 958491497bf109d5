package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/refusal"
)

// counter is a metric of ours: how many lines of a log match a pattern. Patterns are
// CloudWatch's, over the fields of one JSON line:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
type counter struct {
	name    string // of the filter
	log     *cloudwatch.LogGroup
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
func counters(access *cloudwatch.LogGroup, auth *function, handlers []*function) []counter {
	category := func(c refusal.Category) string { return fmt.Sprintf(`{ $.category = "%s" }`, c) }
	all := []counter{
		{"authenticated", auth.logs, metricAuthenticated, `{ $.reason = "accepted" }`},
		{"refused-client", auth.logs, metricRefused, category(refusal.Client)},
		{"refused-outage", auth.logs, metricOutage, category(refusal.Outage)},
		{"keys-unavailable", auth.logs, metricKeysUnavailable, fmt.Sprintf(`{ $.reason = "%s" }`, refusal.JWKSUnavailable)},
		// By category and not by reason: the reason config_error is also that of a
		// warning about a configuration that works.
		{"misconfigured", auth.logs, metricMisconfigured, category(refusal.Misconfiguration)},
		// Made-up key IDs spend the budget of key fetches: an honest caller's key ID is
		// one that the provider publishes.
		{"attack", auth.logs, metricAttack, fmt.Sprintf(`{ ($.category = "%s") || ($.reason = "%s") }`, refusal.Attack, refusal.JWKSRateLimited)},
		{"defect", auth.logs, metricDefect, category(refusal.Defect)},
		{"throttled", access, metricThrottled, `{ $.status = "429" }`},
	}
	for _, f := range handlers {
		all = append(all,
			counter{f.name + "-allowed", f.logs, metricAllowed, `{ ($.msg = "Decision Log") && ($.result.allow IS TRUE) }`},
			counter{f.name + "-denied", f.logs, metricDenied, `{ ($.msg = "Decision Log") && ($.result.allow IS FALSE) }`},
			// A handler logs at ERROR what is its own fault, and nothing else.
			counter{f.name + "-defect", f.logs, metricDefect, `{ $.level = "ERROR" }`},
		)
	}
	return all
}

// namespace keeps the metrics of stacks apart.
func (s *stack) namespace() string { return s.ctx.Project() + "/" + s.ctx.Stack() }

// newMonitoring declares what tells an operator how the stack is doing.
func (s *stack) newMonitoring(served *stage, auth *function, handlers []*function) error {
	for _, c := range counters(served.accessLog, auth, handlers) {
		_, err := cloudwatch.NewLogMetricFilter(s.ctx, c.name, &cloudwatch.LogMetricFilterArgs{
			Name:         pulumi.String(c.name),
			LogGroupName: c.log.Name,
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
	functions := append([]*function{auth}, handlers...)
	if err := s.newAlarms(functions); err != nil {
		return err
	}
	return s.newDashboard(functions)
}
