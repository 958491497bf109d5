package jwks

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// freshness returns how long a set may be used without asking again, from what
// the provider says in Cache-Control (RFC 9111, section 5.2.2), within
// [minLifetime] and [maxLifetime]. What it does not understand is as good as
// absent.
func freshness(header http.Header) time.Duration {
	lifetime, found := maxLifetime, false
	for _, line := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-store", "no-cache":
				return minLifetime
			case "max-age":
				// Of contradicting values the most restrictive one counts
				// (RFC 9111, section 4.2.1).
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

// deltaSeconds reads a non-negative number of seconds, quoted or not. One too
// large to represent is as large as can be (RFC 9111, sections 1.2.2 and 5.2).
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
