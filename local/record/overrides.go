package record

import (
	"fmt"
	"strings"
)

// Overrides are configuration values by full key, and a [flag.Value] that may be
// repeated: project:key=value.
type Overrides map[string]string

// String implements [flag.Value].
func (o Overrides) String() string { return fmt.Sprint(map[string]string(o)) }

// Set implements [flag.Value].
func (o Overrides) Set(assignment string) error {
	key, value, found := strings.Cut(assignment, "=")
	if !found || !strings.Contains(key, ":") {
		return fmt.Errorf("expected project:key=value, got %q", assignment)
	}
	o[key] = value
	return nil
}
