package ruleset_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"account-api/internal/ruleset"
)

func TestClaimsAreThoseOfEveryStack(t *testing.T) {
	const project = "name: orders-api\nconfig:\n  claims:\n    type: array\n    default: [tenant]\n"
	for name, row := range map[string]struct {
		files map[string]string
		want  []string
		err   string
	}{
		"no project":             {nil, []string{}, ""},
		"no setting":             {map[string]string{"Pulumi.yaml": "name: orders-api", "Pulumi.dev.yaml": "config:\n  issuer: x\n"}, []string{}, ""},
		"an empty stack file":    {map[string]string{"Pulumi.yaml": "name: orders-api", "Pulumi.dev.yaml": ""}, []string{}, ""},
		"a default":              {map[string]string{"Pulumi.yaml": project}, []string{"tenant"}, ""},
		"two stacks":             {map[string]string{"Pulumi.yaml": "name: orders-api", "Pulumi.dev.yaml": "config:\n  orders-api:claims: [b, a]\n", "Pulumi.prod.yaml": "config:\n  claims:\n    - https://example.com/roles\n    - a\n"}, []string{"a", "b", "https://example.com/roles"}, ""},
		"a setting of another":   {map[string]string{"Pulumi.yaml": "name: orders-api", "Pulumi.dev.yaml": "config:\n  aws:claims: [b]\n"}, []string{}, ""},
		"a setting that is text": {map[string]string{"Pulumi.yaml": "name: orders-api", "Pulumi.dev.yaml": "config:\n  claims: a\n"}, nil, "Pulumi.dev.yaml: claims: expected a list of names"},
		"a file that is no YAML": {map[string]string{"Pulumi.dev.yaml": "\t"}, nil, "Pulumi.dev.yaml: "},
	} {
		files := fstest.MapFS{}
		for name, content := range row.files {
			files[name] = &fstest.MapFile{Data: []byte(content)}
		}
		got, err := ruleset.Claims(files)
		if row.err == "" && (err != nil || got == nil) || row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)) || !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, %v; want %q, %q", name, got, err, row.want, row.err)
		}
	}
}

func TestClaimsNeedAProjectThatCanBeRead(t *testing.T) {
	if names, err := ruleset.Claims(os.DirFS("")); err == nil {
		t.Errorf("got %q of no directory, want an error", names)
	}
}
