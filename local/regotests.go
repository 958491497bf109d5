package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"account-api/local/reload"
)

// suite is what the project's policy program says about the Rego tests of a policy.
type suite struct {
	Handler string   `json:"handler"` // last name of the handler's directory
	Error   string   `json:"error"`   // why a build would refuse the policy, or ""
	Tests   int      `json:"tests"`
	Failed  []string `json:"failed"` // a text for each test that fails; the first line names it

	// Uncovered are the lines that no test evaluates, as "policies/orders/orders.rego:7-9".
	Uncovered []string `json:"uncovered"`
}

func (s suite) String() string {
	text := path.Join(policiesDir, s.Handler) + ": "
	var names []string
	for _, failed := range s.Failed {
		name, _, _ := strings.Cut(failed, "\n")
		names = append(names, name)
	}
	switch {
	case len(names) > 0 && s.Tests == 0:
		text += "the tests do not compile: "
	case len(names) == 1:
		text += fmt.Sprintf("1 of %d tests fails: ", s.Tests)
	case len(names) > 1:
		text += fmt.Sprintf("%d of %d tests fail: ", len(names), s.Tests)
	case s.Tests == 0:
		text += "no tests"
	case s.Tests == 1:
		text += "1 test passes"
	default:
		text += fmt.Sprintf("%d tests pass", s.Tests)
	}
	text += strings.Join(names, "; ")
	switch {
	case s.Tests == 0 || len(names) > 0:
	case len(s.Uncovered) == 0:
		text += ", 100 % covered"
	default:
		text += ", not covered: " + strings.Join(s.Uncovered, ", ")
	}
	return text
}

// concerns reports whether one of the files may change what the tests find.
func (s suite) concerns(files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		return strings.HasPrefix(file, path.Join(policiesDir, s.Handler)+"/") || strings.HasPrefix(file, path.Join(policiesDir, "shared")+"/")
	})
}

// testPolicies runs the Rego tests of every policy. There are none without the policy program.
func (l *localStack) testPolicies(ctx context.Context, built reload.Release) ([]suite, error) {
	executable := built[l.settings.policy]
	if executable == "" {
		return nil, nil
	}
	output, err := output(ctx, executable, "-root", l.settings.root, "-test")
	if err != nil {
		return nil, err
	}
	var suites []suite
	if err := json.Unmarshal(output.Bytes(), &suites); err != nil {
		return nil, fmt.Errorf("read the policies' tests: %w", err)
	}
	return suites, nil
}

// checkPolicies runs the Rego tests when a policy was saved, before it is built. It is an
// error if a handler would refuse its policy. A policy whose tests fail will serve, and each
// of its answers shows the failure.
func (l *localStack) checkPolicies(ctx context.Context, built reload.Release, files []string) error {
	if !slices.ContainsFunc(files, ofPolicies) {
		return nil
	}
	suites, err := l.testPolicies(ctx, built)
	if err != nil {
		return err
	}
	served := handlers(l.stack.now().graph)
	var refused []error
	for _, s := range suites {
		isServed := slices.ContainsFunc(served, func(handler string) bool { return path.Base(handler) == s.Handler })
		switch {
		case s.Error != "" && isServed:
			refused = append(refused, errors.New(s.Error))
		case s.Error == "" && s.concerns(files):
			l.out.reloaded(s.String())
		}
	}
	if len(refused) == 0 {
		l.suites.Store(&suites)
	}
	return errors.Join(refused...)
}

// failing says which tests of a handler's policy fail, "" for none.
func (l *localStack) failing(handler string) string {
	if suites := l.suites.Load(); suites != nil {
		for _, s := range *suites {
			if s.Handler == handler && len(s.Failed) > 0 {
				return s.String()
			}
		}
	}
	return ""
}
