package build

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Progress is how far a build is. Its work is counted in functions: an estimate, but a better one
// than packages, some of which take a thousand times as long as others.
type Progress struct {
	Done    int    // functions that are compiled
	All     int    // functions that were to be compiled when the build began; 0 while unknown
	Package string // the one that is being compiled
}

// share makes one progress of those of several builds.
func (o Options) share(builds int) []func(Progress) {
	var mu sync.Mutex
	all := make([]Progress, builds)
	reports := make([]func(Progress), builds)
	if o.Progress == nil {
		return reports
	}
	for i := range reports {
		reports[i] = func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			all[i] = p
			sum := Progress{Package: p.Package}
			for _, p := range all {
				sum.Done += p.Done
				sum.All += p.All
			}
			o.Progress(sum)
		}
	}
	return reports
}

// follow reads what `go build -v` prints. A line that is an import path is a package that
// it compiles. Every other line is an error of the compiler: follow returns those.
func (o Options) follow(ctx context.Context, goCommand string, g Group, output io.Reader) (complaints string) {
	var counted chan map[string]source
	var sources map[string]source
	var begun []string
	for lines := bufio.NewScanner(output); lines.Scan(); {
		line := lines.Text()
		if strings.ContainsAny(line, " \t") || line == "" {
			complaints += line + "\n"
			continue
		}
		if o.Progress == nil {
			continue
		}
		if counted == nil {
			counted = make(chan map[string]source, 1)
			go func() { counted <- o.sources(ctx, goCommand, g) }()
		}
		select {
		case sources = <-counted:
		default:
		}
		o.Progress(progress(sources, begun, line))
		begun = append(begun, line)
	}
	return complaints
}

// progress is how far a build is that has begun with some packages, and begins with another one.
func progress(sources map[string]source, begun []string, next string) Progress {
	p := Progress{Package: next}
	for name, source := range sources {
		if slices.Contains(begun, name) {
			p.Done += source.functions
			p.All += source.functions
		} else if source.stale || name == next {
			p.All += source.functions
		}
	}
	return p
}

// source is the source of a package.
type source struct {
	functions int
	stale     bool // the build cache lacks what the compiler makes of it
}

// sources reads the sources of all packages in a build. There are none if the go command fails.
func (o Options) sources(ctx context.Context, goCommand string, g Group) map[string]source {
	list, err := o.command(ctx, goCommand, g, "list", "-deps", "-f", "{{.Stale}}\t{{.ImportPath}}\t{{.Dir}}\t{{join .GoFiles \"\\t\"}}").Output()
	if err != nil {
		return nil
	}
	sources := map[string]source{}
	for line := range strings.Lines(string(list)) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) < 4 {
			continue // a package without Go files, such as unsafe
		}
		of := source{stale: fields[0] == "true"}
		for _, file := range fields[3:] {
			text, _ := os.ReadFile(filepath.Join(fields[2], file)) // an estimate does without it
			of.functions += bytes.Count(text, []byte("\nfunc "))
		}
		sources[fields[1]] = of
	}
	return sources
}
