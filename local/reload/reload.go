// Package reload notices saved files, and builds executables while older ones run.
//
// It is for the local run, which decides what to swap. This package starts nothing, and stops
// only what a run has left that was killed. It compares names, sizes and times of files, and
// does not read them. It looks when the operating system gives notice of a change.
package reload

import (
	"context"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Interval is how long files have to stay as they are before a reload starts.
const Interval = 100 * time.Millisecond

// quiet is how often files are looked at without a notice of the system. Some file systems,
// such as network shares, give none.
const quiet = 10 * time.Second

// Snapshot is the state of a project's files at one moment, by slash-separated path
// relative to its root.
type Snapshot map[string]stamp

// stamp tells two versions of a file apart. The size mostly tells apart those that were
// saved within the resolution of a file system's clock.
type stamp struct {
	modified int64 // Unix nanoseconds
	size     int64
}

// Take looks at every file below root that a build or the stack's declaration may be made
// of: Go sources without tests, Rego, go.mod and go.sum, and the kinds of files that programs
// embed. It leaves out what it cannot look at: a file may be replaced at that moment.
func Take(root string) Snapshot {
	s, _ := look(root)
	return s
}

// look is Take, and lists the directories that files may be added to.
func look(root string) (s Snapshot, directories []string) {
	s = Snapshot{}
	// WalkDir returns no error, as its function returns none.
	_ = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		relative, err := filepath.Rel(root, file)
		if err != nil {
			return nil
		}
		relative = filepath.ToSlash(relative)
		if entry.IsDir() {
			if ignored(relative) {
				return fs.SkipDir
			}
			directories = append(directories, file)
			return nil
		}
		if !watched(relative) {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			s[relative] = stamp{modified: info.ModTime().UnixNano(), size: info.Size()}
		}
		return nil
	})
	return s, directories
}

// ignored reports whether a directory holds nothing that the go command builds:
// https://pkg.go.dev/cmd/go#hdr-Package_lists_and_patterns
func ignored(dir string) bool {
	base := dir[strings.LastIndexByte(dir, '/')+1:]
	return dir == "dist" || base == "testdata" || base == "node_modules" ||
		dir != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_"))
}

func watched(file string) bool {
	base := file[strings.LastIndexByte(file, '/')+1:]
	switch extension := filepath.Ext(base); {
	case strings.HasPrefix(base, "."):
		return false // what editors write next to a file that is being edited
	case extension == ".go":
		return !strings.HasSuffix(base, "_test.go")
	case extension == ".rego":
		return true // tests too: they run when they are saved
	case slices.Contains(embedded, extension):
		return true
	default:
		return file == "go.mod" || file == "go.sum"
	}
}

// embedded are the extensions of stack files, and of what programs embed. Not .txt and .log:
// the output of the run itself may be written to such a file, and would be a change each time.
var embedded = []string{
	".json", ".yaml", ".yml", ".toml", ".xml", ".csv", ".sql", ".graphql", ".pem", ".crt",
	".html", ".tmpl", ".gohtml", ".css", ".js", ".svg",
}

// Changed lists, in order, the files that were added, removed or saved between s and later.
func (s Snapshot) Changed(later Snapshot) []string {
	changed := map[string]bool{}
	for file, now := range later {
		if before, known := s[file]; !known || before != now {
			changed[file] = true
		}
	}
	for file := range s {
		if _, there := later[file]; !there {
			changed[file] = true
		}
	}
	return slices.Sorted(maps.Keys(changed))
}

// Watch calls changed with the files that differ from since, and then with those that
// differ from the call before, until ctx is done. It waits until two looks in a row see
// the same, so that a checkout of many files is one call. What changes during a call is
// part of the next one.
func Watch(ctx context.Context, root string, since Snapshot, interval time.Duration, changed func(files []string)) {
	n := newNotices()
	defer n.close()
	for previous := since; ; {
		now, directories := look(root)
		wait, settled := quiet, interval/2 // the other half has passed since the notice
		if !n.of(directories) {
			wait, settled = interval, interval
		}
		switch files := since.Changed(now); {
		case len(files) > 0 && maps.Equal(previous, now):
			since = now
			changed(files)
			wait = interval // for what changed meanwhile
		case !maps.Equal(previous, now):
			wait = settled
		}
		previous = now
		if !n.wait(ctx, wait, interval) {
			return
		}
	}
}
