package bundle

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBuildGivesTheSameBytes(t *testing.T) {
	want := unchanged(t)
	settings := filepath.Join(t.TempDir(), "env") // as `go env -w` writes it
	write(t, settings, "GOFLAGS=-ldflags=-X=runtime.x=y\nGOARM64=v9.0\nGOEXPERIMENT=rangefunc\nCGO_ENABLED=1\n")
	workspace := filepath.Join(t.TempDir(), "go.work")
	write(t, workspace, "go 1.26\n")

	// The caches stay: what is in them is addressed by content, and filling new ones
	// takes a minute.
	cached := func(env ...string) []string {
		for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
			out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
			if err != nil {
				t.Fatal(err)
			}
			env = append(env, name+"="+strings.TrimSpace(string(out)))
		}
		return env
	}
	type circumstance struct {
		env     []string
		changes map[string]string
		prepare func(t *testing.T, root string)
	}
	build := func(t *testing.T, together ...circumstance) (string, error) {
		t.Helper()
		var env []string
		changes, given := map[string]string{}, map[string]bool{}
		for _, c := range together {
			env = append(env, c.env...)
			maps.Copy(changes, c.changes)
			for _, set := range slices.AppendSeq(slices.Clone(c.env), maps.Keys(c.changes)) {
				name, _, _ := strings.Cut(set, "=")
				if given[name] {
					t.Fatalf("expected %s once in a map, as one would hide the other", name)
				}
				given[name] = true
			}
		}
		root := module(t, changes)
		for _, c := range together {
			if c.prepare != nil {
				c.prepare(t, root)
			}
		}
		return buildElsewhere(t, root, env)
	}
	// Those of one map hold for one build together. If it differs, each has a build of its own.
	all := []map[string]circumstance{{
		"in another directory":             {},
		"with GOFLAGS":                     {env: []string{"GOFLAGS=-race -tags=netgo -ldflags=-w"}},
		"with GOOS and GOARCH":             {env: []string{"GOOS=windows", "GOARCH=386"}},
		"with GOARM64 and GOAMD64":         {env: []string{"GOARM64=v9.0,lse", "GOAMD64=v3"}},
		"with GOEXPERIMENT":                {env: []string{"GOEXPERIMENT=nogreenteagc"}},
		"with GODEBUG":                     {env: []string{"GODEBUG=panicnil=1"}},
		"with GOFIPS140":                   {env: []string{"GOFIPS140=latest"}},
		"with cgo":                         {env: []string{"CGO_ENABLED=1", "CC=no-such-compiler", "CGO_LDFLAGS=-lm"}},
		"with modules off":                 {env: []string{"GO111MODULE=off"}},
		"with a go.work":                   {env: []string{"GOWORK=" + workspace}},
		"with settings from go env -w":     {env: []string{"GOENV=" + settings}},
		"with another GOROOT":              {env: []string{"GOROOT=" + t.TempDir()}},
		"for a user with another home":     {env: cached("HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())},
		"with temporary files elsewhere":   {env: []string{"TMPDIR=" + t.TempDir()}},
		"after other files changed":        {changes: map[string]string{"README.md": "read me", "handlers/silent/main.go": "package main\n"}},
		"after tests were added":           {changes: map[string]string{"handlers/greet/main_test.go": "package main\n"}},
		"after a policy's test changed":    {changes: map[string]string{"policies/greet/greet_test.rego": "package changed\n"}},
		"after another's data changed":     {changes: map[string]string{"policies/silent/data.json": "{}"}},
		"after another policy changed":     {changes: map[string]string{"policies/silent/silent.rego": "", "policies/third/third.rego": "package third\n"}},
		"with a file for another platform": {changes: map[string]string{"handlers/greet/main_windows.go": "package main\n\nvar x = 1\n"}},
		"with a vendor directory":          {changes: map[string]string{"vendor/modules.txt": "# nothing\n"}},
		"after files were touched": {prepare: func(t *testing.T, root string) {
			for _, name := range []string{"go.mod", "words/words.go", "words/greeting.txt"} {
				if err := os.Chtimes(filepath.Join(root, name), time.Now(), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
		}},
		"in a git work tree with a commit": {prepare: func(t *testing.T, root string) {
			git(t, root, "init", "--quiet")
			git(t, root, "add", ".")
			git(t, root, "commit", "--quiet", "--message", "first")
			git(t, root, "tag", "v1.2.3")
		}},
	}, {
		"with GOFLAGS that Go refuses": {env: []string{"GOFLAGS=-no-such-flag"}},
		"in a git work tree with changes": {prepare: func(t *testing.T, root string) {
			git(t, root, "init", "--quiet")
			git(t, root, "commit", "--quiet", "--allow-empty", "--message", "first")
		}},
	}}
	for _, together := range all {
		if got, err := build(t, slices.Collect(maps.Values(together))...); err == nil && got == want {
			continue
		}
		for name, alone := range together {
			t.Run(name, func(t *testing.T) {
				if got, err := build(t, alone); err != nil || got != want {
					t.Errorf("expected SHA-256 %s, got %s, %v", want, got, err)
				}
			})
		}
		if !t.Failed() {
			t.Errorf("expected SHA-256 %s, got another only of all together: %q", want, slices.Sorted(maps.Keys(together)))
		}
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.test"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

func TestBuildGivesOtherBytesFor(t *testing.T) {
	original := unchanged(t)
	for name, changes := range map[string]map[string]string{
		"a changed source file":   {"handlers/greet/main.go": "package main\n\nfunc main() { println(2) }\n"},
		"a changed package":       {"words/words.go": "package words\n\nvar Greeting = \"hi\"\n"},
		"a changed embedded file": {"words/greeting.txt": "hullo"},
		"a changed policy":        {"policies/greet/greet.rego": "package greet\n\ndefault decision := {\"allow\": true, \"reasons\": set()}\n"},
		"an added policy file":    {"policies/greet/more.rego": "package greet\n"},
		"an added data document":  {"policies/shared/data.json": "{}"},
		"a changed shared policy": {"policies/shared/shared.rego": "package shared\n\nchanged := 1\n"},
		"an added source file":    {"handlers/greet/init.go": "package main\n\nfunc init() { println(1) }\n"},
		"a changed go.mod":        {"go.mod": source()["go.mod"] + "\ngodebug panicnil=1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustBuild(t, greet(module(t, changes))).SHA256; got == original {
				t.Errorf("expected another SHA-256 than %s, got the same", original)
			}
		})
	}
}

func TestBundleIsWhatLambdaRuns(t *testing.T) {
	root := module(t, nil)
	built := mustBuild(t, greet(root))

	info, err := os.Stat(built.Path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != built.Size || info.Mode().Perm() != 0o644 {
		t.Errorf("expected %d bytes with mode -rw-r--r--, got %d with %v", built.Size, info.Size(), info.Mode())
	}
	reader, err := zip.OpenReader(built.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if len(reader.File) != 1 || reader.File[0].Name != "bootstrap" {
		t.Fatalf("expected the single entry bootstrap, got %d entries, the first named %q", len(reader.File), reader.File[0].Name)
	}
	entry, err := reader.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	executable, err := io.ReadAll(entry) // checks the CRC, too
	if err != nil {
		t.Fatal(err)
	}

	program, err := elf.NewFile(bytes.NewReader(executable))
	if err != nil {
		t.Fatal(err)
	}
	if program.Machine != elf.EM_AARCH64 || program.Class != elf.ELFCLASS64 {
		t.Errorf("expected an ELF file for 64-bit arm64, got %v for %v", program.Class, program.Machine)
	}
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) != 0 {
		t.Errorf("expected no shared libraries, got %q, %v", libraries, err)
	}
	if program.Section(".note.go.buildid") != nil {
		t.Error("expected no build ID, got a section of notes with one")
	}
	if bytes.Contains(executable, []byte(root)) {
		t.Error("expected no path of the source tree in the executable, got one")
	}

	stamp, err := buildinfo.Read(bytes.NewReader(executable))
	if err != nil {
		t.Fatal(err)
	}
	if stamp.GoVersion != toolchain {
		t.Errorf("expected the toolchain of go.mod, %s, got %s", toolchain, stamp.GoVersion)
	}
	var settings []string
	for _, s := range stamp.Settings {
		settings = append(settings, s.Key+"="+s.Value)
	}
	for _, want := range []string{"-tags=lambda.norpc", "-trimpath=true", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOARM64=v8.0"} {
		if !slices.Contains(settings, want) {
			t.Errorf("expected build setting %s, got %q", want, settings)
		}
	}
	if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, "vcs") }) {
		t.Errorf("expected no version control stamp, got %q", settings)
	}
}
