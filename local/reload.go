package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"account-api/local/console"
	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/reload"
)

// slowReload is how long a reload may take before the terminal says that it goes on.
const slowReload = time.Second

// watch reloads the stack whenever a file of the project is saved, until ctx is done. It
// tries out every function first, so that one that does not start is reported before the
// first request.
func (l *localStack) watch(ctx context.Context) {
	first := l.stack.now()
	if err := l.tryOutAll(ctx, first.graph, first.built, nil); err != nil && ctx.Err() == nil {
		l.console.Report(console.Status{State: console.Failed, At: time.Now(), Detail: err.Error()})
		l.out.broken(err)
	}
	l.console.Adopt(ctx)
	if suites, err := l.testPolicies(ctx, first.built); err == nil { // else findExamples has reported it
		l.suites.Store(&suites)
		for _, s := range suites {
			if len(s.Failed) > 0 {
				l.out.reloaded(s.String())
			}
		}
	}
	reload.Watch(ctx, l.settings.root, l.begun, reload.Interval, func(files []string) { l.reload(ctx, files) })
}

// reload rebuilds, and replaces what changed. If that fails it reports why, and the
// running version keeps serving. The console knows before the terminal says it, so that who
// reads a line and then opens the console finds the same there.
func (l *localStack) reload(ctx context.Context, files []string) {
	begun := time.Now()
	shown := l.described()
	saved := summary(files)
	files = slices.Compact(slices.Sorted(slices.Values(append(l.refused, files...))))
	l.refused = files
	l.console.Report(console.Status{State: console.Building, At: begun, Detail: saved})
	slow := time.AfterFunc(slowReload, func() { l.out.reloaded("Rebuilding (" + saved + ").") })
	before := l.suites.Load()
	var swapped []string
	var err error
	if slices.ContainsFunc(files, ofWhatServes) {
		swapped, err = l.swap(ctx, files)
	} else {
		err = l.checkPolicies(ctx, l.stack.now().built, files)
	}
	slow.Stop()
	if ctx.Err() != nil {
		return // stopped meanwhile
	}
	took := time.Since(begun).Round(10 * time.Millisecond)
	if err != nil {
		l.suites.Store(before)
		l.console.Report(console.Status{State: console.Failed, At: time.Now(), Detail: err.Error()})
		l.out.notReloaded(err)
		return
	}
	l.refused = nil
	var changes console.Changes
	if slices.ContainsFunc(files, ofPolicies) {
		changes = l.console.Adopt(ctx)
	}
	what := fmt.Sprintf("Reloaded %s in %v (%s).", strings.Join(swapped, ", "), took, saved)
	if len(swapped) == 0 {
		what = fmt.Sprintf("No change in what serves (%s).", saved)
		if slices.ContainsFunc(files, ofThisProgram) {
			what += " To change make run itself, stop it and start it again."
		}
	}
	detail := what
	if suites := l.suites.Load(); suites != nil {
		for _, s := range *suites {
			if s.concerns(files) || len(s.Failed) > 0 {
				detail += " " + s.String() + "."
			}
		}
	}
	l.console.Report(console.Status{State: console.Serving, At: time.Now(), Detail: detail, Changes: changes})
	l.out.reloaded(what)
	if text := changes.Lines("http://" + l.terminal.Addr().String() + "/"); text != "" {
		l.out.reloaded(text)
	}
	if slices.ContainsFunc(files, ofPolicies) || slices.Contains(swapped, theStack) {
		l.refreshExamples(ctx, shown)
	}
}

// refreshExamples finds the example callers again, and shows what is new in the endpoints and
// in the commands that call them.
func (l *localStack) refreshExamples(ctx context.Context, shown console.Stack) {
	before := l.policies.Load()
	if err := l.findExamples(ctx, l.stack.now().built); err != nil {
		if ctx.Err() == nil {
			l.out.noExamples(err)
		}
		return
	}
	if i := l.issuer.Load(); i != nil && !reflect.DeepEqual(before, l.policies.Load()) {
		if err := i.SetScopes(l.scopes()); err != nil {
			l.out.noExamples(err)
			return
		}
	}
	l.out.changed(shown, l.described())
}

