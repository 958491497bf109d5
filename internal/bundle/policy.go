package bundle

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

// policies is the directory of the policies that handlers embed.
const policies = "policies"

// policyError is why a handler would refuse its policy: a line for each fault.
type policyError struct{ error }

// checkPolicy compiles the policy of a handler as the handler will when it starts. A
// deployed handler with a policy that it refuses answers 500 to everybody. Unlike the
// handler it knows which claims the stacks pass on. A handler without a policy directory has
// none to check.
func checkPolicy(ctx context.Context, root, handler string) error {
	directory := os.DirFS(filepath.Join(root, policies))
	if _, err := fs.Stat(directory, handler); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	claims, err := ruleset.Claims(os.DirFS(root))
	if err != nil {
		return err
	}
	if _, err := decision.PrepareFor(ctx, ruleset.Of(directory, handler), handler+"/decision", claims); err != nil {
		return policyError{err}
	}
	return nil
}
