// Package running starts the stack on this machine as make run does, for tests of
// what talks to it over HTTP: the same command, built and run as a process of its own
// on free ports. It is for tests only, and knows of the command no more than what it
// prints.
package running

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startTime is how long a start may take: a fresh machine compiles the Pulumi SDK.
	startTime = 15 * time.Minute
	// stopTime is how long a stop may take before the process is killed.
	stopTime = time.Minute
)

// Stack is a stack that runs.
type Stack struct {
	API     string // URL of GET /profile
	Issuer  string // URL of the local issuer, with its slash
	Console string // URL of the web console, with its slash

	cmd    *exec.Cmd
	dir    string // of the built command
	out    Transcript
	exited chan struct{}
	err    error // of the command, once exited is closed
}

// Start builds the command of the project at root, runs it on free ports with further
// arguments, and returns once it serves. The caller has to stop it.
func Start(ctx context.Context, root string, arguments ...string) (_ *Stack, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	s := &Stack{exited: make(chan struct{})}
	if s.dir, err = os.MkdirTemp("", "running-"); err != nil {
		return nil, err
	}
	program := filepath.Join(s.dir, "local")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./local")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build the local stack: %w\n%s", err, output), os.RemoveAll(s.dir))
	}
	s.cmd = exec.Command(program, append([]string{"-root", root, "-port", "0", "-issuer-port", "0", "-console-port", "0"}, arguments...)...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	if err := s.ready(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

var addresses = regexp.MustCompile(`(?m)^  API +(\S+)$(?s:.*?)^  issuer +(\S+)$(?s:.*?)^  console +(\S+)$`)

// ready waits for the line that names the addresses.
func (s *Stack) ready(ctx context.Context) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if found := addresses.FindStringSubmatch(s.Output()); found != nil {
			s.API, s.Issuer, s.Console = found[1], found[2], found[3]
			return nil
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

// Output is what the command has written so far.
func (s *Stack) Output() string { return s.out.String() }

// Stop ends the command and waits for it. Its error is the command's.
func (s *Stack) Stop() error {
	err := s.cmd.Process.Signal(syscall.SIGTERM)
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	select {
	case <-s.exited:
	case <-time.After(stopTime):
		err = errors.Join(err, fmt.Errorf("the local stack did not stop within %v", stopTime), s.cmd.Process.Kill())
		<-s.exited
	}
	return errors.Join(err, s.err, os.RemoveAll(s.dir))
}

// Token asks the local issuer for a token with a scope, as a client would.
func (s *Stack) Token(ctx context.Context, scope string) (string, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"local-client"}, "client_secret": {"local-secret"},
		"audience": {"https://api.example.com/account"}, "scope": {scope}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Issuer+"oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&granted); err != nil || granted.AccessToken == "" {
		return "", fmt.Errorf("expected a token for %q, got status %d (%v)", scope, response.StatusCode, err)
	}
	return granted.AccessToken, nil
}

// Transcript is what a command has written so far. A command writes it while a test reads.
type Transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (t *Transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

// String is everything so far.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}
