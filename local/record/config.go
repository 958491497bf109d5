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

	"account-api/local/graph"
)

// configuration is what a program is told about a stack.
type configuration struct {
	project string
	values  map[string]string // by full key, as "aws:region"
	secrets []string          // the keys whose values are withheld
}

// withheld stands for a secret. Decrypting takes the stack's passphrase or key, which
// this program does not ask for. It names the setting for whoever finds it in a declaration.
func withheld(key string) string { return graph.Withheld(key) }

// loadStack reads Pulumi.yaml and the stack's file as the Pulumi CLI does: the
// project's name as namespace, the project's defaults and its types, if it has any.
func loadStack(s Stack, values Values) (configuration, error) {
	p, err := workspace.LoadProject(filepath.Join(s.Root, "Pulumi.yaml"))
	if err != nil {
		return configuration{}, err
	}
	name := "Pulumi." + s.Name + ".yaml"
	if _, err := os.Stat(filepath.Join(s.Root, name)); err != nil {
		return configuration{}, fmt.Errorf("stack %q has no %s; there is %s", s.Name, name, strings.Join(stackFiles(s.Root), ", "))
	}
	file, err := workspace.LoadProjectStack(nil, p, filepath.Join(s.Root, name))
	if err != nil {
		return configuration{}, fmt.Errorf("%s: %w", name, err)
	}
	project := p.Name.String()
	c := configuration{project: project}
	for key, value := range file.Config {
		if !value.Secure() {
			continue
		}
		if secret, ok := values.secret(project, key.String()); ok {
			c.secrets = append(c.secrets, key.String())
			file.Config[key] = config.NewValue(secret)
		}
	}
	if err := values.checkSecrets(project, c.secrets); err != nil {
		return configuration{}, err
	}
	for key, value := range s.Override {
		full, err := parseKey(project, key)
		if err != nil {
			return configuration{}, err
		}
		file.Config[full] = config.NewValue(value)
	}
	if problems := applyProject(p, file.Config, s); len(problems) > 0 {
		return configuration{}, fmt.Errorf("%s:\n%w", name, errors.Join(problems...))
	}
	for key, value := range file.Config {
		if value.Secure() {
			c.secrets = append(c.secrets, key.String())
			file.Config[key] = config.NewValue(withheld(key.String()))
		}
	}
	decrypted, err := file.Config.Decrypt(config.NopDecrypter)
	if err != nil {
		return configuration{}, fmt.Errorf("%s: %w", name, err)
	}
	c.values = make(map[string]string, len(decrypted))
	for key, value := range decrypted {
		c.values[key.String()] = value
	}
	return c, nil
}

// parseKey is a key with its namespace, which is the project's if there is none.
func parseKey(project, key string) (config.Key, error) {
	if !strings.Contains(key, ":") {
		return config.MustMakeKey(project, key), nil
	}
	return config.ParseKey(key)
}

// applyProject fills in what the stack does not set and checks what it does set, as
// `pulumi preview` would before it starts the program. A secret is refused only under
// a key that the project declares: other keys belong to providers and other tools.
func applyProject(p *workspace.Project, stack config.Map, s Stack) []error {
	var problems []error
	for name, declared := range p.Config {
		key, err := parseKey(p.Name.String(), name)
		if err != nil {
			return []error{err}
		}
		value, set := stack[key]
		fallback := declared.Default
		if declared.Value != nil {
			fallback = declared.Value
		}
		switch {
		case !set && fallback == nil:
			problems = append(problems, fmt.Errorf("  %s is not set: pulumi config set %s VALUE", key.Name(), key.Name()))
		case !set:
			text, err := plain(fallback)
			if err != nil {
				problems = append(problems, fmt.Errorf("  default of %s in Pulumi.yaml: %w", key.Name(), err))
			}
			stack[key] = config.NewValue(text)
		case value.Secure():
			problems = append(problems, fmt.Errorf("  %s is a secret, which only the Pulumi CLI can decrypt: %s",
				key.Name(), s.secretFix(key.Name())))
		case declared.IsExplicitlyTyped():
			if err := checkType(declared, value); err != nil {
				problems = append(problems, fmt.Errorf("  %s: %w", key.Name(), err))
			}
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

// secretFix says how a secret gets a value here.
func (s Stack) secretFix(key string) string {
	if s.Local {
		return fmt.Sprintf("write it into %s, as secrets: {%s: VALUE}", ValuesFile(s.Name), key)
	}
	return fmt.Sprintf("run with -config %s=VALUE, or pulumi config set --plaintext %s VALUE", key, key)
}

func checkType(declared workspace.ProjectConfigType, value config.Value) error {
	content, err := value.ToObject()
	if err != nil {
		return err
	}
	if !workspace.ValidateConfigValue(declared.TypeName(), declared.Items, content) {
		return fmt.Errorf("expected type %s, got %v", declared.TypeName(), content)
	}
	return nil
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
