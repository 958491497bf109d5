package main

import (
	"testing"

	"account-api/local/example"
	"account-api/local/running"
)

// Tests that talk to this command run it as a process on the project itself. Those that
// run it on other programs are in local/programs.

var built = running.NewCommand("..")

func TestMain(m *testing.M) { built.Test(m) }

// command is this command as a process, on the project.
type command struct{ *running.Stack }

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

// call sends a request to the endpoint to try out, with a token unless it is "".
func (c command) call(t *testing.T, token string) running.Answer {
	t.Helper()
	if token == "" {
		return running.Request(t, c.Endpoint().Method, c.API)
	}
	return running.Request(t, c.Endpoint().Method, c.API, "Authorization", "Bearer "+token)
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
