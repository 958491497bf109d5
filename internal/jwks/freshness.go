package jwks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
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
