package bundle

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A test that needs another process than its own (another environment, one to kill)
// starts this test binary again, as a program that builds one bundle.
const (
	asBuilder = "BUNDLE_TEST_BUILDER" // root of the module to build in, or here
	here      = "here"                // the current directory
	stopAt    = "BUNDLE_TEST_STOP_AT" // beginning of the line of progress to stop at
)

func TestMain(m *testing.M) {
	if root := os.Getenv(asBuilder); root != "" {
		os.Exit(builder(root, os.Getenv(stopAt)))
	}
	os.Exit(m.Run())
}

// builder builds handlers/greet into dist/greet.zip and prints its path and its SHA-256. It
// prints progress, too, and stands still at a line that begins with stop.
func builder(root, stop string) int {
	if root == here {
		root = ""
	}
	built, err := Build(context.Background(), Options{
		Root:    root,
		Package: "handlers/greet",
		Out:     filepath.Join(root, "dist", "greet.zip"),
		Progress: writerFunc(func(p []byte) (int, error) {
			n, err := os.Stdout.Write(p)
			if stop != "" && strings.HasPrefix(string(p), stop) {
				time.Sleep(time.Hour)
			}
			return n, err
		}),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(built.Path)
	fmt.Println(built.SHA256)
	return 0
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// buildElsewhere runs builder in another process with more environment, through the
// commands of wrapper if there are any, and returns the SHA-256 that it prints.
func buildElsewhere(t *testing.T, root string, env []string, wrapper ...string) (string, error) {
	args := append(wrapper, os.Args[0])
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), asBuilder+"="+root), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("build in another process: %w\n%s", err, stderr.String())
	}
	printed := strings.Fields(string(out))
	return printed[len(printed)-1], nil
}

// source is a module with two handlers: one that embeds a file and a policy and uses
// packages of the module, one that does neither.
func source() map[string]string {
	return map[string]string{
		"go.mod": "module example.test/tiny\n\ngo 1.26.0\n\ntoolchain " + toolchain + "\n",
		"handlers/greet/main.go": `package main

import (
	"example.test/tiny/policies"
	"example.test/tiny/words"
)

func main() {
	println(words.Greeting)
	for _, directory := range []string{"greet", "shared", "silent"} {
		entries, _ := policies.Files.ReadDir(directory)
		for _, entry := range entries {
			println(directory, entry.Name())
		}
	}
}
`,
		"handlers/silent/main.go": "package main\n\nfunc main() {}\n",
		"policies/policies.go": `package policies

import "embed"

//go:embed */*
var Files embed.FS
`,
		"policies/greet/greet.rego":         "package greet\n\ndefault decision := {\"allow\": false, \"reasons\": set()}\n\ndecision := data.greet.limits.decision\n",
		"policies/greet/greet_test.rego":    "package greet_test\n",
		"policies/greet/limits/limits.rego": "package greet.limits\n\ndecision := 1\n",
		"policies/shared/shared.rego":       "package shared\n",
		"policies/shared/shared_test.rego":  "package shared_test\n",
		"policies/silent/silent.rego":       "package silent\n",
		"words/words.go": `package words

import _ "embed"

//go:embed greeting.txt
var Greeting string
`,
		"words/greeting.txt": "hello",
	}
}

// toolchain is the release that runs this test: the one that is at hand offline. A
// distributor's suffix, as in "go1.26.8-x", is not part of a release's name.
var toolchain = runtime.Version()[:len(runtime.Version())-len(strings.TrimLeft(runtime.Version(), "go.rc0123456789"))]

// module writes files, with changes applied, into a new directory and returns it. A
// change to "" removes the file.
func module(t *testing.T, changes map[string]string) string {
	t.Helper()
	root := t.TempDir()
	files := source()
	maps.Copy(files, changes)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if files[name] != "" {
			write(t, filepath.Join(root, filepath.FromSlash(name)), files[name])
		}
	}
	return root
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// greet are options for the handler in root that embeds a file.
func greet(root string) Options {
	return Options{Root: root, Package: "handlers/greet", Out: filepath.Join(root, "dist", "greet.zip")}
}

func mustBuild(t *testing.T, o Options) Bundle {
	t.Helper()
	built, err := Build(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// reference is the SHA-256 of the bundle of [source], once a test asked for it.
var reference string

// unchanged returns reference.
func unchanged(t *testing.T) string {
	t.Helper()
	if reference == "" {
		reference = mustBuild(t, greet(module(t, nil))).SHA256
	}
	return reference
}

// listed returns the names in a directory, none if it does not exist.
func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
