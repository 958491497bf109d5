package infra

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// alarm is a condition that an operator has to act on.
type alarm struct {
	name        string
	description string // what it means, and where to look first
	namespace   string
	metric      string
	dimensions  map[string]string
	statistic   string // "Sum", "Average" or a percentile such as "p99"
	threshold   float64
	minutes     int // that the condition holds, out of five; one data point is a minute
}

const (
	// errorRate is a share of requests, from 0 to 1. A single failure among a hundred
	// requests stays at it.
	errorRate = 0.01
	// slow, in milliseconds, is what a caller notices. Two cold starts and a key fetch
	// take less, and the functions' timeouts are longer.
	slow = 2000
	// attempts, a minute, are more than a misconfigured client makes by mistake.
	attempts = 10
	// onslaught, a minute in each of five, is more than a scanner that passes by sends. Whoever
	// can call the API can reach it, without any key, so the alarm is about load. The alarm
	// key-set-attacked is about danger.
	onslaught = 60
)

func (s *stack) alarms(functions []*function) []alarm {
	api := map[string]string{"ApiName": s.name(), "Stage": s.ctx.Stack()}
	all := []alarm{
		{"server-errors", "More than 1 % of requests end in a 5xx: see error.responseType and integration.error in the access log",
			"AWS/ApiGateway", "5XXError", api, "Average", errorRate, 3},
		{"slow", "One request in a hundred takes more than 2 s: compare authorizer.latency and integration.latency in the access log",
			"AWS/ApiGateway", "Latency", api, "p99", slow, 3},
		{"keys-unavailable", "The provider's key set cannot be fetched and no copy is fresh enough, so callers are refused: see detail in the authorizer's log, and the provider's status page",
			s.namespace(), metricKeysUnavailable, nil, "Sum", 1, 2},
		{"misconfigured", "The authorizer cannot work as configured: see detail in its log",
			s.namespace(), metricMisconfigured, nil, "Sum", 1, 1},
		{"attack", "Somebody has sent forged tokens for five minutes, one a second or more, and all were refused: find sourceIp in the access log by request_id, and block it",
			s.namespace(), metricAttack, nil, "Sum", onslaught, 5},
		{"key-set-attacked", "The provider's key set has a private key, or two keys under one key ID: see kid and detail in the authorizer's log, and have the provider rotate its keys",
			s.namespace(), metricKeySetAttacked, nil, "Sum", 1, 1},
		{"defect", "A function failed by a fault of its own: see the lines of level ERROR in the functions' logs",
			s.namespace(), metricDefect, nil, "Sum", 1, 1},
		{"throttled", "Callers are refused with 429: raise throttleRate and throttleBurst, or find the caller by principalId in the access log",
			s.namespace(), metricThrottled, nil, "Sum", attempts, 3},
	}
	for _, f := range functions {
		all = append(all, alarm{f.name + "-throttled", "Lambda has no execution left for the function: raise the account's concurrency or reservedConcurrency",
			"AWS/Lambda", "Throttles", map[string]string{"FunctionName": s.name(f.name)}, "Sum", 1, 2})
	}
	return all
}

// newAlarms declares the alarms, which notify the stack's topic if it names one. None
// is on Lambda's Errors metric of the authorizer: a refused token is a failed
// invocation, and expired tokens are normal.
func (s *stack) newAlarms(functions []*function) error {
	var actions pulumi.Array
	if s.config.AlarmTopicARN != "" {
		actions = pulumi.Array{pulumi.String(s.config.AlarmTopicARN)}
	}
	for _, a := range s.alarms(functions) {
		args := &cloudwatch.MetricAlarmArgs{
			Name:               pulumi.String(s.name(a.name)),
			AlarmDescription:   pulumi.String(a.description),
			Namespace:          pulumi.String(a.namespace),
			MetricName:         pulumi.String(a.metric),
			ComparisonOperator: pulumi.String("GreaterThanOrEqualToThreshold"),
			Threshold:          pulumi.Float64(a.threshold),
			Period:             pulumi.Int(60),
			EvaluationPeriods:  pulumi.Int(5),
			DatapointsToAlarm:  pulumi.Int(a.minutes),
			// Without requests there is no data, and nothing is wrong.
			TreatMissingData: pulumi.String("notBreaching"),
			AlarmActions:     actions,
			OkActions:        actions,
			Tags:             s.tags(),
		}
		if len(a.dimensions) > 0 {
			args.Dimensions = pulumi.ToStringMap(a.dimensions)
		}
		if a.statistic[0] == 'p' {
			args.ExtendedStatistic = pulumi.String(a.statistic)
			// A few requests make no percentile.
			args.EvaluateLowSampleCountPercentiles = pulumi.String("ignore")
		} else {
			args.Statistic = pulumi.String(a.statistic)
		}
		if _, err := cloudwatch.NewMetricAlarm(s.ctx, a.name, args, s.options()...); err != nil {
			return err
		}
	}
	return nil
}
