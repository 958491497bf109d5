package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"account-api/internal/ruleset"
	"account-api/local/build"
	"account-api/local/example"
	"account-api/local/graph"
	"account-api/local/issuer"
	"account-api/local/reload"
)

// policiesDir holds the Rego of each handler, in a directory of the handler's name. A
// project without it has no policies.
const policiesDir = "policies"

// The settings that the local issuer replaces in the stack's configuration, and the
// variables of the function that verifies tokens. A program without them has no use for
// the local issuer.
const (
	issuerSetting      = "issuer"
	keySetSetting      = "jwksUri"
	issuerVariable     = "TOKEN_ISSUER"
	audienceVariable   = "AUDIENCE"
	providerVariable   = "PROVIDER"
	algorithmsVariable = "ALGORITHMS"
	othersVariable     = "OTHER_ISSUERS"
)

// build compiles the project's tools and the handlers, and captures what the Pulumi program
// declares now. Then it compiles handlers that are new in the declaration. Before is nil at the
// start. Later only what the saved files may have changed is compiled, and policies are checked
// too. A tool that stays as it is runs beside the compiler.
//
// Its error has all that is wrong with the policies, the Go code and the settings.
func (l *localStack) build(ctx context.Context, before *generation, saved []string) (*graph.Graph, reload.Release, error) {
	var declared *graph.Graph
	var wrongPolicies, wrongSettings error
	steps := map[string]func(reload.Release){
		l.settings.capture: func(built reload.Release) { declared, wrongSettings = l.captureStack(ctx, built) },
	}
	if l.hasPolicies() {
		steps[l.settings.policy] = func(built reload.Release) {
			if before != nil {
				wrongPolicies = l.checkPolicies(ctx, built, saved)
			}
		}
	}
	kept, changed := l.affected(before, append(slices.Sorted(maps.Keys(steps)), l.known(before)...), saved)
	var running sync.WaitGroup
	start := func(with reload.Release) {
		for tool, step := range steps {
			if with[tool] != "" {
				running.Go(func() { step(with) })
			}
		}
	}
	start(kept)
	built, wrongCode := l.compile(ctx, changed)
	start(built)
	running.Wait()
	if err := errors.Join(wrongPolicies, wrongCode, wrongSettings); err != nil {
		return nil, nil, err
	}
	if len(endpoints(declared)) == 0 {
		return nil, nil, errors.New("expected a REST API with a method besides OPTIONS, got none: declare an apigateway.Method")
	}
	maps.Copy(built, kept)
	var missing []string
	for _, handler := range handlers(declared) {
		if built["./"+handler] == "" {
			missing = append(missing, "./"+handler)
		}
	}
	added, err := l.compile(ctx, missing)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(built, added)
	return declared, built, nil
}

// known are the packages of the handlers that serve. One that is gone may be gone from the
// declaration, too.
func (l *localStack) known(before *generation) (packages []string) {
	if before == nil {
		return nil
	}
	for _, handler := range handlers(before.graph) {
		if l.exists(handler) {
			packages = append(packages, "./"+handler)
		}
	}
	return packages
}

// affected splits packages into those whose executables stay as they are, and those that the
// saved files may have changed.
func (l *localStack) affected(before *generation, packages, saved []string) (kept reload.Release, changed []string) {
	kept = reload.Release{}
	for _, p := range packages {
		files := saved
		if !l.isTool(p) {
			files = slices.DeleteFunc(slices.Clone(saved), func(file string) bool { return foreign(p, file) })
		}
		if before != nil && before.built[p] != "" && !build.Reads(l.settings.root, p, files) {
			kept[p] = before.built[p]
		} else {
			changed = append(changed, p)
		}
	}
	return kept, changed
}

// foreign reports whether a file is a policy that a handler does not carry: it carries that of its
// name and the shared one, without tests.
func foreign(handler, file string) bool {
	if !ofPolicies(file) || path.Ext(file) == ".go" {
		return false
	}
	directory, _, below := strings.Cut(strings.TrimPrefix(file, policiesDir+"/"), "/")
	return !ofWhatServes(file) || below && directory != path.Base(handler) && directory != ruleset.Shared
}

// isTool reports whether a package is a program for this machine.
func (l *localStack) isTool(pkg string) bool {
	return pkg == l.settings.capture || pkg == l.settings.policy
}

// compile builds packages, each group in its way.
func (l *localStack) compile(ctx context.Context, packages []string) (reload.Release, error) {
	var tools, functions []string
	for _, p := range packages {
		if l.isTool(p) {
			tools = append(tools, p)
		} else {
			functions = append(functions, p)
		}
	}
	return l.builds.Build(ctx, append(l.groups(functions), build.Tools(tools...))...)
}

// groups are the packages of functions by the way in which they are built.
func (l *localStack) groups(packages []string) []build.Group {
	var debugged, others []string
	for _, p := range packages {
		if l.debugs(p) {
			debugged = append(debugged, p)
		} else {
			others = append(others, p)
		}
	}
	return []build.Group{build.Functions(others...), build.Debugged(debugged...)}
}

// debugs reports whether a debugger is for the function of a package.
func (l *localStack) debugs(handler string) bool {
	return l.settings.debug != "" && path.Base(handler) == l.settings.debug
}

