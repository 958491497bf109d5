package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

// policies is the directory of the policies that handlers embed.
const policies = "policies"

// policyError is why a handler would refuse its policy: a line for each fault.
type policyError struct{ error }

// CheckPolicy compiles the policy of the handler as the handler will when it starts, as
// [Build] does first of all. A deployed handler with a policy that it refuses answers 500 to
// everybody. Unlike the handler it knows which claims a stack passes on. A handler without a
// policy directory has none to check.
func (o Options) CheckPolicy(ctx context.Context) error {
	handler := path.Base(o.Package)
	asked, err := o.checkName()
	if err != nil {
		return err
	}
	directory := os.DirFS(filepath.Join(o.Root, policies))
	if _, err := fs.Stat(directory, handler); errors.Is(err, fs.ErrNotExist) {
		if asked {
			return policyError{fmt.Errorf("%s/%s: expected the policy of %s, got no such directory: add %[1]s/%[2]s/%[2]s.rego", policies, handler, o.Package)}
		}
		return nil
	}
	stack := o.Stack
	if stack.Name == "" {
		if stack.Claims, err = ruleset.Claims(os.DirFS(cmp.Or(o.Root, "."))); err != nil {
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

// asks finds where a handler asks for a policy.
var asks = regexp.MustCompile(`policies\.For\((.*?)\)`)

// checkName is an error if the handler asks for a policy of another name, which its package
// does not have.
func (o Options) checkName() (asked bool, err error) {
	sources, err := filepath.Glob(filepath.Join(o.Root, filepath.FromSlash(o.Package), "*.go"))
	if err != nil {
		return false, err
	}
	want := strconv.Quote(path.Base(o.Package))
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			return false, err
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, call := range asks.FindAllSubmatch(source, -1) {
			asked = true
			if got := string(call[1]); got != want {
				return true, policyError{fmt.Errorf("%s/%s: expected policies.For(%s), as the directory is named, got policies.For(%s)", o.Package, filepath.Base(name), want, got)}
			}
		}
	}
	return asked, nil
}

// CheckStack is an error if the policy of a handler reads a claim that the stack does not pass
// on. It finds no other fault: a handler with one says so when it starts. Notices say which
// fields the policy reads though no request to the stack has them.
func CheckStack(ctx context.Context, root, handler string, stack decision.Stack) (notices []string, err error) {
	files := ruleset.Of(os.DirFS(filepath.Join(root, policies)), path.Base(handler))
	entrypoint := path.Base(handler) + "/decision"
	if _, err := decision.Prepare(ctx, files, entrypoint); err != nil {
		return nil, nil
	}
	prepared, err := decision.PrepareFor(ctx, files, entrypoint, stack)
	if err != nil {
		return nil, err
	}
	return prepared.Notices(), nil
}
