package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Values are what a stack takes from this machine and not from an account: the file
// local.<stack>.yaml, which is not committed.
type Values struct {
	file string

	// Secrets are the settings that the stack file keeps encrypted, by key.
	Secrets map[string]string `yaml:"secrets"`
	// Outputs are those of resources, by logical name or by type and name
	// ("aws:dynamodb/table:Table::profiles").
	Outputs map[string]map[string]any `yaml:"outputs"`
	// StackReferences are the outputs of other stacks, by the name that the program asks for.
	StackReferences map[string]map[string]any `yaml:"stackReferences"`
	// Invokes are the answers to look-ups.
	Invokes []Invoked `yaml:"invokes"`
	// Endpoints are where functions reach AWS's services, by service, such as dynamodb.
	Endpoints map[string]string `yaml:"endpoints"`
	// Handlers are the directories of functions' main packages, by deployment package.
	Handlers map[string]string `yaml:"handlers"`
}

// Invoked is the answer to one look-up. Without arguments, it is the answer to all of the
// function's.
type Invoked struct {
	Function  string         `yaml:"function"`
	Arguments map[string]any `yaml:"arguments"`
	Result    map[string]any `yaml:"result"`
}

// ValuesFile is the name of a stack's file of local values.
func ValuesFile(stack string) string { return "local." + stack + ".yaml" }

// readValues reads the file of a stack, if there is one. It refuses keys that it does not
// know: a misspelt one would have no effect.
func readValues(s Stack) (Values, error) {
	v := Values{file: ValuesFile(s.Name)}
	content, err := os.ReadFile(filepath.Join(s.Root, v.file))
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&v); err != nil && !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("%s: %s; its keys are %s, and an entry of invokes has %s",
			v.file, reason(err), strings.Join(keys(v), ", "), strings.Join(keys(Invoked{}), ", "))
	}
	for i, invoked := range v.Invokes {
		if invoked.Function == "" || invoked.Result == nil {
			return v, fmt.Errorf("%s: entry %d of invokes: expected function and result, such as {function: aws:ssm/getParameter:getParameter, result: {value: x}}", v.file, i+1)
		}
	}
	for service, address := range v.Endpoints {
		if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return v, fmt.Errorf("%s: endpoints: expected the URL of a server for %s, such as http://127.0.0.1:8000", v.file, service)
		}
	}
	return v, nil
}

// reason is an error of the decoder without its values, which may be secrets.
func reason(err error) string {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) {
		return "it is not YAML of the expected form"
	}
	text := strings.Join(wrong.Errors, "; ")
	text, _, _ = strings.Cut(text, " in type ")
	if before, _, found := strings.Cut(text, "`"); found {
		text = before + "a value of another type than expected"
	}
	return text
}

func keys(of any) []string {
	var all []string
	for t, i := reflect.TypeOf(of), 0; i < t.NumField(); i++ {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			all = append(all, key)
		}
	}
	return all
}

// outputs are those given for a resource, by type and name before name.
func (v Values) outputs(token, name string) map[string]any {
	if given, ok := v.Outputs[token+"::"+name]; ok {
		return given
	}
	return v.Outputs[name]
}

// check refuses outputs of resources that the stack does not declare.
func (v Values) check(declared func(name string) bool) error {
	var unknown []string
	for name := range v.Outputs {
		if !declared(name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("%s: outputs: the stack declares no resource %s: write a resource's logical name, or its type and name (TYPE::NAME)", v.file, strings.Join(unknown, ", "))
}

// secret is the value of a setting that the stack file keeps encrypted.
func (v Values) secret(project, key string) (string, bool) {
	for _, name := range []string{key, strings.TrimPrefix(key, project+":")} {
		if value, ok := v.Secrets[name]; ok {
			return value, true
		}
	}
	return "", false
}

// checkSecrets refuses secrets that the stack file does not keep.
func (v Values) checkSecrets(project string, used []string) error {
	for name := range v.Secrets {
		if !slices.Contains(used, name) && !slices.Contains(used, project+":"+name) {
			return fmt.Errorf("%s: secrets: the stack file keeps no secret %s: remove it, or set it with pulumi config set --secret %s", v.file, name, name)
		}
	}
	return nil
}
