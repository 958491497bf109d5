package gateway

import (
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"account-api/local/graph"
)

// limit is what one MethodSettings declares for the methods that it covers.
type limit struct {
	declared graph.Resource
	method   *method // nil = every method of the stage
	rate     float64 // requests a second; negative = unlimited
	burst    float64 // requests at once
	logs     bool    // execution logging is on
}

// methodSettings are the known members of a MethodSettings' settings.
var methodSettings = []string{
	"cacheDataEncrypted", "cacheTtlInSeconds", "cachingEnabled", "dataTraceEnabled", "loggingLevel", "metricsEnabled",
	"requireAuthorizationForCacheControl", "throttlingBurstLimit", "throttlingRateLimit",
	"unauthorizedCacheControlHeaderStrategy",
}

func (l *loader) loadLimits() {
	l.each(typeMethodSettings, func(d declared) {
		s := l.api.stages[d.text("stageName", "")]
		if s == nil {
			d.refuse("stageName", "names no stage of the API: use the StageName of an apigateway.Stage")
			return
		}
		settings, _ := d.Inputs["settings"].(map[string]any)
		for _, name := range names(settings) {
			if !slices.Contains(methodSettings, name) {
				d.refuse("settings", "%s is not modelled: remove it", name)
			}
		}
		if caching, _ := settings["cachingEnabled"].(bool); caching {
			d.refuse("settings", "cachingEnabled: response caching is not modelled: remove it")
		}
		limit := limit{declared: d.Resource, rate: -1, burst: -1}
		if rate, ok := number(settings["throttlingRateLimit"]); ok {
			limit.rate = rate
		}
		if burst, ok := number(settings["throttlingBurstLimit"]); ok {
			limit.burst = burst
		}
		level, _ := settings["loggingLevel"].(string)
		limit.logs = level != "" && level != "OFF"
		if path := d.text("methodPath", ""); path != "*/*" {
			if limit.method = l.methodAt(path); limit.method == nil {
				d.refuse("methodPath", "expected */* or <resource path>/<verb> of a method, without a leading slash, got %q", path)
			}
		}
		s.limits = append(s.limits, limit)
	})
	for _, s := range l.api.stages {
		slices.SortStableFunc(s.limits, func(a, b limit) int { return specificity(b) - specificity(a) })
	}
}

func specificity(l limit) int {
	if l.method != nil {
		return 1
	}
	return 0
}

// methodAt resolves "profile/GET".
func (l *loader) methodAt(path string) *method {
	cut := strings.LastIndexByte(path, '/')
	for _, m := range l.methods {
		if cut >= 0 && strings.TrimPrefix(m.resource.path, "/") == path[:cut] && m.verb == path[cut+1:] {
			return m
		}
	}
	return nil
}

// throttle holds one token bucket for each method of each stage.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
type throttle struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

type bucketKey struct {
	stage  *stage
	method *method
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newThrottle() *throttle { return &throttle{buckets: map[bucketKey]*bucket{}} }

// throttled takes a token for the request and reports whether there was none.
func (c *call) throttled() bool {
	t := c.gateway.throttle
	// The most specific settings count alone: a limit that they leave out is none.
	i := slices.IndexFunc(c.stage.limits, func(l limit) bool { return l.method == nil || l.method == c.match.method })
	if t == nil || i < 0 || c.stage.limits[i].rate < 0 {
		return false
	}
	rate, burst := c.stage.limits[i].rate, c.stage.limits[i].burst
	if burst < 0 {
		burst = math.Max(rate, 1)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := bucketKey{c.stage, c.match.method}
	b := t.buckets[key]
	if b == nil {
		b = &bucket{tokens: burst, filled: c.exchange.Time}
		t.buckets[key] = b
	}
	if elapsed := c.exchange.Time.Sub(b.filled); elapsed > 0 {
		b.tokens = math.Min(burst, b.tokens+rate*elapsed.Seconds())
		b.filled = c.exchange.Time
	}
	if b.tokens < 1 {
		return true
	}
	b.tokens--
	return false
}
