package bundle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

// policies is the directory of the policies that handlers embed.
const policies = "policies"

// policyError is why a handler would refuse its policy: a line for each fault.
type policyError struct{ error }

// checkPolicy compiles the policy of the handler as the handler will when it starts. A
// deployed handler with a policy that it refuses answers 500 to everybody. Unlike the
// handler it knows which claims a stack passes on. A handler without a policy directory has
// none to check.
func (o Options) checkPolicy(ctx context.Context) error {
	handler := path.Base(o.Package)
	directory := os.DirFS(filepath.Join(o.Root, policies))
	if _, err := fs.Stat(directory, handler); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	stack := o.Stack
	if stack.Name == "" {
		var err error
		if stack.Claims, err = ruleset.Claims(os.DirFS(o.Root)); err != nil {
			return err
		}
		if len(stack.Claims) > 0 {
			o.progress("checking policies/%s with the claims of all stacks together: pulumi preview checks it with those of its stack", handler)
		}
	}
	if _, err := decision.PrepareFor(ctx, ruleset.Of(directory, handler), handler+"/decision", stack); err != nil {
		return policyError{err}
	}
	return nil
}

// CheckClaims is an error if the policy of a handler reads a claim that the stack does not
// pass on. It finds nothing else: a handler with another fault says so when it starts.
func CheckClaims(ctx context.Context, root, handler string, stack decision.Stack) error {
	files := ruleset.Of(os.DirFS(filepath.Join(root, policies)), path.Base(handler))
	entrypoint := path.Base(handler) + "/decision"
	if _, err := decision.Prepare(ctx, files, entrypoint); err != nil {
		return nil
	}
	_, err := decision.PrepareFor(ctx, files, entrypoint, stack)
	return err
}
