package build_test

import (
	"debug/buildinfo"
	"os"
	"path/filepath"
	"testing"

	"account-api/local/build"
)

func TestFunctionsAreBuiltAsTheDeployedOnes(t *testing.T) {
	root, out := t.TempDir(), t.TempDir()
	write := func(file, content string) {
		t.Helper()
		file = filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module cinema\n\ngo 1.26\n")
	for _, name := range []string{"tool", "seats", "rows"} {
		// With -trimpath, a package that was compiled in another directory is not compiled again.
		write("cmd/"+name+"/main.go", "package main // of "+root+"\n\nfunc main() {}\n")
	}
	t.Setenv("CGO_ENABLED", "1")
	t.Setenv("GOFLAGS", "-trimpath")
	var compiled []string
	o := build.Options{Root: root, Out: out, Progress: func(p build.Progress) { compiled = append(compiled, p.Package) }}
	if err := build.Packages(t.Context(), o, build.Tools("./cmd/tool"), build.Functions("./cmd/seats"), build.Debugged("./cmd/rows")); err != nil {
		t.Fatal(err)
	}
	if len(compiled) < 3 {
		t.Errorf("expected a progress of all three, got %q", compiled)
	}
	for name, want := range map[string]map[string]string{
		"tool":  {"CGO_ENABLED": "0", "-tags": "", "-gcflags": ""},
		"seats": {"CGO_ENABLED": "0", "-tags": "lambda.norpc", "-gcflags": ""},
		"rows":  {"CGO_ENABLED": "0", "-tags": "lambda.norpc", "-gcflags": "all=-N -l", "-trimpath": ""},
	} {
		info, err := buildinfo.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range want {
			got := ""
			for _, setting := range info.Settings {
				if setting.Key == key {
					got = setting.Value
				}
			}
			if got != value {
				t.Errorf("%s: expected %s=%q, got %q", name, key, value, got)
			}
		}
	}
}
