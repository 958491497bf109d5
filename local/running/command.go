package running

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Patience is how long a change may take to be built and served before a test fails.
const Patience = 3 * time.Minute

// Command is the built command, for the tests of one package.
type Command struct {
	Dir string // a directory for as long as the tests run, with the executable in it

	root string
	kept []*Stack
}

// NewCommand returns the command of the project at root.
func NewCommand(root string) *Command { return &Command{root: root} }

// Test builds the command, runs the tests, and removes what is left. It is for TestMain.
func (c *Command) Test(m *testing.M) {
	code, err := c.test(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func (c *Command) test(m *testing.M) (code int, err error) {
	if c.Dir, err = os.MkdirTemp("", "local-test-"); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
	if err := Build(context.Background(), c.root, c.executable()); err != nil {
		return 0, err
	}
	code = m.Run()
	for _, s := range c.kept {
		err = errors.Join(err, s.Stop())
	}
	return code, err
}

func (c *Command) executable() string { return filepath.Join(c.Dir, "local") }

func (c *Command) launch(t *testing.T, root string, arguments []string) *Stack {
	t.Helper()
	Reads(c.root)
	s, err := Launch(c.executable(), root, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Launch starts the command for the program at root, until the test ends. It waits for nothing.
func (c *Command) Launch(t *testing.T, root string, arguments ...string) *Stack {
	t.Helper()
	s := c.launch(t, root, arguments)
	t.Cleanup(func() { s.End(syscall.SIGTERM) }) // its error is of tests that ask for it
	return s
}

// Start launches the command, and waits until it serves.
func (c *Command) Start(t *testing.T, root string, arguments ...string) *Stack {
	t.Helper()
	return c.Launch(t, root, arguments...).ready(t)
}

// Keep starts the command for all tests that follow.
func (c *Command) Keep(t *testing.T, root string, arguments ...string) *Stack {
	t.Helper()
	s := c.launch(t, root, arguments)
	c.kept = append(c.kept, s)
	return s.ready(t)
}

func (s *Stack) ready(t *testing.T) *Stack {
	t.Helper()
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Says waits until the output has a text, count times in all.
func (s *Stack) Says(t *testing.T, text string, count int) {
	t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Count(s.Output(), text) >= count {
			return
		}
		select {
		case <-s.Exited():
			t.Fatalf("expected the output to say %q, got the end of the command:\n%s", text, s.Output())
		default:
		}
	}
	t.Fatalf("expected the output to say %q %d times, got:\n%s", text, count, s.Output())
}

// Eventually repeats a request until its answer has a status and a body.
func (s *Stack) Eventually(t *testing.T, ask func() Answer, status int, body string) {
	t.Helper()
	var a Answer
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if a = ask(); a.Status == status && a.Body == body {
			return
		}
	}
	t.Fatalf("expected %d %s, got %d %s:\n%s", status, body, a.Status, a.Body, s.Output())
}

// Traffic is sent by several clients until it is stopped. It keeps the answers that are not
// among those expected.
type Traffic struct {
	stop     chan struct{}
	clients  sync.WaitGroup
	requests atomic.Int64
	mu       sync.Mutex
	failures []string
}

// Each client pauses after an answer, so that the compiler can run.
const (
	clients = 4
	pause   = 10 * time.Millisecond
)

// StartTraffic sends one request again and again. An answer is expected as its status and [Send]'s body.
func StartTraffic(t *testing.T, url, header, value string, expected ...string) *Traffic {
	f := &Traffic{stop: make(chan struct{})}
	for range clients {
		f.clients.Go(func() {
			for {
				select {
				case <-f.stop:
					return
				case <-time.After(pause):
				}
				status, body, err := Send(t.Context(), http.DefaultClient, url, header, value)
				f.requests.Add(1)
				f.compare(fmt.Sprint(status, " ", body), err, expected)
			}
		})
	}
	return f
}

func (f *Traffic) compare(got string, err error, expected []string) {
	for _, want := range expected {
		if err == nil && got == want {
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf("%s, %v", got, err))
}

// End stops the clients, after a number of requests at least.
func (f *Traffic) End(t *testing.T, atLeast int64) {
	t.Helper()
	for deadline := time.Now().Add(Patience); f.requests.Load() < atLeast && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	close(f.stop)
	f.clients.Wait()
	if n := f.requests.Load(); n < atLeast {
		t.Errorf("expected at least %d requests, got %d", atLeast, n)
	}
	if len(f.failures) > 0 {
		t.Errorf("expected no request to fail, %d of %d did, the first one: %s", len(f.failures), f.requests.Load(), f.failures[0])
	}
}
