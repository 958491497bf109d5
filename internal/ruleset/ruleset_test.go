package ruleset_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"account-api/internal/ruleset"
)

func TestOfHasTheFilesOfTheHandlerAndTheSharedOnes(t *testing.T) {
	policies := fstest.MapFS{}
	for _, name := range []string{
		"orders/orders.rego", "orders/orders_test.rego", "orders/limits/limits.rego", "orders/limits/limits_test.rego",
		"orders/data.json", "shared/lists/data.yaml", "refunds/data.json", "data.json",
		"orders/readme.md", "shared/clients.rego", "shared/clients_test.rego",
		"refunds/refunds.rego", "orders2/orders2.rego", "loose.rego",
	} {
		policies[name] = &fstest.MapFile{Data: []byte("package x")}
	}
	files := ruleset.Of(policies, "orders")
	want := []string{"orders/data.json", "orders/limits/limits.rego", "orders/orders.rego", "shared/clients.rego", "shared/lists/data.yaml"}

	var got []string
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			got = append(got, name)
		}
		return err
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("a walk finds %q, %v; want %q", got, err, want)
	}
	for name := range policies {
		_, err := fs.ReadFile(files, name)
		if slices.Contains(want, name) != (err == nil) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("reading %s: got error %v", name, err)
		}
	}
}
