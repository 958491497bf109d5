package record

import (
	"fmt"
	"strings"
)

// Overrides are settings that replace those of the stack file, and a [flag.Value] that
// may be repeated: key=value, or namespace:key=value. A key without a namespace is one
// of the project's, as on the command line of `pulumi config set`.
type Overrides map[string]string

// String implements [flag.Value].
func (o Overrides) String() string { return fmt.Sprint(map[string]string(o)) }

// Set implements [flag.Value].
func (o Overrides) Set(assignment string) error {
	key, value, found := strings.Cut(assignment, "=")
	if !found || key == "" {
		return fmt.Errorf("expected key=value, such as audience=VALUE, got %q", assignment)
	}
	o[key] = value
	return nil
}
