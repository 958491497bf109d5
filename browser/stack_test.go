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

// allowed returns an Authorization header with a token that the endpoint's policy allows.
func (s stack) allowed(t *testing.T) string {
	t.Helper()
	return bearer(t, func(ctx context.Context) (string, error) { return s.Token(ctx, "") }) // every scope
}

// denied returns one with a token that the policy denies.
func (s stack) denied(t *testing.T) string {
	t.Helper()
	return bearer(t, func(ctx context.Context) (string, error) { return s.Token(ctx, "update:profile") })
}

func bearer(t *testing.T, token func(context.Context) (string, error)) string {
	t.Helper()
	got, err := token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + got
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
