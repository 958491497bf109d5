// Package decision compiles a handler's Rego policy once, and evaluates its entrypoint for
// every request. An evaluation that does not end in exactly one well-formed decision is an
// error, and an error allows nothing. The package is no OPA server: it loads no data and
// no bundle, and refuses built-in functions that reach beyond the input.
package decision

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

// Policy is a compiled entrypoint. It does not change, and is safe for concurrent use.
type Policy struct {
	entrypoint string
	ref        ast.Ref // of the entrypoint
	revision   string
	compiler   *ast.Compiler
	store      storage.Store // of the data documents
	query      ast.Body
}

// Prepare compiles every .rego file in files (Rego v1, strict mode) and returns the
// rule at entrypoint, a slash-separated path such as "orders/decision", ready to
// be asked. The root of files is the directory policies of the repository.
//
// A policy may use the built-in functions that [Capabilities] lists. A policy that reads
// the network, the environment, the clock or a random source does not compile.
//
// It is an error if files holds no policy, if any does not parse or compile, if a
// reference below data names no rule of these files, or if no rule defines the entrypoint.
// The message has a line for each fault, such as
//
//	policies/orders/orders.rego:41: rego_unsafe_var_error: var x is unsafe
func Prepare(ctx context.Context, files fs.FS, entrypoint string) (*Policy, error) {
	modules, revision, err := parse(files)
	if err != nil {
		return nil, err
	}
	compiler := ast.NewCompiler().
		SetErrorLimit(0). // 0 is none: name every fault
		WithCapabilities(Capabilities()).
		WithStrict(true).
		WithStageAfterID(ast.StageRewriteExprTerms, namedRules)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, faults(compiler.Errors)
	}

	ref, err := ast.PtrRef(ast.DefaultRootDocument, entrypoint)
	if err != nil || len(compiler.GetRulesExact(ref)) == 0 {
		return nil, fmt.Errorf("entrypoint: expected a rule at %q, got none in %s",
			entrypoint, strings.Join(slices.Sorted(maps.Keys(modules)), ", "))
	}
	return &Policy{
		entrypoint: entrypoint,
		ref:        ref,
		revision:   revision,
		compiler:   compiler,
		store:      inmem.NewFromObject(map[string]any{}),
		query:      ast.NewBody(ast.Equality.Expr(ast.NewTerm(ref), ast.NewTerm(answered))),
	}, nil
}

// Entrypoint is the path of the rule that [Policy.Decide] evaluates.
func (p *Policy) Entrypoint() string { return p.entrypoint }

// Revision identifies the policy's source in a decision log. It is the hexadecimal SHA-256
// of what sha256sum prints for its files in path order. To see whether a checkout has the
// policy of a log line, run:
//
//	cd policies && sha256sum orders/orders.rego | sha256sum
func (p *Policy) Revision() string { return p.revision }

// Rules are the compiled rules that a decision may evaluate, in the order of the source.
// They are for tools that read a policy; do not change them.
func (p *Policy) Rules() []*ast.Rule {
	seen := map[*ast.Rule]bool{}
	var rules []*ast.Rule
	next := p.compiler.GetRulesExact(p.ref)
	for len(next) > 0 {
		rule := next[0]
		next = next[1:]
		if seen[rule] {
			continue
		}
		seen[rule] = true
		rules = append(rules, rule)
		for used := range p.compiler.Graph.Dependencies(rule) {
			next = append(next, used.(*ast.Rule))
		}
		if rule.Else != nil {
			next = append(next, rule.Else)
		}
	}
	slices.SortFunc(rules, func(a, b *ast.Rule) int { return a.Location.Compare(b.Location) })
	return rules
}

// parse reads the modules of files and computes their revision. Its error has the faults
// of all files.
func parse(files fs.FS) (map[string]*ast.Module, string, error) {
	modules := map[string]*ast.Module{}
	revision := sha256.New()
	options := ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: Capabilities()}
	var found ast.Errors

	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) != ".rego" {
			return err
		}
		source, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(revision, "%x  %s\n", sha256.Sum256(source), name)
		place := path.Join("policies", name)
		module, err := ast.ParseModuleWithOpts(place, string(source), options)
		if errs, ok := errors.AsType[ast.Errors](err); ok {
			found = append(found, errs...)
			return nil
		}
		modules[place] = module
		return err
	})
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("read policy: %w", err)
	case len(found) > 0:
		return nil, "", faults(found)
	case len(modules) == 0:
		return nil, "", errors.New("read policy: expected at least one .rego file, got none")
	}
	return modules, hex.EncodeToString(revision.Sum(nil)), nil
}

// faults is an error with a line for each, as compilers write them.
func faults(errs ast.Errors) error {
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error() + hint(err)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// hint says what OPA's message does not: that a list of functions exists, and where.
func hint(err *ast.Error) string {
	name, found := strings.CutPrefix(err.Message, "undefined function ")
	if !found || strings.HasPrefix(name, "data.") {
		return ""
	}
	return ": a policy may use the built-in functions in internal/decision/capabilities.json"
}