// handlers are the directories of the functions' main packages, in order.
func handlers(g *graph.Graph) []string {
	var all []string
	for _, f := range called(g) {
		if handler, known := g.Bundles[codePath(f)]; known {
			all = append(all, handler)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// authorizes reports whether an authorizer of the API calls a function.
func authorizes(g *graph.Graph, f graph.Resource) bool {
	return slices.ContainsFunc(g.OfType(authorizerType), func(a graph.Resource) bool {
		uri, _ := a.Inputs["authorizerUri"].(string)
		target, err := g.Target(uri)
		return err == nil && target.Function.URN == f.URN
	})
}

// called are the functions that the API calls. Others are not run.
func called(g *graph.Graph) []graph.Resource {
	targets := g.Targets()
	return slices.DeleteFunc(g.OfType(functionType), func(f graph.Resource) bool {
		return !slices.ContainsFunc(targets, func(t graph.Target) bool { return t.Function.URN == f.URN })
	})
}

func (l *localStack) exists(name string) bool {
	_, err := os.Stat(filepath.Join(l.settings.root, name))
	return err == nil
}

func (l *localStack) hasPolicies() bool { return l.exists(policiesDir) && l.exists(l.settings.policy) }

// captureStack runs the Pulumi program for the stack and returns what it declares.
func (l *localStack) captureStack(ctx context.Context, built reload.Release) (*graph.Graph, error) {
	arguments := []string{"-root", l.settings.root, "-stack", l.settings.stack}
	if l.keys != nil {
		arguments = append(arguments, "-config", issuerSetting+"="+l.issuerURL(), "-config", keySetSetting+"=")
	}
	for _, assignment := range l.settings.config {
		arguments = append(arguments, "-config", assignment)
	}
	if l.settings.outputs != "" {
		arguments = append(arguments, "-outputs", l.settings.outputs)
	}
	output, err := output(ctx, built[l.settings.capture], arguments...)
	if err != nil {
		return nil, l.placed(err)
	}
	declared, err := graph.Read(output)
	if err != nil {
		return nil, err
	}
	g, err := declared.Select(l.settings.api)
	if err == nil && l.settings.issuer == "stack" {
		l.lent = lendNetwork(g, os.Getenv)
	}
	return g, err
}

// findExamples asks the project's policy program for example callers.
func (l *localStack) findExamples(ctx context.Context, built reload.Release) error {
	executable := built[l.settings.policy]
	if executable == "" {
		return nil
	}
	arguments := []string{"-root", l.settings.root}
	if now := l.stack.now(); now != nil {
		for _, e := range endpoints(now.graph) {
			if e.handler != "" {
				arguments = append(arguments, "-endpoint", path.Base(e.handler)+" "+e.verb()+" "+e.path)
			}
		}
		for _, field := range absent(now.graph, l.keys != nil) {
			arguments = append(arguments, "-absent", field)
		}
	}
	output, err := output(ctx, executable, arguments...)
	if err != nil {
		return err
	}
	policies, err := example.Read(output)
	if err != nil {
		return err
	}
	l.policies.Store(&policies)
	return nil
}

// absent are the fields of a policy's input that no token has which the run accepts. The local
// issuer is one issuer, whose name no rule has.
func absent(g *graph.Graph, local bool) (fields []string) {
	several := configured(g, othersVariable) != "" && !local
	if !several {
		fields = append(fields, "issuer")
	}
	if !several && !issuer.HasPermissions(configured(g, providerVariable)) {
		fields = append(fields, "permissions")
	}
	return fields
}

// output runs a program and returns what it prints. An error is what it complains of.
func output(ctx context.Context, program string, arguments ...string) (*bytes.Buffer, error) {
	var printed, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Stdout, cmd.Stderr = &printed, &complaints
	if err := cmd.Run(); err != nil {
		if complaints.Len() > 0 {
			return nil, errors.New(strings.TrimSpace(complaints.String()))
		}
		return nil, fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return &printed, nil
}

// policyOf is the policy of an endpoint's handler, nil if it has none.
func (l *localStack) policyOf(e endpoint) *example.Policy {
	policies := *l.policies.Load()
	at := slices.IndexFunc(policies, func(p example.Policy) bool {
		return e.handler != "" && p.Handler == path.Base(e.handler) &&
			(p.Method == "" || p.Method == e.verb() && p.Resource == e.path)
	})
	if at < 0 {
		return nil
	}
	return &policies[at]
}

// scopes are those that the local issuer grants if none is asked for.
func (l *localStack) scopes() []string {
	if l.settings.scopes != "" {
		return strings.Fields(l.settings.scopes)
	}
	return example.Scopes(*l.policies.Load())
}

// grants reports whether the local issuer grants a caller's scopes.
func (l *localStack) grants(c *example.Caller) bool {
	return c != nil && (l.settings.scopes == "" || !slices.ContainsFunc(strings.Fields(c.Scope), func(scope string) bool {
		return !slices.Contains(l.scopes(), scope)
	}))
}

// audience is what the stack's authorizer expects of tokens, the first of several, and "" if
// it does not say.
func audience(g *graph.Graph) string {
	first, _, _ := strings.Cut(configured(g, audienceVariable), " ")
	return first
}

// expected is all that the stack's authorizer says of the tokens that it expects.
func expected(g *graph.Graph) [3]string {
	return [...]string{configured(g, audienceVariable), configured(g, providerVariable), configured(g, algorithmsVariable)}
}

// configured is a variable of the first function that has it.
func configured(g *graph.Graph, variable string) string {
	for _, f := range g.OfType(functionType) {
		if value := f.Environment()[variable]; value != "" {
			return value
		}
	}
	return ""
}
