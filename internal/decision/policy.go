// Package decision compiles a handler's Rego policy once, and evaluates its entrypoint for
// every request. An evaluation that does not end in exactly one well-formed decision is an
// error, and an error allows nothing. The package is no OPA server: its data documents are
// files of the policy, and it refuses built-in functions that reach beyond the input.
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
	stack      Stack
	revision   string
	documents  map[string]any
	compiler   *ast.Compiler
	query      ast.Body // binds the entrypoint's value to answer
	store      storage.Store
}

// Prepare compiles every .rego file in files (Rego v1, strict mode), loads every data
// document (see [Documents]) and returns the rule at entrypoint, a slash-separated path such
// as "orders/decision", ready to be asked. The root of files is the directory policies of
// the repository.
//
// A policy may use the built-in functions that [Capabilities] lists. A policy that reads
// the network, the environment, the clock or a random source does not compile.
//
// It is an error if the entrypoint's directory has no .rego file, if any file does not parse
// or compile, if a file is of a package that its directory does not name, if a reference below
// data names neither a rule nor a key of a document, if a reference to the input names a field
// that it never has, or if the entrypoint has no rule, no default, or a constant value that is
// no decision.
// The message has a line for each fault, such as
//
//	policies/orders/orders.rego:41: rego_unsafe_var_error: var x is unsafe
func Prepare(ctx context.Context, files fs.FS, entrypoint string) (*Policy, error) {
	return PrepareFor(ctx, files, entrypoint, Stack{})
}

// Stack is what is known of the stack whose requests a policy decides.
type Stack struct {
	Name   string   // "" stands for all stacks of the project together
	Claims []string // the claims that its authorizer passes on; without a name, nil if they are not known
	Absent []Absent // the fields of the input that none of its requests has
}

// Absent is a field of the input that no request to a stack has.
type Absent struct{ Field, Why string }

// claims tells none from not known, as [Schema] does.
func (s Stack) claims() []string {
	if s.Name != "" && s.Claims == nil {
		return []string{}
	}
	return s.Claims
}

// PrepareFor is [Prepare] for a stack. A reference to a claim that the stack does not pass
// on is an error.
func PrepareFor(ctx context.Context, files fs.FS, entrypoint string, stack Stack) (*Policy, error) {
	source, err := parse(files)
	if err != nil {
		return nil, err
	}
	ref, err := ast.PtrRef(ast.DefaultRootDocument, entrypoint)
	if err != nil || len(ref) < 3 {
		return nil, fmt.Errorf("entrypoint: expected the path of a rule, such as orders/decision, got %q", entrypoint)
	}
	if own := string(ref[1].Value.(ast.String)); !source.directories[own] {
		source.others = append(source.others, fmt.Errorf("policies/%s: expected at least one .rego file, with a rule at %s, got none: add policies/%[1]s/%[1]s.rego", own, ref))
		source.unparsed = append(source.unparsed, place(own)) // the one fault says it all
	}
	store := inmem.NewFromObjectWithOpts(source.documents.data, inmem.OptReturnASTValuesOnRead(true))
	transaction, err := store.NewTransaction(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, transaction)

	schema := Schema(stack.claims())
	schemas := ast.NewSchemaSet()
	schemas.Put(ast.SchemaRootRef, schema)
	compile := func(modules map[string]*ast.Module) *ast.Compiler {
		compiler := ast.NewCompiler().
			SetErrorLimit(0). // 0 is none: name every fault
			WithCapabilities(Capabilities()).
			WithStrict(true).
			WithSchemas(schemas).
			WithPathConflictsCheck(storage.NonEmpty(ctx, store, transaction)).
			WithStageAfterID(ast.StageRewriteExprTerms, checkNames(source, ref, schema))
		compiler.Compile(modules)
		return compiler
	}
	compiler := compile(source.modules)
	if compiler.Failed() || source.broken() {
		return nil, stack.error(source, compiler.Errors, compile)
	}
	query, err := compiler.QueryCompiler().Compile(ast.NewBody(ast.Equality.Expr(ast.NewTerm(answer), ast.NewTerm(ref))))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", entrypoint, err)
	}
	return &Policy{entrypoint: entrypoint, ref: ref, stack: stack, revision: source.revision, documents: source.documents.data, compiler: compiler, query: query, store: store}, nil
}

