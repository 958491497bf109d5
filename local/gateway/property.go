package gateway

import (
	"encoding/json"
	"maps"
	"math"
	"slices"

	"account-api/local/graph"
)

// declared reads one resource's inputs. A property of the wrong type is a problem,
// not a default: a default would serve something else than what is deployed.
type declared struct {
	graph.Resource
	problems *problems
}

func (d declared) refuse(property, format string, args ...any) {
	d.problems.add(d.Resource, property, format, args...)
}

func (d declared) has(property string) bool { return d.Inputs[property] != nil }

// text returns a string property, or otherwise when it is absent.
func (d declared) text(property, otherwise string) string {
	value := d.Inputs[property]
	if value == nil {
		return otherwise
	}
	s, ok := value.(string)
	if !ok {
		d.refuse(property, "expected a string, got %T", value)
	}
	return s
}

// integer returns a whole number between low and high, or otherwise when absent.
func (d declared) integer(property string, otherwise, low, high int) int {
	value := d.Inputs[property]
	if value == nil {
		return otherwise
	}
	n, ok := number(value)
	if !ok || n != math.Trunc(n) || n < float64(low) || n > float64(high) {
		d.refuse(property, "expected a whole number from %d to %d, got %v", low, high, value)
		return otherwise
	}
	return int(n)
}

func (d declared) boolean(property string) bool {
	value := d.Inputs[property]
	if value == nil {
		return false
	}
	b, ok := value.(bool)
	if !ok {
		d.refuse(property, "expected true or false, got %T", value)
	}
	return b
}

// texts returns a map of strings; nil when it is absent.
func (d declared) texts(property string) map[string]string {
	if d.Inputs[property] == nil {
		return nil
	}
	if m, ok := d.Inputs[property].(map[string]string); ok {
		return m
	}
	m, ok := d.Inputs[property].(map[string]any)
	if !ok {
		d.refuse(property, "expected a map of strings, got %T", d.Inputs[property])
		return nil
	}
	out := make(map[string]string, len(m))
	for name, value := range m {
		s, ok := value.(string)
		if !ok {
			d.refuse(property, "%q: expected a string, got %T", name, value)
			continue
		}
		out[name] = s
	}
	return out
}

// booleans returns a map of true and false; nil when it is absent.
func (d declared) booleans(property string) map[string]bool {
	if d.Inputs[property] == nil {
		return nil
	}
	if m, ok := d.Inputs[property].(map[string]bool); ok {
		return m
	}
	m, ok := d.Inputs[property].(map[string]any)
	if !ok {
		d.refuse(property, "expected a map of true and false, got %T", d.Inputs[property])
		return nil
	}
	out := make(map[string]bool, len(m))
	for name, value := range m {
		b, ok := value.(bool)
		if !ok {
			d.refuse(property, "%q: expected true or false, got %T", name, value)
			continue
		}
		out[name] = b
	}
	return out
}

func number(value any) (float64, bool) {
	switch n := value.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

// empty reports whether a value says nothing, as a property that was not declared.
func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	}
	return false
}

// names returns the keys of a map in order, so that what is built from a map does
// not depend on its iteration.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
