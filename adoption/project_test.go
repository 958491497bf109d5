package adoption

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// origin is the project, seen from this module's directory.
const origin = ".."

// project is a copy of the project, in which an adopter works.
type project struct{ directory string }

// copyProject copies what git would commit. The copy is always in the same place, so that
// Go's build cache knows its packages from the walk before, and from the run before.
func copyProject(t *testing.T) project {
	t.Helper()
	directory, err := filepath.Abs(filepath.Join(origin, "dist", "adoption"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(directory); err != nil {
		t.Fatal(err)
	}
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = origin
	names, err := list.Output()
	if err != nil {
		t.Fatalf("list the project's files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(origin, name), filepath.Join(directory, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err) // a file that is listed and not there was deleted, but not yet from the index
		}
	}
	p := project{directory}
	p.git(t, "init", "--quiet")
	p.git(t, "add", "--all")
	p.git(t, "commit", "--quiet", "--message", "As shipped")
	return p
}

// copyFile copies a file with its time of change. So Go's test cache answers a test in the copy
// that reads only what nobody has edited since the project's own tests ran.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(to, content, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

// git runs git as nobody in particular, whatever this machine's settings are.
func (p project) git(t *testing.T, arguments ...string) string {
	t.Helper()
	git := exec.Command("git", append([]string{"-c", "user.name=adopter", "-c", "user.email=adopter@example.com", "-c", "commit.gpgsign=false"}, arguments...)...)
	git.Dir = p.directory
	output, err := git.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output)
}

// restore undoes a walk. What was built stays, as it does on an adopter's machine.
func (p project) restore(t *testing.T) {
	t.Helper()
	p.git(t, "reset", "--quiet", "--hard")
	p.git(t, "clean", "--quiet", "-d", "--force")
}

// cost says how much an adopter has edited: "3 lines in 2 files". A changed line counts
// once. Generated documents do not count.
func (p project) cost(t *testing.T) string {
	t.Helper()
	p.git(t, "add", "--all")
	lines, files := 0, 0
	for row := range strings.Lines(p.git(t, "diff", "--cached", "--numstat", "--no-renames", "HEAD", "--", ".", ":!docs")) {
		var added, removed int
		if _, err := fmt.Sscanf(row, "%d\t%d", &added, &removed); err != nil {
			t.Fatalf("expected a row of git diff --numstat, got %q", row)
		}
		lines += max(added, removed)
		files++
	}
	return fmt.Sprintf("%s in %s", count(lines, "line"), count(files, "file"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// edit is one change that an adopter makes.
type edit func(p project) error

// replace changes every occurrence of a text in a file, of which there has to be one.
func replace(name, from, to string) edit {
	return func(p project) error {
		file := filepath.Join(p.directory, name)
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if !bytes.Contains(content, []byte(from)) {
			return fmt.Errorf("%s: expected the text %q, which the walk changes, got none", name, from)
		}
		return os.WriteFile(file, bytes.ReplaceAll(content, []byte(from), []byte(to)), 0o644)
	}
}

// write replaces the whole of a file, or makes it.
func write(name, content string) edit {
	return func(p project) error {
		return os.WriteFile(filepath.Join(p.directory, name), []byte(content), 0o644)
	}
}

// duplicate copies a file of the project.
func duplicate(from, to string) edit {
	return func(p project) error {
		return copyFile(filepath.Join(p.directory, from), filepath.Join(p.directory, to))
	}
}

// add copies a directory of testdata over the project.
func add(directory string) edit {
	return func(p project) error {
		return os.CopyFS(p.directory, os.DirFS(filepath.Join("testdata", directory)))
	}
}

// run runs a command of the documentation, in a shell.
func run(line string) edit {
	return func(p project) error {
		shell := exec.Command("sh", "-c", line)
		shell.Dir = p.directory
		shell.Env = adopter()
		if output, err := shell.CombinedOutput(); err != nil {
			return fmt.Errorf("$ %s\n%s\n%w", line, tail(output), err)
		}
		return nil
	}
}

// change makes the edits of walks, one after the other.
func (p project) change(t *testing.T, walks ...walk) {
	t.Helper()
	p.restore(t)
	generates := false
	for _, w := range walks {
		generates = generates || w.generates
		for _, change := range w.edits {
			if err := change(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if generates {
		p.command(t, "make --no-print-directory docs")
	}
}

// command runs one command of the documentation, in a shell, in the project.
func (p project) command(t *testing.T, line string) string {
	t.Helper()
	shell := exec.Command("sh", "-c", line)
	shell.Dir = p.directory
	shell.Env = adopter()
	output, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("$ %s\n%s\n%v", line, tail(output), err)
	}
	return string(output)
}

// adopter is the environment without what makes this a run of CI.
func adopter() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "CI=") || strings.HasPrefix(variable, "FILES=")
	})
}

// tail is the end of a long output, where the cause of a failure stands.
func tail(output []byte) []byte {
	const most = 8 << 10
	return output[max(0, len(output)-most):]
}
