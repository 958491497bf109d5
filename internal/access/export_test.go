package access

import (
	"context"

	"account-api/internal/decision"
)

// CompareCore compares two policies by the callers of the core alone. A proof rests on those.
func CompareCore(ctx context.Context, before, after *decision.Policy) (Endpoint, error) {
	defer func(most int) { mostNear = most }(mostNear)
	mostNear = 0
	return compare(ctx, "", version{present: true, policy: before}, version{present: true, policy: after}, nil)
}

// SetMostCallers bounds the callers of each comparison.
func SetMostCallers(n int) (restore func()) {
	before := mostCallers
	mostCallers = n
	return func() { mostCallers = before }
}
