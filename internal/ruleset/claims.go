package ruleset

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/open-policy-agent/opa/v1/util"
)

// Claims returns the names of the claims that any stack of the project in root passes on,
// sorted: those of the setting claims in Pulumi.yaml and in every stack file. The list is
// empty, not nil, if there are none.
func Claims(root fs.FS) ([]string, error) {
	names := []string{}
	var project struct {
		Name   string         `json:"name"`
		Config map[string]any `json:"config"`
	}
	source, err := fs.ReadFile(root, "Pulumi.yaml")
	if err == nil {
		err = util.Unmarshal(source, &project)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // an error elsewhere would look like no claims
		return nil, fmt.Errorf("read Pulumi.yaml: %w", err)
	}
	add := func(file string, config map[string]any) error {
		for _, key := range []string{"claims", project.Name + ":claims"} {
			value := config[key]
			if declared, ok := value.(map[string]any); ok { // as in type, description, default
				value = declared["default"]
			}
			if value == nil {
				continue
			}
			list, ok := value.([]any)
			if !ok {
				return fmt.Errorf("%s: %s: expected a list of names, got %T", file, key, value)
			}
			for _, name := range list {
				names = append(names, fmt.Sprint(name))
			}
		}
		return nil
	}
	if err := add("Pulumi.yaml", project.Config); err != nil {
		return nil, err
	}
	files, err := fs.Glob(root, "Pulumi.*.yaml")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := fs.ReadFile(root, file)
		if err != nil {
			return nil, err
		}
		var stack struct {
			Config map[string]any `json:"config"`
		}
		if err := util.Unmarshal(source, &stack); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := add(file, stack.Config); err != nil {
			return nil, err
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
