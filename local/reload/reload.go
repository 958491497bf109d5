// Package reload notices that a developer has saved a file, and builds executables in
// a way that lets the old ones run on.
//
// It is for the local run, which decides what to swap. This package neither starts
// nor stops anything that serves, and it looks at names, sizes and times of files
// only: what a change means is for the compiler to say.
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

// Interval is how often files are looked at. A reload starts one to two intervals after
// the last save, and a walk over some hundred files takes a millisecond: a hundredth of
// a processor.
const Interval = 100 * time.Millisecond

// Snapshot is what the files of a project look like at one moment, by path relative to
// its root and with slashes.
type Snapshot map[string]stamp

// stamp tells two versions of a file apart. Size catches what is saved twice within the
// resolution of a file system's clock, in most cases.
type stamp struct {
	modified int64 // Unix nanoseconds
	size     int64
}

// Take looks at every file below root that a build or the stack's declaration may be
// made of: Go and Rego sources without tests, go.mod, go.sum, and Pulumi.yaml with its
// stack files. What cannot be looked at, as it may just be replaced, is left out.
func Take(root string) Snapshot {
	s := Snapshot{}
	// The function swallows every error, and so WalkDir has none.
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
	return s
}

// ignored says which directories hold nothing that the go command builds for the stack:
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
	case extension == ".go" || extension == ".rego":
		return !strings.HasSuffix(strings.TrimSuffix(base, extension), "_test")
	case extension == ".yaml":
		return base == file && strings.HasPrefix(base, "Pulumi.")
	default:
		return file == "go.mod" || file == "go.sum"
	}
}

// Changed lists, in order, what was added, removed or saved between s and later.
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

// Watch calls changed with the files that differ from since, and from then on with
// those that differ from what they were when it was called last, until ctx is done. It
// waits until two looks in a row see the same, so that a checkout of many files is one
// call. A change during a call is not lost: it is in the next one.
func Watch(ctx context.Context, root string, since Snapshot, interval time.Duration, changed func(files []string)) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for previous := since; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		now := Take(root)
		if files := since.Changed(now); len(files) > 0 && maps.Equal(previous, now) {
			since = now
			changed(files)
		}
		previous = now
	}
}
