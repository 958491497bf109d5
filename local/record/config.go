package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// loadStackConfig reads Pulumi.yaml and the stack's file as the Pulumi CLI does:
// typed keys, the project's defaults, and the project's name as namespace. It
// returns the project's name and the configuration that a program is given.
func loadStackConfig(root, stack string) (project string, values map[string]string, err error) {
	p, err := workspace.LoadProject(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return "", nil, err
	}
	project = p.Name.String()
	file := filepath.Join(root, "Pulumi."+stack+".yaml")
	if _, err := os.Stat(file); err != nil {
		return "", nil, fmt.Errorf("stack %q has no %s; there is %s", stack, filepath.Base(file), strings.Join(stackFiles(root), ", "))
	}
	s, err := workspace.LoadProjectStack(nil, p, file)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	var problems []error
	for key, value := range s.Config {
		if value.Secure() {
			// Decrypting takes the stack's passphrase or key, which a laptop need not have.
			problems = append(problems, fmt.Errorf("%s is a secret: this program needs none, and only the Pulumi CLI can read it", key))
		}
	}
	if len(problems) == 0 {
		problems = applyDefaults(p, s.Config)
	}
	if len(problems) > 0 {
		return "", nil, fmt.Errorf("%s:\n%w", filepath.Base(file), errors.Join(problems...))
	}
	decrypted, err := s.Config.Decrypt(config.NopDecrypter)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	values = make(map[string]string, len(decrypted))
	for key, value := range decrypted {
		values[key.String()] = value
	}
	return project, values, nil
}

// applyDefaults fills in what the stack does not set and checks the types of what
// it does, as `pulumi preview` would before it starts the program.
func applyDefaults(p *workspace.Project, stack config.Map) []error {
	var problems []error
	for name, declared := range p.Config {
		key := config.MustMakeKey(p.Name.String(), name)
		if before, after, namespaced := strings.Cut(name, ":"); namespaced {
			key = config.MustMakeKey(before, after)
		}
		value, set := stack[key]
		fallback := declared.Default
		if declared.Value != nil {
			fallback = declared.Value
		}
		switch {
		case !set && fallback == nil:
			problems = append(problems, fmt.Errorf("  %s is not set: pulumi config set %s <%s>", key.Name(), key.Name(), declared.TypeName()))
		case !set:
			text, err := plain(fallback)
			if err != nil {
				problems = append(problems, fmt.Errorf("  default of %s in Pulumi.yaml: %w", key.Name(), err))
			}
			stack[key] = config.NewValue(text)
		case declared.IsExplicitlyTyped():
			if err := checkType(declared, value); err != nil {
				problems = append(problems, fmt.Errorf("  %s: %w", key.Name(), err))
			}
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

func checkType(declared workspace.ProjectConfigType, value config.Value) error {
	content, err := value.ToObject()
	if err != nil {
		return err
	}
	if !workspace.ValidateConfigValue(declared.TypeName(), declared.Items, content) {
		return fmt.Errorf("expected %s %s, got %v", article(declared.TypeName()), declared.TypeName(), content)
	}
	return nil
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an"
	}
	return "a"
}

// plain is a default as the text that a program reads.
func plain(v any) (string, error) {
	if text, ok := v.(string); ok {
		return text, nil
	}
	document, err := json.Marshal(v)
	return string(document), err
}

func stackFiles(root string) []string {
	files, _ := filepath.Glob(filepath.Join(root, "Pulumi.*.yaml")) // the pattern is well-formed
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}