func ofPolicies(file string) bool { return strings.HasPrefix(file, policiesDir+"/") }

// theStack is what a changed declaration replaces.
const theStack = "the stack"

// swap builds, and replaces the functions whose executables changed, or everything if the
// declaration changed. It returns the names of what it replaced.
func (l *localStack) swap(ctx context.Context, files []string) ([]string, error) {
	now := l.stack.now()
	declared, built, err := l.build(ctx, now, files)
	if err != nil {
		return nil, err
	}
	if reflect.DeepEqual(declared, now.graph) {
		return l.swapFunctions(ctx, now, built)
	}
	next, err := l.generate(declared, built)
	if err != nil {
		return nil, err
	}
	if err := l.tryOutAll(ctx, declared, built, nil); err != nil {
		return nil, errors.Join(err, next.functions.close())
	}
	if expected(declared) != expected(now.graph) {
		if err := l.startIssuer(declared); err != nil {
			return nil, errors.Join(err, next.functions.close())
		}
	}
	l.stack.replace(next)
	l.notices(declared, now.graph)
	l.warm(ctx, next)
	l.out.warnings(declared.Warnings, now.graph.Warnings)
	l.out.findings(next.gateway.Findings(), now.gateway.Findings())
	return []string{theStack}, nil
}

// swapFunctions gives the functions of a generation their new executables. Invocations
// that have begun end with the old ones. The gateway keeps what it has cached, as when a
// function's code is updated in the cloud.
func (l *localStack) swapFunctions(ctx context.Context, g *generation, built reload.Release) ([]string, error) {
	if err := l.tryOutAll(ctx, g.graph, built, g.built); err != nil {
		return nil, err
	}
	var swapped []string
	for _, declared := range called(g.graph) {
		before, err := executable(g.graph, declared, g.built)
		if err != nil {
			return nil, err
		}
		after, err := executable(g.graph, declared, built)
		if err != nil {
			return nil, err
		}
		if before != after {
			f, err := function(g.graph, declared, built, l.cloud)
			if err != nil {
				return nil, err
			}
			g.functions.pools[f.ARN].Replace(after) // the ARN that is called, which may be an alias's
			swapped = append(swapped, declared.String("name"))
		}
	}
	g.built = built
	l.warm(ctx, g)
	return swapped, nil
}

// warm starts the processes of a generation that a debugger is for, and waits until they are
// ready. A debugger may hold one before it is: then the end of ctx ends the wait.
func (l *localStack) warm(ctx context.Context, g *generation) {
	ready := make(chan error, 1)
	go func() { ready <- g.functions.warm() }()
	select {
	case err := <-ready:
		if err != nil {
			l.out.broken(err)
		}
	case <-ctx.Done():
	}
}

// tryOutAll tries out each function whose executable is not in before.
func (l *localStack) tryOutAll(ctx context.Context, g *graph.Graph, built, before reload.Release) error {
	var errs []error
	for _, declared := range called(g) {
		f, err := function(g, declared, built, l.cloud)
		if err != nil {
			return err
		}
		if !slices.Contains(slices.Collect(maps.Values(before)), f.Executable) {
			errs = append(errs, tryOut(ctx, f, l.builds.Dir()))
		}
	}
	return errors.Join(errs...)
}

// ofWhatServes reports whether a file may be part of what serves. Rego tests are not.
func ofWhatServes(file string) bool { return !strings.HasSuffix(file, "_test.rego") }

// ofThisProgram reports whether a file may be part of this program, which does not replace
// itself.
func ofThisProgram(file string) bool {
	return strings.HasPrefix(file, "local/") || strings.HasPrefix(file, "go.")
}

// summary names the files of a change, the first few if they are many.
func summary(files []string) string {
	const some = 3
	names := make([]string, 0, some)
	for _, file := range files[:min(len(files), some)] {
		names = append(names, filepath.FromSlash(file))
	}
	text := strings.Join(names, ", ")
	if more := len(files) - some; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// unseen are the findings that are not in before.
func unseen(findings, before []gateway.Finding) []gateway.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f gateway.Finding) bool { return slices.Contains(before, f) })
}
