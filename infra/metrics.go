package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"account-api/internal/refusal"
)

// counter is a metric: how many lines of a log match a pattern. Patterns are
// CloudWatch's, over the fields of a JSON line:
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
	metricKeySetAttacked  = "KeySetAttacked"
	metricDefect          = "Defect"
	metricAllowed         = "Allowed"
	metricDenied          = "Denied"
	metricThrottled       = "Throttled"
)

// counters are what the stack counts in its logs. Lambda's Errors metric does not do for
// the authorizer: it counts every refused token as a failed invocation.
func counters(access *cloudwatch.LogGroup, auth *function, handlers []*function) []counter {
	category := func(c refusal.Category) string { return fmt.Sprintf(`{ $.category = "%s" }`, c) }
	all := []counter{
		{"authenticated", auth.logs, metricAuthenticated, `{ $.reason = "accepted" }`},
		{"refused-client", auth.logs, metricRefused, category(refusal.Client)},
		{"refused-outage", auth.logs, metricOutage, category(refusal.Outage)},
		{"keys-unavailable", auth.logs, metricKeysUnavailable, fmt.Sprintf(`{ $.reason = "%s" }`, refusal.JWKSUnavailable)},
		// By category, because a warning about a configuration that works has the reason
		// config_error, too.
		{"misconfigured", auth.logs, metricMisconfigured, category(refusal.Misconfiguration)},
		// What a token says of itself: anybody can send such a token, without any key.
		{"attack", auth.logs, metricAttack, category(refusal.Attack)},
		// What the provider's own key set says, fetched from its host over TLS: no caller can
		// cause it.
		{"key-set-attacked", auth.logs, metricKeySetAttacked, fmt.Sprintf(`{ ($.category = "%s") && ($.reason = "%s") }`, refusal.Attack, refusal.KeyRejected)},
		{"defect", auth.logs, metricDefect, category(refusal.Defect)},
		{"throttled", access, metricThrottled, `{ $.status = "429" }`},
	}
	for _, f := range handlers {
		all = append(all,
			counter{f.name + "-allowed", f.logs, metricAllowed, `{ ($.msg = "Decision Log") && ($.result.allow IS TRUE) }`},
			counter{f.name + "-denied", f.logs, metricDenied, `{ ($.msg = "Decision Log") && ($.result.allow IS FALSE) }`},
			// A handler logs only its own faults at ERROR.
			counter{f.name + "-defect", f.logs, metricDefect, `{ $.level = "ERROR" }`},
		)
	}
	return all
}

// namespace keeps the metrics of stacks apart.
func (s *stack) namespace() string { return s.ctx.Project() + "/" + s.ctx.Stack() }

// newMonitoring declares the metrics, the alarms and the dashboard.
func (s *stack) newMonitoring(served *stage, auth *function, handlers []*function) error {
	s, err := s.component("Monitoring", "monitoring")
	if err != nil {
		return err
	}
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
		}, s.options()...)
		if err != nil {
			return err
		}
	}
	functions := append([]*function{auth}, handlers...)
	if err := s.newAlarms(functions); err != nil {
		return err
	}
	return s.newDashboards(functions)
}
