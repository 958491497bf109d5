// Package running starts a stack on this machine as make run does, for tests that talk
// to it over HTTP. It builds the same command and runs it as a process on free ports. The tests
// of one package share a [Command].
//
// It knows nothing of the project. It learns the addresses from what the command prints,
// and the rest from the command's console.
package running

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"account-api/local/description"
	"account-api/local/example"
	"account-api/local/issuer"
	"account-api/local/notice"
)

const (
	// startTime is how long a start may take: a new machine compiles the Pulumi SDK.
	startTime = 15 * time.Minute
	// stopTime is how long a stop may take before the process is killed.
	stopTime = time.Minute
)

// Stack is a stack that runs.
type Stack struct {
	description.Stack // as it was at the start

	API     string // URL of the endpoint to try out, the first one
	Issuer  string // URL of the issuer, with its slash; "" if the stack names none
	Console string // URL of the web console, with its slash

	cmd    *exec.Cmd
	out    *os.File // what the command writes; has no name
	exited chan struct{}
	err    error  // of the command, once exited is closed
	dir    string // to remove in the end, or ""
}

// Build builds the command of the project at root as the executable program.
func Build(ctx context.Context, root, program string) error {
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s", "-o", program, "./local")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the local stack: %w\n%s", err, output)
	}
	return nil
}

// Reads tells the test cache of Go that a test reads every file of the project, through
// programs that it starts. The cache notes which variables a test reads and which directories it
// opens, and runs the test again if one has changed. FILES is the hash that make test sets.
func Reads(root string) {
	if os.Getenv("FILES") != "" {
		return
	}
	// What cannot be read is for the test to find.
	_ = filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "dist") {
			return fs.SkipDir
		}
		return nil
	})
}

// copyModule does not copy the modules of their own inside a module.
const copyModule = `for entry in *; do test "$entry" = dist || test -e "$entry/go.mod" || cp -R "$entry" "$0/"; done
	mkdir -p "$0/dist/local" dist/local && find dist/local -maxdepth 1 -type f -exec cp {} "$0/dist/local" ";"`

// Copy copies the module of the project at root, for a test to edit. It copies what a run
// has built, too: with -trimpath, as in make test, only what the test edits is linked again.
// The test cache does not note what a child process opens.
func Copy(root, to string) error {
	shell := exec.Command("sh", "-c", copyModule, to)
	shell.Dir = root
	if output, err := shell.CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w\n%s", root, err, output)
	}
	return nil
}

