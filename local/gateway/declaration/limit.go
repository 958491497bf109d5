package declaration

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// Limit is what one MethodSettings declares for the methods that it covers.
type Limit struct {
	Declared    string  // logical name in the program
	Method      *Method // nil = every method of the stage
	Rate, Burst float64 // requests a second and at once; a negative rate is no limit
	Logs        bool    // execution logging is on
}

// knownSettings are the members that a MethodSettings' settings may have.
var knownSettings = []string{
	"cacheDataEncrypted", "cacheTtlInSeconds", "cachingEnabled", "dataTraceEnabled", "loggingLevel", "metricsEnabled",
	"requireAuthorizationForCacheControl", "throttlingBurstLimit", "throttlingRateLimit",
	"unauthorizedCacheControlHeaderStrategy",
}

func readLimit(d declared, all methods) Limit {
	settings := value[map[string]any](d, "settings")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(knownSettings, name) {
			d.refuse("settings", "%s is not modelled: remove it", name)
		}
	}
	if caching, _ := settings["cachingEnabled"].(bool); caching {
		d.refuse("settings", "cachingEnabled: response caching is not modelled: remove it")
	}
	number := func(name string) float64 {
		if n, ok := settings[name].(float64); ok {
			return n
		}
		return -1
	}
	l := Limit{Declared: d.Name, Rate: number("throttlingRateLimit"), Burst: number("throttlingBurstLimit")}
	if l.Burst < 0 {
		l.Burst = math.Max(l.Rate, 1)
	}
	level, _ := settings["loggingLevel"].(string)
	l.Logs = level != "" && level != "OFF"
	if path := d.text("methodPath", ""); path != "*/*" {
		if l.Method = all.at(path); l.Method == nil {
			d.refuse("methodPath", "expected */* or <resource path>/<verb> of a method, without a leading slash, got %q", path)
		}
	}
	return l
}

// at resolves "users/GET".
func (all methods) at(path string) *Method {
	for _, m := range all {
		if path == strings.TrimPrefix(m.Path, "/")+"/"+m.Verb {
			return m
		}
	}
	return nil
}
