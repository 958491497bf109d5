package main

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
	"syscall"
	"testing"
	"time"

	"account-api/local/build"
	"account-api/local/example"
	"account-api/local/running"
)

// Most tests run this command as a process: on the project itself, or on the second
// program in testdata/cinema where the project's own parts do not matter.

// scratch is a directory for as long as the tests run. It holds the built command.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "local-test-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		scratch = dir
		if err := running.Build(context.Background(), "..", program()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		code := m.Run()
		if sharedStack != nil {
			if err := sharedStack.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		return code
	}())
}

func program() string { return filepath.Join(scratch, "local") }

// patience is how long a change may take to be built and served before a test fails.
const patience = 3 * time.Minute

// command is this command as a process.
type command struct{ *running.Stack }

// launch starts the command and waits for nothing.
func launch(t *testing.T, root string, arguments ...string) command {
	t.Helper()
	running.Reads("..")
	s, err := running.Launch(program(), root, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.End(syscall.SIGTERM) }) // its error is of tests that ask for it
	return command{s}
}

// runStack starts the command and waits until it serves.
func runStack(t *testing.T, root string, arguments ...string) command {
	t.Helper()
	c := launch(t, root, arguments...)
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// says waits until the output has a text, count times in all.
func (c command) says(t *testing.T, text string, count int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Count(c.Output(), text) >= count {
			return
		}
		select {
		case <-c.Exited():
			t.Fatalf("expected the output to say %q, got the end of the command:\n%s", text, c.Output())
		default:
		}
	}
	t.Fatalf("expected the output to say %q %d times, got:\n%s", text, count, c.Output())
}

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
	root := filepath.Join(scratch, "cinema")
	if err := writeModule(root, "cinema"); err != nil {
		return "", err
	}
	return root, build.Packages(context.Background(),
		build.Options{Root: root, Out: filepath.Join(root, outDir), Progress: func(build.Progress) {}},
		build.Tools("./cmd/capture"), build.Functions("./cmd/door", "./cmd/seats"))
})

// writeModule copies programs of testdata into a module of their own.
func writeModule(root, name string) error {
	if err := os.CopyFS(root, os.DirFS(filepath.Join("testdata", name))); err != nil {
		return err
	}
	program := name
	project, err := filepath.Abs("..")
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

// copyProject copies the project's module, for a test to edit.
func copyProject(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	shared(t) // builds it
	if err := running.Copy("..", root); err != nil {
		t.Fatal(err)
	}
	return root
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, file, from, to string) {
	t.Helper()
	content := read(t, file)
	if !strings.Contains(content, from) {
		t.Fatalf("expected %q in %s", from, file)
	}
	write(t, file, strings.ReplaceAll(content, from, to))
}

type answer struct {
	status int
	header http.Header
	body   string
}

func request(t *testing.T, method, url string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// expect compares the status and the body of an answer.
func expect(t *testing.T, a answer, status int, body string) {
	t.Helper()
	if a.status != status || a.body != body {
		t.Errorf("expected %d %s, got %d %s", status, body, a.status, a.body)
	}
}

// eventually repeats a request until its answer has a status and a body.
func eventually(t *testing.T, c command, ask func() answer, status int, body string) {
	t.Helper()
	var a answer
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if a = ask(); a.status == status && a.body == body {
			return
		}
	}
	t.Fatalf("expected %d %s, got %d %s:\n%s", status, body, a.status, a.body, c.Output())
}

// call sends a request to the endpoint to try out, with a token unless it is "".
func (c command) call(t *testing.T, token string) answer {
	t.Helper()
	if token == "" {
		return request(t, c.Endpoint().Method, c.API)
	}
	return request(t, c.Endpoint().Method, c.API, "Authorization", "Bearer "+token)
}

// enter calls the second program's endpoint with a ticket.
func (c command) enter(t *testing.T, ticket string) answer {
	t.Helper()
	return request(t, http.MethodGet, c.API, "X-Ticket", ticket)
}

// token is a caller's token from the local issuer.
func (c command) token(t *testing.T, caller example.Caller) string {
	t.Helper()
	token, err := c.Token(t.Context(), caller)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// allowed is the token of a caller whom the policy allows.
func (c command) allowed(t *testing.T) string {
	t.Helper()
	token, err := c.Allowed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// denied is the token of a caller whom the policy denies.
func (c command) denied(t *testing.T) string {
	t.Helper()
	token, err := c.Denied(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
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
