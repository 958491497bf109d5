// Command policy says about every policy what the local run needs to know:
//
//	policy -root . [-endpoint 'orders GET /orders/{order}' …] [-absent permissions …]
//	policy -root . -test
//
// It reads the policies from disk, so a saved rule needs no other build. It prints a JSON
// array with one object for each directory of policies/ that has a rule named decision, or a
// handler of its name:
//
//	{"handler":"orders","entrypoint":"orders/decision","allowed":{"scope":"read:orders"},"denied":{},"scopes":["read:orders"]}
//
// Allowed and denied are example callers. They have the members of a policy's input, and are
// null if none was found. A handler of several endpoints has an object for each of those that
// are given, with method and resource.
//
// With -test it looks for no callers, and runs the Rego tests:
//
//	{"handler":"orders","entrypoint":"orders/decision","tests":9,"failed":["data.orders_test.test_allow: FAIL"],"uncovered":["policies/orders/orders.rego:7-9"]}
//
// A policy that a build would refuse has the member error instead; the others still come.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"account-api/internal/caller"
	"account-api/internal/decision"
	"account-api/internal/regotest"
	"account-api/internal/ruleset"
)

// question is what the command line asks.
type question struct {
	root      string
	test      bool
	endpoints map[string][]caller.Request // by handler
	absent    []decision.Absent
}

func main() {
	q := question{endpoints: map[string][]caller.Request{}}
	flag.StringVar(&q.root, "root", ".", "`directory` of the module")
	flag.BoolVar(&q.test, "test", false, "run the Rego tests")
	flag.Func("endpoint", "`handler, method and path` of an endpoint, as declared; may be repeated", func(text string) error {
		words := strings.Fields(text)
		if len(words) != 3 {
			return fmt.Errorf("expected a handler, a method and a path, got %q", text)
		}
		q.endpoints[words[0]] = append(q.endpoints[words[0]], caller.Request{Method: words[1], Resource: words[2]})
		return nil
	})
	flag.Func("absent", "`field` of the input that no example has; may be repeated", func(name string) error {
		q.absent = append(q.absent, decision.Absent{Field: name})
		return nil
	})
	flag.Parse()
	if err := run(context.Background(), os.Stdout, q); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// policy is what is printed about every one.
type policy struct {
	Handler    string `json:"handler"`
	Entrypoint string `json:"entrypoint"`
	Error      string `json:"error,omitempty"`
}

// examples are what is printed without -test.
type examples struct {
	policy
	Method   string          `json:"method,omitempty"`
	Resource string          `json:"resource,omitempty"`
	Allowed  *decision.Input `json:"allowed"`
	Denied   *decision.Input `json:"denied"`
	Scopes   []string        `json:"scopes"`
}

// tests are what is printed with -test.
type tests struct {
	policy
	Tests     int      `json:"tests"`
	Failed    []string `json:"failed"`
	Uncovered []string `json:"uncovered"`
}

func run(ctx context.Context, to io.Writer, q question) error {
	files := os.DirFS(filepath.Join(q.root, "policies"))
	directories, err := fs.ReadDir(files, ".")
	if err != nil {
		return fmt.Errorf("read policies: %w", err)
	}
	claims, err := ruleset.Claims(os.DirFS(q.root))
	if err != nil {
		return err
	}
	answers := []any{}
	for _, directory := range directories {
		if !directory.IsDir() {
			continue
		}
		decides, err := decides(files, directory.Name())
		if err != nil {
			return fmt.Errorf("read policies: %w", err)
		}
		if _, err := os.Stat(filepath.Join(q.root, "handlers", directory.Name())); err != nil && !decides {
			continue
		}
		p := policy{Handler: directory.Name(), Entrypoint: directory.Name() + "/decision"}
		stack := decision.Stack{Claims: claims, Absent: q.absent}
		if q.test {
			stack.Claims = nil // the capture beside this knows those of the stack that runs
			result, err := regotest.Check(ctx, files, p.Handler, stack)
			if err != nil {
				p.Error = err.Error()
			}
			answers = append(answers, tests{p, result.Tests, append([]string{}, result.Failed...), append([]string{}, result.Uncovered...)})
			continue
		}
		prepared, err := decision.PrepareFor(ctx, ruleset.Of(files, p.Handler), p.Entrypoint, stack)
		if err != nil {
			p.Error = err.Error()
		}
		switch requests := q.endpoints[p.Handler]; {
		case len(requests) == 0:
			answers = append(answers, find(ctx, prepared, p))
		default:
			for _, request := range requests {
				found := find(ctx, prepared, p, request)
				found.Method, found.Resource = request.Method, request.Resource
				answers = append(answers, found)
			}
		}
	}
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(answers)
}

// find looks for example callers of a policy that compiles.
func find(ctx context.Context, prepared *decision.Policy, p policy, requests ...caller.Request) examples {
	answer := examples{policy: p, Scopes: []string{}}
	if prepared == nil {
		return answer
	}
	found, err := caller.Find(ctx, prepared, requests...)
	if err != nil {
		answer.Error = err.Error()
		return answer
	}
	answer.Allowed, answer.Denied, answer.Scopes = found.Allowed, found.Denied, found.Scopes
	return answer
}

// decisionRule finds a rule named decision in a file that may not parse.
var decisionRule = regexp.MustCompile(`(?m)^(default\s+)?decision\b`)

// decides reports whether a directory has a policy with an entrypoint. That of guard rails
// and that of shared helpers have none.
func decides(files fs.FS, directory string) (bool, error) {
	found := false
	own := ruleset.Of(files, directory)
	err := fs.WalkDir(own, directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		source, err := fs.ReadFile(own, name)
		found = found || decisionRule.Match(source)
		return err
	})
	return found, err
}
