package gateway

import (
	"net/url"
	"strings"
)

// parseQuery decodes a query string; nil when there is none. Only "&" separates.
// What cannot be decoded is passed on as it came.
func parseQuery(raw string) map[string][]string {
	var values map[string][]string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		if values == nil {
			values = map[string][]string{}
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = decode(name), decode(value)
		values[name] = append(values[name], value)
	}
	return values
}

func decode(s string) string {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return decoded
}

// last is the value that API Gateway keeps where it keeps only one.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// lastOf keeps the last of several values; nil for none at all, which is null.
func lastOf[M ~map[string][]string](values M) map[string]string {
	if values == nil {
		return nil
	}
	single := make(map[string]string, len(values))
	for name, list := range values {
		single[name] = last(list)
	}
	return single
}
