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

// watch reloads the stack whenever a file of the project is saved, until ctx is done.
// It begins with a look at what was started: a function that does not come up says so
// now, and not at the first request.
func (l *localStack) watch(ctx context.Context) {
	first := l.stack.now()
	if err := l.tryOut(ctx, first.graph, first.built, nil); err != nil && ctx.Err() == nil {
		l.out.broken(err)
		l.console.Report(console.Status{State: console.Failed, At: time.Now(), Detail: err.Error()})
	}
	reload.Watch(ctx, l.settings.root, l.begun, reload.Interval, func(files []string) { l.reload(ctx, files) })
}

// reload brings what is on disk into service, or leaves what serves as it is and says
// why.
func (l *localStack) reload(ctx context.Context, files []string) {
	begun := time.Now()
	l.console.Report(console.Status{State: console.Building, At: begun, Detail: summary(files)})
	swapped, err := l.swap(ctx)
	if ctx.Err() != nil {
		return // stopped meanwhile
	}
	took := time.Since(begun).Round(10 * time.Millisecond)
	if err != nil {
		l.out.notReloaded(err)
		l.console.Report(console.Status{State: console.Failed, At: time.Now(), Detail: err.Error()})
		return
	}
	what := fmt.Sprintf("Reloaded %s in %v (%s).", strings.Join(swapped, ", "), took, summary(files))
	if len(swapped) == 0 {
		what = fmt.Sprintf("No change in what serves (%s).", summary(files))
		if slices.ContainsFunc(files, ofThisProgram) {
			what += " To change make run itself, stop it and start it again."
		}
	}
	l.out.reloaded(what)
	l.console.Report(console.Status{State: console.Serving, At: time.Now(), Detail: what})
}

// swap builds and captures, and replaces what came out differently: the functions whose
// executable did, or everything where the declaration did. It returns their names.
func (l *localStack) swap(ctx context.Context) ([]string, error) {
	built, err := l.builds.Build(ctx)
	if err != nil {
		return nil, err
	}
	declared, err := l.capture(ctx, built)
	if err != nil {
		return nil, err
	}
	now := l.stack.now()
	if reflect.DeepEqual(declared, now.graph) {
		return l.swapFunctions(ctx, now, built)
	}
	next, err := l.generate(declared, built)
	if err != nil {
		return nil, err
	}
	if err := l.tryOut(ctx, declared, built, nil); err != nil {
		return nil, errors.Join(err, next.functions.close())
	}
	if audience(declared) != audience(now.graph) {
		if err := l.startIssuer(declared); err != nil {
			return nil, errors.Join(err, next.functions.close())
		}
	}
	l.stack.replace(next)
	l.out.findings(next.gateway.Findings(), now.gateway.Findings())
	return []string{"the stack"}, nil
}

// swapFunctions gives the pools of a generation new executables. An invocation that is
// under way ends with the old one, and nothing that the gateway remembers is lost, as
// with an update of a function's code in the cloud.
func (l *localStack) swapFunctions(ctx context.Context, g *generation, built reload.Release) ([]string, error) {
	if err := l.tryOut(ctx, g.graph, built, g.built); err != nil {
		return nil, err
	}
	var swapped []string
	for _, declared := range g.graph.OfType(functionType) {
		before, err := l.executable(g.graph, declared, g.built)
		if err != nil {
			return nil, err
		}
		after, err := l.executable(g.graph, declared, built)
		if err != nil {
			return nil, err
		}
		if before != after {
			g.functions.pools[declared.String("arn")].Replace(after)
			swapped = append(swapped, declared.String("name"))
		}
	}
	g.built = built
	return swapped, nil
}

// tryOut starts each function whose executable differs from the one in before, and
// returns why any does not come up.
func (l *localStack) tryOut(ctx context.Context, g *graph.Graph, built, before reload.Release) error {
	var errs []error
	for _, declared := range g.OfType(functionType) {
		f, err := l.function(g, declared, built)
		if err != nil {
			return err
		}
		if !slices.Contains(slices.Collect(maps.Values(before)), f.Executable) {
			errs = append(errs, tryOut(ctx, f))
		}
	}
	return errors.Join(errs...)
}

// ofThisProgram reports whether a file is one of the program that is running, which
// does not replace itself.
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

// unseen are the findings that are not among those before.
func unseen(findings, before []gateway.Finding) []gateway.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f gateway.Finding) bool { return slices.Contains(before, f) })
}
