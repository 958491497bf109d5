package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// asCommand makes this test binary the command. No result of a test is cached that changes to a
// temporary directory itself.
const asCommand = "BUILD_TEST_COMMAND"

// toolchain is the release that runs this test. A distributor's suffix is not part of its name.
var toolchain = runtime.Version()[:len(runtime.Version())-len(strings.TrimLeft(runtime.Version(), "go.rc0123456789"))]

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestBuildPrintsWhatItWrote(t *testing.T) {
	root, dist := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{
		"go.mod":                "module example.test/tiny\n\ngo 1.26.0\n\ntoolchain " + toolchain + "\n",
		"handlers/hall/main.go": "package main\n\nfunc main() {}\n",
	} {
		name = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-out", dist, "./handlers/hall")
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = root, append(os.Environ(), asCommand+"=1"), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v:\n%s", err, stderr.String())
	}
	path := filepath.Join(dist, "hall.zip")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	want := fmt.Sprintf("%s  %d  %s\n", path, len(content), hex.EncodeToString(sum[:]))
	if stdout.String() != want {
		t.Errorf("expected %q, got %q", want, stdout.String())
	}
	if !strings.Contains(stderr.String(), "compiling handlers/hall for linux/arm64") {
		t.Errorf("expected progress on standard error, got %q", stderr.String())
	}
}

func TestBuildFails(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", "..")) // the module's root
	for name, row := range map[string]struct {
		args []string
		code int
		want string
	}{
		"without handlers":           {nil, 2, "usage: "},
		"with an unknown flag":       {[]string{"-x"}, 2, "flag provided but not defined: -x"},
		"with a handler not there":   {[]string{"-out", t.TempDir(), "handlers/none"}, 1, "bundle handlers/none: "},
		"with a directory elsewhere": {[]string{"-out", t.TempDir(), ".."}, 1, "bundle ..: expected the directory"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), row.args, &stdout, &stderr); code != row.code {
				t.Errorf("expected exit code %d, got %d", row.code, code)
			}
			if !strings.Contains(stderr.String(), row.want) || stdout.Len() != 0 {
				t.Errorf("expected %q on standard error alone, got %q and %q", row.want, stderr.String(), stdout.String())
			}
		})
	}
}
