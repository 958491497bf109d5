package reload

import (
	"context"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// notices are those of the operating system about changes in directories.
type notices struct {
	watcher *fsnotify.Watcher // nil if the system gives none
	changed chan struct{}     // holds one
}

func newNotices() *notices {
	n := &notices{changed: make(chan struct{}, 1)}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return n
	}
	n.watcher = watcher
	go func() {
		for event := range watcher.Events {
			if event.Op != fsnotify.Chmod { // backups and search indexes set attributes
				n.tell()
			}
		}
	}()
	go func() {
		for range watcher.Errors { // such as too many events: some are lost
			n.tell()
		}
	}()
	return n
}

func (n *notices) tell() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// of asks for notices of these directories. It reports whether the system gives all of them:
// it may have a limit. A directory that is new may have changed before this call.
func (n *notices) of(directories []string) bool {
	if n.watcher == nil {
		return false
	}
	known := n.watcher.WatchList()
	slices.Sort(known)
	for _, directory := range directories {
		if _, found := slices.BinarySearch(known, directory); found {
			continue
		}
		if n.watcher.Add(directory) != nil {
			return false
		}
		n.tell()
	}
	return true
}

// wait returns after a while, or soon after a notice. It reports whether ctx is not done.
func (n *notices) wait(ctx context.Context, while, soon time.Duration) bool {
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-n.changed:
	}
	timer.Reset(min(while, soon/2)) // many notices are one look
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (n *notices) close() {
	if n.watcher != nil {
		n.watcher.Close()
	}
}
