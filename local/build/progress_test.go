package build

import (
	"os"
	"path/filepath"
	"testing"
)

func TestProgress(t *testing.T) {
	sources := map[string]source{"std": {functions: 1000}, "small": {1, true}, "large": {98, true}, "main": {1, true}}
	for _, row := range []struct {
		name    string
		sources map[string]source
		begun   []string
		next    string
		want    Progress
	}{
		{"nothing is known yet", nil, []string{"small"}, "large", Progress{0, 0, "large"}},
		{"what the cache has does not count", sources, nil, "small", Progress{0, 100, "small"}},
		{"a small package is a small part", sources, []string{"small"}, "large", Progress{1, 100, "large"}},
		{"a large package is a large part", sources, []string{"small", "large"}, "main", Progress{99, 100, "main"}},
		{"what was compiled before it could be asked for counts", sources, []string{"std"}, "main", Progress{1000, 1100, "main"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := progress(row.sources, row.begun, row.next); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}

func TestSources(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module hall\n\ngo 1.24\n",
		"main.go":     "package main // of " + root + "\n\nimport \"hall/row\"\n\nfunc main() { row.A(); row.B() }\n",
		"row/row.go":  "package row // of " + root + "\n\nfunc A() {}\n\nfunc B() {}\n",
		"row/more.go": "package row\n\nfunc C() {}\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o, group := Options{Root: root, Out: filepath.Join(root, "out")}, Tools(".")
	expect := func(when string, want map[string]source) {
		t.Helper()
		got := o.sources(t.Context(), "go", group)
		for name, want := range want {
			if got[name] != want {
				t.Errorf("%s: %s: got %+v, want %+v", when, name, got[name], want)
			}
		}
	}
	expect("before the build", map[string]source{"hall": {1, true}, "hall/row": {3, true}})
	if err := Packages(t.Context(), o, group); err != nil {
		t.Fatal(err)
	}
	expect("after the build", map[string]source{"hall/row": {3, false}})
}