// Absent are the names of the fields that no request to the policy's stack has.
func (p *Policy) Absent() (names []string) {
	for _, absent := range p.stack.Absent {
		names = append(names, absent.Field)
	}
	return names
}

// Notices say which fields the policy reads by name though no request to its stack has them.
// That is no error: another rule may do without, and another stack may have them.
func (p *Policy) Notices() (notices []string) {
	read, _ := p.reads()
	for _, absent := range p.stack.Absent {
		if slices.Contains(read, absent.Field) {
			directory, _, _ := strings.Cut(p.entrypoint, "/")
			notices = append(notices, fmt.Sprintf("policies/%s reads input.%s, which no request to stack %s has: %s; a condition on it never holds, and one with not always does",
				directory, absent.Field, p.stack.Name, absent.Why))
		}
	}
	return notices
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

// Documents are the policy's data documents. They are for tools; do not change them.
func (p *Policy) Documents() map[string]any { return p.documents }

// source is what the files of a policy say.
type source struct {
	modules     map[string]*ast.Module // by path from the repository's root
	documents   documents
	directories map[string]bool // of policies that have a Rego file
	revision    string
	faults      ast.Errors // of files that do not parse
	others      []error    // of data documents
	unparsed    []ast.Ref  // packages with such a file, or without any
	unknown     []ast.Ref  // these, and the places of such documents
}

func (s *source) broken() bool { return len(s.faults)+len(s.others) > 0 }

// parse reads files and computes their revision.
func parse(files fs.FS) (*source, error) {
	s := &source{modules: map[string]*ast.Module{}, documents: newDocuments(), directories: map[string]bool{}}
	revision := sha256.New()
	options := ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: Capabilities()}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		isRule := path.Ext(name) == ".rego"
		if err == nil && entry.Type()&fs.ModeSymlink != 0 {
			s.others = append(s.others, fmt.Errorf("policies/%s: expected a file, got a symbolic link, which no handler can embed: copy the file", name))
			return nil
		}
		if err != nil || entry.IsDir() || !isRule && !isDocument(name) {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(revision, "%x  %s\n", sha256.Sum256(text), name)
		if !isRule {
			if err := s.documents.add(name, text); err != nil {
				s.others = append(s.others, err)
				s.unknown = append(s.unknown, place(path.Dir(name)))
			}
			return nil
		}
		if directory, _, below := strings.Cut(name, "/"); below {
			s.directories[directory] = true
		}
		place := path.Join("policies", name)
		module, err := ast.ParseModuleWithOpts(place, string(text), options)
		if errs, ok := errors.AsType[ast.Errors](err); ok {
			s.faults = append(s.faults, errs...)
			s.unparsed = append(s.unparsed, packageOf(string(text)))
			return nil
		}
		if err == nil {
			s.modules[place] = module
			if fault := misplaced(name, module); fault != nil {
				s.faults = append(s.faults, fault)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	s.revision = hex.EncodeToString(revision.Sum(nil))
	// What the other files of a package lack may be in its file that does not parse.
	maps.DeleteFunc(s.modules, func(_ string, module *ast.Module) bool {
		return slices.ContainsFunc(s.unparsed, module.Package.Path.HasPrefix)
	})
	s.unknown = append(s.unknown, s.unparsed...)
	return s, nil
}

// misplaced wants a file below policies/orders to be of package orders or of one below it. A
// rule of another package would change what that package decides, for some handlers only.
func misplaced(name string, module *ast.Module) *ast.Error {
	directory, _, below := strings.Cut(name, "/")
	if !below || module.Package.Path.HasPrefix(place(directory)) {
		return nil
	}
	return ast.NewError(ast.CompileErr, module.Package.Location, "expected package %s or one below it, as the directory is named, got %s", directory, module.Package)
}
