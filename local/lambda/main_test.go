//go:build unix

package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The executables under test, by name, in a directory of their own.
const (
	function = "function" // testdata/function
	updated  = "updated"  // the same under another name, which it answers as its version
	manual   = "runtime"  // testdata/runtime
)

// built is where TestMain puts them; nothing writes it afterwards.
var built string

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		beParent() // does not return
	}
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lambda-test-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built = filepath.Join(dir, "bin")
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("TMPDIR", filepath.Join(dir, "tmp")) // to see what is left behind
	for _, build := range [][]string{
		{"-o", filepath.Join(built, function), "./testdata/function"},
		{"-o", filepath.Join(built, manual), "./testdata/runtime"},
	} {
		out, err := exec.Command("go", append([]string{"build", "-ldflags=-s -w"}, build...)...).CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "go build %s: %v\n%s", strings.Join(build, " "), err, out)
			return 1
		}
	}
	if err := os.Link(filepath.Join(built, function), filepath.Join(built, updated)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if left := leftovers(filepath.Join(dir, "tmp")); left != "" && code == 0 {
		fmt.Fprintf(os.Stderr, "the tests leave behind:\n%s", left)
		code = 1
	}
	return code
}

// leftovers describes what outlives the tests, or is "".
func leftovers(tmp string) string {
	var left string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		left = ""
		if dirs, _ := filepath.Glob(filepath.Join(tmp, "lambda-*")); len(dirs) > 0 {
			left += strings.Join(dirs, "\n") + "\n"
		}
		left += processesOf(built)
		stacks := make([]byte, 1<<20)
		for _, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "lambda.(*") || strings.Contains(stack, "net/http.") {
				left += stack + "\n"
			}
		}
		if left == "" {
			return ""
		}
	}
	return left
}

// processesOf lists the processes whose executable is in dir, where the system
// can tell.
func processesOf(dir string) string {
	var found string
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir) {
			found += link + " -> " + target + "\n"
		}
	}
	return found
}

// notebook keeps a pool's log, and lets a test wait for a line.
type notebook struct {
	mu      sync.Mutex
	lines   []Line
	changed chan struct{} // closed and replaced at each line
}

func newNotebook() *notebook { return &notebook{changed: make(chan struct{})} }

func (n *notebook) note(l Line) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, l)
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *notebook) all() []Line {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Line(nil), n.lines...)
}

// await returns when count lines hold the text.
func (n *notebook) await(t *testing.T, text string, count int) []Line {
	t.Helper()
	limit := time.After(time.Minute)
	for {
		n.mu.Lock()
		changed := n.changed
		var found []Line
		for _, l := range n.lines {
			if strings.Contains(l.Text, text) {
				found = append(found, l)
			}
		}
		n.mu.Unlock()
		if len(found) >= count {
			return found
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("%d lines with %q in a minute, expected %d", len(found), text, count)
		}
	}
}

// declared is a function that a stack could declare.
func declared(executable string, change func(*Function)) Function {
	fn := Function{
		Name:       "cinema-seats",
		ARN:        "arn:aws:lambda:eu-central-1:123456789012:function:cinema-seats",
		Executable: filepath.Join(built, executable),
		Region:     "eu-central-1",
		Timeout:    time.Minute,
	}
	if change != nil {
		change(&fn)
	}
	return fn
}

// newPool returns a pool that is closed at the end of the test.
func newPool(t testing.TB, fn Function, o Options) *Pool {
	t.Helper()
	p, err := NewPool(fn, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if alive := p.Stats().Alive; alive != 0 {
			t.Errorf("%d processes alive after close", alive)
		}
	})
	return p
}

// invoke expects an answer, of whatever kind.
func invoke(t testing.TB, p *Pool, event string) Result {
	t.Helper()
	r, err := p.Invoke(context.Background(), []byte(event))
	if err != nil {
		t.Fatalf("invoke %s: %v", event, err)
	}
	return r
}

// identity is what the function says about its process.
type identity struct {
	PID        int    `json:"pid"`
	Invocation int    `json:"invocation"`
	Version    string `json:"version"`
}

// who expects the function to say it.
func who(t testing.TB, r Result) identity {
	t.Helper()
	var id identity
	if r.FunctionError != "" {
		t.Fatalf("the function failed: %s", r.Payload)
	}
	if err := json.Unmarshal(r.Payload, &id); err != nil {
		t.Fatalf("%v in %s", err, r.Payload)
	}
	return id
}

// document expects a failure, and returns its type and message.
func document(t testing.TB, r Result) (kind, message string) {
	t.Helper()
	if r.FunctionError != "Unhandled" {
		t.Fatalf("function error is %q, expected Unhandled; payload %s", r.FunctionError, r.Payload)
	}
	var d struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(r.Payload, &d); err != nil {
		t.Fatalf("%v in %s", err, r.Payload)
	}
	return d.ErrorType, d.ErrorMessage
}

// eventually polls for what nothing announces: the kernel's view of a process.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