// Launch runs a built command on free ports, for the project at root and with further
// arguments. It waits for nothing. The caller has to stop it.
func Launch(program, root string, arguments ...string) (*Stack, error) {
	out, err := os.CreateTemp("", "running-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(out.Name()); err != nil {
		return nil, err
	}
	s := &Stack{exited: make(chan struct{}), out: out}
	s.cmd = exec.Command(program, append([]string{"-root", root, "-port", "0", "-issuer-port", "0", "-console-port", "0"}, arguments...)...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	return s, nil
}

// Start builds the command of the project at root and launches it. It returns once the
// stack serves. The caller has to stop it.
func Start(ctx context.Context, root string, arguments ...string) (*Stack, error) {
	Reads(root)
	dir, err := os.MkdirTemp("", "running-")
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(filepath.Join(dir, "local"))
	if err == nil {
		err = Build(ctx, root, program)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s, err := Launch(program, root, arguments...)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.dir = dir
	if err := s.Ready(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

var address = regexp.MustCompile(`(?m)^  console +(\S+)\n`)

// Ready waits until the stack serves.
func (s *Stack) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if found := address.FindStringSubmatch(s.Output()); found != nil {
			s.Console = found[1]
			return s.describe(ctx)
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the local stack ended (%v) instead of serving:\n%s", s.err, s.Output())
		case <-ctx.Done():
			return fmt.Errorf("the local stack does not serve: %w\n%s", ctx.Err(), s.Output())
		case <-look.C:
		}
	}
}

// describe asks the console for the description of the stack.
func (s *Stack) describe(ctx context.Context) error {
	err := fetch(ctx, http.MethodGet, s.Console+"stack", nil, &s.Stack)
	s.API, s.Issuer = s.Endpoint().URL, s.IssuerURL
	return err
}

// fetch sends a request, with a form if there is one, and reads the JSON of the answer.
func fetch(ctx context.Context, method, address string, form url.Values, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("expected JSON of %s, got status %d (%v)", address, response.StatusCode, err)
	}
	return nil
}

// Output is what the command has written so far.
func (s *Stack) Output() string {
	text, _ := io.ReadAll(io.NewSectionReader(s.out, 0, math.MaxInt64))
	return string(text)
}

// PID is the command's process ID.
func (s *Stack) PID() int { return s.cmd.Process.Pid }

// Exited is closed when the command has ended.
func (s *Stack) Exited() <-chan struct{} { return s.exited }

// Err is the error of the command that has ended.
func (s *Stack) Err() error {
	<-s.exited
	return s.err
}

// Stop ends the command and waits for it. Its error is the command's.
func (s *Stack) Stop() error { return s.End(syscall.SIGTERM) }

// End sends a signal to the command and waits for its end. It kills a command that does
// not end in time.
func (s *Stack) End(signal os.Signal) error {
	err := s.cmd.Process.Signal(signal)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-s.exited:
	case <-time.After(stopTime):
		err = errors.Join(err, fmt.Errorf("the local stack did not stop within %v", stopTime), s.cmd.Process.Kill())
		<-s.exited
	}
	if s.dir != "" {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return errors.Join(err, s.err)
}

// Granted reports whether a status is that of an answer to a caller whom the policy allows.
// It is 200, unless something is not run here that a function may need, such as a table. Then
// a function may fail after its policy has allowed the caller.
func (s *Stack) Granted(status int) bool {
	lacks := slices.ContainsFunc(s.Notices, func(line string) bool {
		return strings.HasSuffix(strings.TrimSuffix(line, "; "+notice.Reach), ": not run here") || strings.Contains(line, " in the environment of ")
	})
	return status == http.StatusOK || lacks && status != http.StatusUnauthorized && status != http.StatusForbidden
}

// EmptyServer is a server on this machine that has none of what a handler may ask AWS for.
// Without one, the handlers of a test would ask AWS.
func EmptyServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"__type":"ResourceNotFoundException"}`, http.StatusBadRequest)
	}))
}

// Token asks the local issuer for a caller's token, as a client would.
func (s *Stack) Token(ctx context.Context, caller example.Caller) (string, error) {
	form := caller.Form()
	for name, value := range map[string]string{
		"grant_type": "client_credentials", "audience": s.Audience,
		"client_id": issuer.ClientID, "client_secret": issuer.ClientSecret,
	} {
		form.Set(name, value)
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := fetch(ctx, http.MethodPost, s.Issuer+"oauth/token", form, &granted); err != nil {
		return "", fmt.Errorf("expected %s: %w", caller, err)
	}
	return granted.AccessToken, nil
}

// Allowed is the token of a caller whom the policy of the first endpoint allows.
func (s *Stack) Allowed(ctx context.Context) (string, error) {
	return s.example(ctx, s.Endpoint().Allowed, "allows")
}

// Denied is the token of a caller whom the policy of the first endpoint denies.
func (s *Stack) Denied(ctx context.Context) (string, error) {
	return s.example(ctx, s.Endpoint().Denied, "denies")
}

func (s *Stack) example(ctx context.Context, caller *example.Caller, verdict string) (string, error) {
	if caller == nil {
		return "", fmt.Errorf("no caller is known that %s %s", cmp.Or(s.Endpoint().Policy, "a policy"), verdict)
	}
	return s.Token(ctx, *caller)
}
