// Package programs runs the command of the local runner on other programs than the project's.
// Those in testdata share nothing with the project but the runner.
//
// It has tests only: make test-programs. make test leaves them out, because an edit of a rule, a
// handler or a stack does not change what they find. CI runs them.
package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/local/build"
	"account-api/local/running"
)

// project is the project's directory, seen from this package's.
const project = "../.."

var built = running.NewCommand(project)

func TestMain(m *testing.M) { built.Test(m) }

const (
	admitted     = "12 free"
	unauthorized = `{"message":"Unauthorized"}`
	ticket       = "admit one"
)

// cinemaArguments are those for the second program.
var cinemaArguments = []string{"-stack", "matinee", "-capture", "./cmd/capture"}

// cinema copies the second program, for a test to edit.
func cinema(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := running.Copy(sharedCinema(t), root); err != nil {
		t.Fatal(err)
	}
	return root
}

// sharedCinema is a copy that no test edits.
func sharedCinema(t *testing.T) (root string) {
	t.Helper()
	root, err := onceCinema()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// onceCinema writes and builds the second program in a module of its own.
var onceCinema = sync.OnceValues(func() (string, error) {
	root := filepath.Join(built.Dir, "cinema")
	if err := writeModule(root, "cinema"); err != nil {
		return "", err
	}
	return root, build.Packages(context.Background(),
		build.Options{Root: root, Out: filepath.Join(root, "dist", "local"), Progress: func(build.Progress) {}},
		build.Tools("./cmd/capture"), build.Functions("./cmd/door", "./cmd/seats"))
})

// writeModule copies programs of testdata into a module of their own.
func writeModule(root, name string) error {
	if err := os.CopyFS(root, os.DirFS(filepath.Join("testdata", name))); err != nil {
		return err
	}
	program := name
	project, err := filepath.Abs(project)
	if err != nil {
		return err
	}
	for name, change := range map[string]func(string) string{
		"go.sum": func(text string) string { return text },
		// The same dependencies, and this module.
		"go.mod": func(text string) string {
			module := regexp.MustCompile(`(?m)^module (\S+)$`)
			name := module.FindStringSubmatch(text)[1]
			return module.ReplaceAllString(text, "module "+program) + fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %[1]s => %s\n", name, project)
		},
	} {
		content, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(change(string(content))), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// stack is the second program as it runs.
type stack struct{ *running.Stack }

// serve starts the command on a copy of the second program.
func serve(t *testing.T, root string, arguments ...string) stack {
	t.Helper()
	return stack{built.Start(t, root, append(cinemaArguments, arguments...)...)}
}

// enter calls the second program's endpoint with a ticket.
func (s stack) enter(t *testing.T, ticket string) running.Answer {
	t.Helper()
	return running.Request(t, http.MethodGet, s.API, "X-Ticket", ticket)
}

// fails runs the command and expects it to end with an error that says something.
func fails(t *testing.T, root string, says []string, arguments ...string) {
	t.Helper()
	c := built.Launch(t, root, arguments...)
	select {
	case <-c.Exited():
	case <-time.After(5 * running.Patience): // a new machine compiles the Pulumi SDK first
		t.Fatalf("expected the command to fail, got:\n%s", c.Output())
	}
	var exit *exec.ExitError
	if !errors.As(c.Err(), &exit) || exit.ExitCode() != 1 {
		t.Errorf("expected exit status 1, got %v", c.Err())
	}
	for _, want := range says {
		if !strings.Contains(c.Output(), want) {
			t.Errorf("expected the error to say %q, got:\n%s", want, c.Output())
		}
	}
	if n := strings.Count(c.Output(), "error:"); n != 1 {
		t.Errorf("expected one error, got %d:\n%s", n, c.Output())
	}
}

// process is a process that is alive, as ps shows it.
type process struct {
	id, parent, memory int // memory in kB
	name               string
}

func processes(t *testing.T) []process {
	t.Helper()
	output, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,rss=,stat=,comm=").Output()
	if err != nil {
		t.Errorf("list processes: %v", err)
	}
	var all []process
	for line := range strings.Lines(string(output)) {
		var p process
		var state string
		if _, err := fmt.Sscan(line, &p.id, &p.parent, &p.memory, &state, &p.name); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("list processes: %v in %q", err, line)
		}
		if !strings.HasPrefix(state, "Z") { // reaped soon
			p.name = filepath.Base(p.name)
			all = append(all, p)
		}
	}
	return all
}
