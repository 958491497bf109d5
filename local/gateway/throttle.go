package gateway

import (
	"math"
	"sync"
	"time"

	"account-api/local/gateway/declaration"
)

// throttle holds one token bucket for each method of each stage.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
type throttle struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

type bucketKey struct {
	stage  *declaration.Stage
	method *declaration.Method
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newThrottle() *throttle { return &throttle{buckets: map[bucketKey]*bucket{}} }

// take reports whether the limit of a method lets one more request pass.
func (t *throttle) take(stage *declaration.Stage, method *declaration.Method, now time.Time) bool {
	limit := stage.Limit(method)
	if limit == nil || limit.Rate < 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := bucketKey{stage, method}
	b := t.buckets[key]
	if b == nil {
		b = &bucket{tokens: limit.Burst, filled: now}
		t.buckets[key] = b
	}
	if elapsed := now.Sub(b.filled); elapsed > 0 {
		b.tokens = math.Min(limit.Burst, b.tokens+limit.Rate*elapsed.Seconds())
		b.filled = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
