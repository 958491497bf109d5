package reload

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func write(t *testing.T, root, file, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(file))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsWatched(t *testing.T) {
	for file, want := range map[string]bool{
		"main.go":                      true,
		"go.mod":                       true,
		"go.sum":                       true,
		"Pulumi.yaml":                  true,
		"Pulumi.dev.yaml":              true,
		"cmd/seats/main.go":            true,
		"rules/seats/seats.rego":       true,
		"rules/seats/seats_test.rego":  true,
		"rules/seats/data.json":        true,
		"rules/seats/data.yaml":        true,
		"cmd/seats/ticket.html":        true,
		"cmd/seats/seats.sql":          true,
		"cmd/seats/output.txt":         false,
		"cmd/seats/main_test.go":       false,
		"cmd/seats/testdata/x/main.go": false,
		"cmd/seats/.#main.go":          false,
		"cmd/_old/main.go":             false,
		".git/x.go":                    false,
		"dist/local/x.go":              false,
		"cmd/dist/x.go":                true,
		"bench/go.mod":                 false,
		"README.md":                    false,
		".github/workflow.yaml":        false,
	} {
		t.Run(file, func(t *testing.T) {
			root := t.TempDir()
			before := Take(root)
			write(t, root, file, "x")
			if got := slices.Contains(before.Changed(Take(root)), file); got != want {
				t.Errorf("expected watched %v, got %v", want, got)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a.go", "a")
	write(t, root, "b/b.go", "b")
	before := Take(root)
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"nothing is no change", func() {}, nil},
		{"another size", func() { write(t, root, "a.go", "aa") }, []string{"a.go"}},
		{"a new file is the next change", func() { write(t, root, "b/c.rego", "c") }, []string{"b/c.rego"}},
		{"another time", func() {
			later := time.Now().Add(time.Minute)
			if err := os.Chtimes(filepath.Join(root, "a.go"), later, later); err != nil {
				t.Fatal(err)
			}
		}, []string{"a.go"}},
		{"a directory that is gone", func() { os.RemoveAll(filepath.Join(root, "b")) }, []string{"b/b.go", "b/c.rego"}},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			after := Take(root)
			if got := before.Changed(after); !slices.Equal(got, step.want) {
				t.Errorf("expected %q, got %q", step.want, got)
			}
			before = after
		})
	}
	t.Run("a root that is gone has no files", func(t *testing.T) {
		if s := Take(filepath.Join(root, "nowhere")); len(s) > 0 {
			t.Errorf("expected none, got %v", s)
		}
	})
}

// watching runs Watch and passes on what it reports.
func watching(t *testing.T, root string, since Snapshot) <-chan []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	calls, ended := make(chan []string), make(chan struct{})
	go func() {
		defer close(ended)
		Watch(ctx, root, since, time.Millisecond, func(files []string) {
			select {
			case calls <- files:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return calls
}

func next(t *testing.T, calls <-chan []string) []string {
	t.Helper()
	select {
	case files := <-calls:
		return files
	case <-time.After(time.Minute):
		t.Fatal("expected a change to be noticed within a minute")
		return nil
	}
}

// until waits for a call about a file alone. Those before may be about one that was saved
// twice.
func until(t *testing.T, calls <-chan []string, file string) {
	t.Helper()
	for !slices.Equal(next(t, calls), []string{file}) {
	}
}

func TestWatch(t *testing.T) {
	root := t.TempDir()
	since := Take(root)
	write(t, root, "before.go", "saved before the first look")
	calls := watching(t, root, since)
	if got, want := next(t, calls), []string{"before.go"}; !slices.Equal(got, want) {
		t.Errorf("expected %q, got %q", want, got)
	}
	t.Run("what is saved during a call is in a later one", func(t *testing.T) {
		write(t, root, "first.go", "1")
		if got, want := next(t, calls), []string{"first.go"}; !slices.Equal(got, want) {
			t.Errorf("expected %q, got %q", want, got)
		}
		write(t, root, "second.go", "2") // may be noticed and wait: nobody receives
		write(t, root, "second.go", "22")
		if got, want := next(t, calls), []string{"second.go"}; !slices.Equal(got, want) {
			t.Errorf("expected %q, got %q", want, got)
		}
	})
	t.Run("what is saved in a new directory, twice", func(t *testing.T) {
		for _, content := range []string{"3", "33"} {
			write(t, root, "new/directory/third.go", content)
			until(t, calls, "new/directory/third.go")
		}
	})
	t.Run("what is saved in a directory that was made again", func(t *testing.T) {
		if err := os.RemoveAll(filepath.Join(root, "new")); err != nil {
			t.Fatal(err)
		}
		until(t, calls, "new/directory/third.go")
		for _, content := range []string{"4", "44"} {
			write(t, root, "new/directory/third.go", content)
			until(t, calls, "new/directory/third.go")
		}
	})
}

// Without notices, as where the system's limit is reached, files are looked at all the time.
func TestWatchWithoutNotices(t *testing.T) {
	n := &notices{}
	if n.of([]string{t.TempDir()}) {
		t.Error("expected that no notices come")
	}
	n = newNotices()
	defer n.close()
	if n.watcher != nil && n.of([]string{filepath.Join(t.TempDir(), "nowhere")}) {
		t.Error("expected that not all notices come")
	}
}
