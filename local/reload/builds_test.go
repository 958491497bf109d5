package reload

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"account-api/local/build"
)

// project is a module with two programs that print their version and, if asked to,
// wait for the end of their input.
func project(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	write(t, root, "go.mod", "module project\n\ngo 1.26\n")
	program(t, root, "one", "v1")
	program(t, root, "two", "v1")
	return root
}

func program(t *testing.T, root, name, version string) {
	t.Helper()
	// With -trimpath, a package that was compiled in another directory is not compiled again.
	write(t, root, "cmd/"+name+"/main.go", `package main // of `+root+`

import (
	"io"
	"os"
)

func main() {
	os.Stdout.WriteString("`+version+`")
	if len(os.Args) > 1 {
		io.Copy(io.Discard, os.Stdin)
		os.Stdout.WriteString(" still `+version+`")
	}
}
`)
}

func newBuilds(t *testing.T, root string) *Builds {
	t.Helper()
	b, err := NewBuilds(build.Options{Root: root, Out: filepath.Join(root, "dist", "local")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func built(t *testing.T, b *Builds) Release {
	t.Helper()
	r, err := b.Build(t.Context(), build.Tools("./cmd/one", "./cmd/two"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func printed(t *testing.T, executable string) string {
	t.Helper()
	out, err := exec.Command(executable).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestBuilds(t *testing.T) {
	root := project(t)
	b := newBuilds(t, root)
	first := built(t, b)
	if got := printed(t, first["./cmd/one"]) + printed(t, first["./cmd/two"]); got != "v1v1" {
		t.Fatalf("expected both programs, got %q", got)
	}

	t.Run("nothing changed, nothing moves", func(t *testing.T) {
		again := built(t, b)
		if again["./cmd/one"] != first["./cmd/one"] || again["./cmd/two"] != first["./cmd/two"] {
			t.Errorf("expected %v, got %v", first, again)
		}
	})

	t.Run("an old release runs on, and starts, while a new one is built", func(t *testing.T) {
		running := exec.Command(first["./cmd/one"], "wait")
		input, err := running.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		running.Stdout = &out
		if err := running.Start(); err != nil {
			t.Fatal(err)
		}
		program(t, root, "one", "v2")
		second := built(t, b)
		if second["./cmd/one"] == first["./cmd/one"] || second["./cmd/two"] != first["./cmd/two"] {
			t.Errorf("expected another path for the changed program alone, got %v after %v", second, first)
		}
		if was, is := printed(t, first["./cmd/one"]), printed(t, second["./cmd/one"]); was != "v1" || is != "v2" {
			t.Errorf("expected v1 and v2 next to each other, got %s and %s", was, is)
		}
		input.Close()
		if err := running.Wait(); err != nil || out.String() != "v1 still v1" {
			t.Errorf("expected the old process to end well, got %v, %q", err, out.String())
		}
	})

	t.Run("an error has the compiler's lines, and the next good build follows it", func(t *testing.T) {
		write(t, root, "cmd/one/main.go", "package main\n\nfunc main() { undefinedThing() }\n")
		_, err := b.Build(t.Context(), build.Tools("./cmd/one", "./cmd/two"))
		if err == nil || !strings.Contains(err.Error(), "cmd/one/main.go:3:15: undefined: undefinedThing") {
			t.Errorf("expected the compiler's line, got %v", err)
		}
		program(t, root, "one", "v3")
		if got := printed(t, built(t, b)["./cmd/one"]); got != "v3" {
			t.Errorf("expected v3, got %s", got)
		}
	})

	t.Run("a package that is no command, or no longer one, is an error with what to do", func(t *testing.T) {
		for _, content := range []string{"package three\n", "package main\n\nfunc main() {}\n", "package three\n"} {
			write(t, root, "cmd/three/main.go", content)
			_, err := b.Build(t.Context(), build.Tools("./cmd/one", "./cmd/three"))
			if content == "package three\n" && (err == nil || !strings.Contains(err.Error(), "cmd/three, got package three: put package main there")) {
				t.Errorf("expected an error that names the fix, got %v", err)
			}
		}
	})

	t.Run("two packages of one name are an error that names both", func(t *testing.T) {
		_, err := b.Build(t.Context(), build.Tools("./cmd/one"), build.Functions("./other/one"))
		if err == nil || !strings.Contains(err.Error(), "./cmd/one and ./other/one") {
			t.Errorf("expected both names, got %v", err)
		}
	})

	t.Run("another run begins with what this one built", func(t *testing.T) {
		other := newBuilds(t, root)
		latest := built(t, b)
		for name, executable := range built(t, other) {
			if strings.HasPrefix(executable, b.dir) {
				t.Errorf("expected %s in the other run's directory, got %s", name, executable)
			}
			mine, err1 := os.Stat(latest[name])
			theirs, err2 := os.Stat(executable)
			if err1 != nil || err2 != nil || !os.SameFile(mine, theirs) {
				t.Errorf("expected %s not to be linked again, got %v, %v", name, err1, err2)
			}
		}
	})

	t.Run("what is as it was before has the path that it had before", func(t *testing.T) {
		program(t, root, "one", "v1")
		if got := built(t, b)["./cmd/one"]; got != first["./cmd/one"] {
			t.Errorf("expected %s again, got %s", first["./cmd/one"], got)
		}
	})
}

func TestWhatABuildLeaves(t *testing.T) {
	root := project(t)
	shared := filepath.Join(root, "dist", "local")
	ended := exec.Command("go", "version")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(shared, runPrefix+strconv.Itoa(ended.Process.Pid)+"-1")
	theirs := filepath.Join(shared, runPrefix+strconv.Itoa(os.Getppid())+"-1")
	for _, dir := range []string{dead, theirs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b := newBuilds(t, root)
	built(t, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(shared)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if got, want := strings.Join(names, " "), "one "+filepath.Base(theirs)+" two"; got != want {
		t.Errorf("expected the executables and a living run's directory, %q, got %q", want, got)
	}
}

// A run and what ends its functions may be killed at once. The next run ends them.
func TestOrphansOfAKilledRunEnd(t *testing.T) {
	root := project(t)
	living := newBuilds(t, root)
	ended := exec.Command("go", "version")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(root, "dist", "local", runPrefix+strconv.Itoa(ended.Process.Pid)+"-1")
	if err := os.MkdirAll(dead, 0o755); err != nil {
		t.Fatal(err)
	}
	mine, orphans := built(t, living)["./cmd/one"], filepath.Join(dead, "one")
	if err := link(mine, orphans); err != nil {
		t.Fatal(err)
	}
	start := func(executable string) (*exec.Cmd, io.Closer) {
		cmd := exec.Command(executable, "wait")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		input, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, input
	}
	orphan, _ := start(orphans)
	other, input := start(mine)
	newBuilds(t, root)
	if err := orphan.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("expected the orphan to be killed, got %v", err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("expected the directory of the killed run to be gone, got %v", err)
	}
	input.Close()
	if err := other.Wait(); err != nil {
		t.Errorf("expected the process of a living run to go on, got %v", err)
	}
}
