package browser

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"account-api/local/running"
)

const root = ".." // of the project

// stack is the project's own API on this machine.
type stack struct{ *running.Stack }

// url is an endpoint that requires a token.
func (s stack) url() string { return s.API }

// allowed returns a token that the endpoint's policy allows, as an Authorization header.
func (s stack) allowed(t *testing.T) string {
	t.Helper()
	return bearer(t, s.Allowed)
}

// denied returns a token that the endpoint's policy denies.
func (s stack) denied(t *testing.T) string {
	t.Helper()
	return bearer(t, s.Denied)
}

func bearer(t *testing.T, token func(context.Context) (string, error)) string {
	t.Helper()
	value, err := token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + value
}

// emptyServer is what the handlers reach in place of AWS.
var emptyServer = sync.OnceValue(func() string { return running.EmptyServer().URL })

// program is the command of the project, built once. It stays, so that the next run links it
// only if it has changed.
var program = sync.OnceValues(func() (string, error) {
	executable, err := filepath.Abs(filepath.Join(root, "dist", "browser"))
	if err != nil {
		return "", err
	}
	return executable, running.Build(context.Background(), root, executable)
})

// start starts a stack. The caller has to stop it.
func start(project string, arguments ...string) (stack, error) {
	executable, err := program()
	if err != nil {
		return stack{}, err
	}
	s, err := running.Launch(executable, project, append([]string{"-aws", emptyServer()}, arguments...)...)
	if err != nil {
		return stack{}, err
	}
	if err := s.Ready(context.Background()); err != nil {
		return stack{}, errors.Join(err, s.Stop())
	}
	return stack{s}, nil
}

// startStack starts a stack for one test.
func startStack(t *testing.T, project string, arguments ...string) stack {
	t.Helper()
	s, err := start(project, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}
