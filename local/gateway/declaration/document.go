package declaration

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"account-api/local/gateway/field"
	"account-api/local/graph"
)

// document is the part of a graph that declares one REST API.
type document struct {
	*problems
	graph *graph.Graph
	apiID string
}

// each calls read for every resource of a type that belongs to the API.
func (d *document) each(token string, read func(declared)) {
	property := "restApi"
	if token == TypeGatewayResponse {
		property = "restApiId"
	}
	for _, r := range d.graph.OfType(token) {
		resource := declared{r, d.problems}
		if owner := resource.text(property, ""); owner != d.apiID {
			resource.refuse(property, "expected the ID of the stack's REST API, %q, got %q", d.apiID, owner)
			continue
		}
		read(resource)
	}
}

// declared reads the inputs of one resource. A property of the wrong type is a problem
// and not a default: with a default, something else would run here than what is deployed.
type declared struct {
	graph.Resource
	problems *problems
}

func (d declared) refuse(property, format string, args ...any) {
	d.problems.add(d.Type, d.Name, property, format, args...)
}

func (d declared) has(property string) bool { return d.Inputs[property] != nil }

// text returns a string property, or otherwise when it is absent.
func (d declared) text(property, otherwise string) string {
	if !d.has(property) {
		return otherwise
	}
	return value[string](d, property)
}

// integer returns a whole number between low and high, or otherwise when it is absent.
func (d declared) integer(property string, otherwise, low, high int) int {
	if !d.has(property) {
		return otherwise
	}
	n, ok := d.Inputs[property].(float64)
	if !ok || n != math.Trunc(n) || n < float64(low) || n > float64(high) {
		d.refuse(property, "expected a whole number from %d to %d, got %v", low, high, d.Inputs[property])
	}
	return int(n)
}

// kinds name the types that a property may have.
var kinds = map[reflect.Type]string{
	reflect.TypeFor[string](): "a string", reflect.TypeFor[bool](): "true or false", reflect.TypeFor[map[string]any](): "a map",
}

// value returns a property, or the zero value when it is absent.
func value[T any](d declared, property string) T {
	v, ok := d.Inputs[property].(T)
	if !ok && d.has(property) {
		d.refuse(property, "expected %s, got %v", kinds[reflect.TypeFor[T]()], d.Inputs[property])
	}
	return v
}

// members returns a property that is a map with values of one type, and its sorted names.
func members[T any](d declared, property string) (names []string, values map[string]T) {
	given := value[map[string]any](d, property)
	names, values = slices.Sorted(maps.Keys(given)), map[string]T{}
	for _, name := range names {
		v, ok := given[name].(T)
		if !ok {
			d.refuse(property, "%q: expected %s, got %v", name, kinds[reflect.TypeFor[T]()], given[name])
		}
		values[name] = v
	}
	return names, values
}

// headerIn returns the header that a parameter such as method.response.header.X names.
func (d declared) headerIn(property, parameter, prefix string) string {
	name, ok := strings.CutPrefix(parameter, prefix)
	if !ok || !field.ValidName(name) {
		d.refuse(property, "expected %s<name>, got %q", prefix, parameter)
	}
	return name
}

// unquote strips the single quotes that mark a literal.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' {
		return "", false
	}
	return s[1 : len(s)-1], true
}

// status reads a statusCode, which Pulumi declares as text.
func status(d declared) int {
	text := d.text("statusCode", "")
	code, err := strconv.Atoi(text)
	if err != nil || code < 200 || code > 599 {
		d.refuse("statusCode", "expected a status code from 200 to 599 as a string, got %q", text)
	}
	return code
}
