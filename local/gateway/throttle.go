package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"account-api/local/gateway/declaration"
)

// throttle holds one token bucket for each method of each stage.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
type throttle struct{ buckets sync.Map }

// take reports whether the limit of a method lets one more request pass.
func (t *throttle) take(stage *declaration.Stage, method *declaration.Method, now time.Time) bool {
	limit := stage.Limit(method)
	if limit == nil || limit.Rate < 0 {
		return true
	}
	type key struct {
		*declaration.Stage
		*declaration.Method
	}
	bucket, _ := t.buckets.LoadOrStore(key{stage, method}, rate.NewLimiter(rate.Limit(limit.Rate), int(limit.Burst)))
	return bucket.(*rate.Limiter).AllowN(now, 1)
}
