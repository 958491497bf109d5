package jwks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// defaultLifetime is how long a set is used if the provider does not say. It only
	// bounds how long a withdrawn key stays in use: an unknown key ID causes a fetch
	// anyway. API Gateway's own JWT authorizer caches for two hours:
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
	defaultLifetime = 10 * time.Minute
	// minLifetime keeps "max-age=0" and "no-store" from causing a fetch for every request.
	// Auth0 sends max-age=15, limits requests, and advises to cache for 5 to 10 minutes.
	minLifetime = 5 * time.Minute
	// maxLifetime bounds a wrong "max-age": a withdrawn key must not stay in use for ever.
	maxLifetime = 24 * time.Hour

	// staleWindow is how long keys stay in use after their last good fetch while the
	// provider does not answer. Auth0 sends this stale-if-error (RFC 5861, section 4).
	staleWindow = 24 * time.Hour

	// A fetch has so long in total, from resolving to the last byte, with retries. Where no
	// key is usable, a request waits for most of the function's timeout of 3 s: a function
	// that times out is a 500, not a 401. With keys past their lifetime it hardly waits.
	fetchDeadline = 2 * time.Second
	stalePatience = 300 * time.Millisecond
	// prefetchDeadline is half of what Lambda gives a function to start:
	// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
	prefetchDeadline = 5 * time.Second
	// contextReserve is left of a caller's deadline, to log and send the refusal.
	contextReserve = 100 * time.Millisecond
)

// freshness returns how long a set may be used, from the provider's Cache-Control (RFC 9111,
// section 5.2.2), within [minLifetime] and [maxLifetime]. It ignores what it does not
// understand.
func freshness(header http.Header) time.Duration {
	lifetime, found := maxLifetime, false
	for _, line := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return minLifetime
			case "max-age":
				// The smallest of several values counts (RFC 9111, section 4.2.1).
				if age, ok := deltaSeconds(value); ok {
					lifetime, found = min(lifetime, age), true
				}
			}
		}
	}
	if !found {
		return defaultLifetime
	}
	return max(lifetime, minLifetime)
}

// retryAfter returns for how long the provider asks to be left alone (RFC 9110, section 10.2.3),
// within [maxRetryAfter]. A date counts from now.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	pause, ok := deltaSeconds(value)
	if date, err := http.ParseTime(value); !ok && err == nil {
		pause = date.Sub(now)
	}
	return min(max(pause, 0), maxRetryAfter)
}

// deltaSeconds reads a non-negative number of seconds, quoted or not. A number that is too
// large to represent is the largest (RFC 9111, sections 1.2.2 and 5.2).
func deltaSeconds(value string) (time.Duration, bool) {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = value[1 : len(value)-1]
	}
	seconds, err := strconv.ParseUint(value, 10, 31)
	if errors.Is(err, strconv.ErrRange) {
		return maxLifetime, true
	}
	return time.Duration(seconds) * time.Second, err == nil
}
