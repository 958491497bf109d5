package browser

import (
	"context"
	"testing"

	"account-api/local/running"
)

const root = ".." // of the project

// stack is the project's own API on this machine. Only this file knows which endpoint it
// has and what the policy requires.
type stack struct{ *running.Stack }

// url is an endpoint that requires a token.
func (s stack) url() string { return s.API }

// allowed returns a token that the endpoint's policy allows, as an Authorization header.
func (s stack) allowed(t *testing.T) string {
	t.Helper()
	return s.bearer(t, "") // every scope
}

// denied returns a token that the endpoint's policy denies.
func (s stack) denied(t *testing.T) string {
	t.Helper()
	return s.bearer(t, "update:profile")
}

func (s stack) bearer(t *testing.T, scope string) string {
	t.Helper()
	token, err := s.Token(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + token
}

// start starts a stack. The caller has to stop it.
func start(project string, arguments ...string) (stack, error) {
	s, err := running.Start(context.Background(), project, arguments...)
	return stack{s}, err
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
