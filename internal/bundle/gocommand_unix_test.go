//go:build unix

package bundle

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goScript puts a shell script before the go command on PATH. The script finds the
// real one in $real.
func goScript(t *testing.T, body string) {
	t.Helper()
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nreal='" + real + "'\n" + body + "\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestCompilerAndPackerRunUnderTheToolchainOfGoMod(t *testing.T) {
	root := module(t, nil)
	journal := filepath.Join(t.TempDir(), "journal")
	goScript(t, `echo "$1 $GOTOOLCHAIN $GOENV ${GOROOT:-unset} ${GOEXPERIMENT:-unset}" >> '`+journal+`'; exec "$real" "$@"`)
	t.Setenv("GOTOOLCHAIN", "auto")
	t.Setenv("GOROOT", t.TempDir())
	t.Setenv("GOEXPERIMENT", "nosuchexperiment")
	mustBuild(t, greet(root))

	content, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	for _, want := range []string{"build", "run"} {
		want += " " + toolchain + " off unset unset"
		if !slices.Contains(lines, want) {
			t.Errorf("expected a go command with %q, got %q", want, lines)
		}
	}
	for _, line := range lines {
		if !strings.Contains(line, " "+toolchain+" ") && !strings.Contains(line, " local ") {
			t.Errorf("expected no command under a toolchain of its own choice, got %q", line)
		}
	}
}

func TestBuildReportsDownloadsAndInterruptsTheGoCommand(t *testing.T) {
	root := module(t, nil)
	work := t.TempDir()
	t.Setenv("TMPDIR", work)
	goScript(t, `case $1 in
build) echo "go: downloading example.test/other v1.0.0" >&2; exec sleep 600 ;;
*) exec "$real" "$@" ;;
esac`)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	var seen []string
	o := greet(root)
	o.Progress = writerFunc(func(p []byte) (int, error) {
		seen = append(seen, string(p))
		if strings.HasPrefix(string(p), "go: downloading") {
			cancel(enough)
		}
		return len(p), nil
	})
	_, err := Build(ctx, o)
	if !errors.Is(err, enough) || !strings.Contains(err.Error(), "bundle handlers/greet: stopped: enough") {
		t.Errorf("expected the cause of the stop, got %v", err)
	}
	if len(seen) != 2 || seen[1] != "go: downloading example.test/other v1.0.0\n" {
		t.Errorf("expected news of compiling and of the download, got %q", seen)
	}
	if got := append(listed(t, work), listed(t, filepath.Join(root, "dist"))...); len(got) != 0 {
		t.Errorf("expected no files to be left, got %q", got)
	}
}

func TestBuildRefusesWhatLambdaDoesNotRun(t *testing.T) {
	for name, row := range map[string]struct{ instead, want string }{
		"an executable for another processor": {`GOARCH=amd64 exec "$real" "$@"`, "expected an executable for EM_AARCH64, got one for EM_X86_64"},
		// The type of the first segment, at offset 64, becomes PT_INTERP. A build with -buildmode=pie
		// would compile the standard library once more.
		"a dynamic executable": {`"$real" "$@"; while [ "$1" != -o ]; do shift; done; printf '\003' | dd of="$2" bs=1 seek=64 conv=notrunc 2>/dev/null; exit`,
			"expected a static executable"},
		"no executable": {`exit 0`, "bootstrap: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			root := module(t, nil)
			goScript(t, `if [ "$1" = build ]; then `+row.instead+`; fi; exec "$real" "$@"`)
			if _, err := Build(t.Context(), greet(root)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("expected an error with %q, got %v", row.want, err)
			}
		})
	}
}

func TestBuildDoesNotDependOnTheUmask(t *testing.T) {
	want := unchanged(t)
	for _, umask := range []string{"000", "077"} {
		root := module(t, nil)
		if got, err := buildElsewhere(t, root, nil, "/bin/sh", "-c", `umask `+umask+` && exec "$0"`); err != nil || got != want {
			t.Errorf("umask %s: expected SHA-256 %s, got %s, %v", umask, want, got, err)
		}
		info, err := os.Stat(filepath.Join(root, "dist", "greet.zip"))
		if err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("umask %s: expected mode -rw-r--r--, got %v, %v", umask, info.Mode(), err)
		}
	}
}
