package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"account-api/local/gateway"
	"account-api/local/trace"
)

// State is the state of the stack.
type State string

// The states. Whatever the state, some version of the stack serves.
const (
	Serving  State = "serving"  // what is on disk
	Building State = "building" // while the version before serves
	Failed   State = "failed"   // what is on disk does not build or start: the version before serves
)

// Status is the outcome of the last change.
type Status struct {
	State   State
	At      time.Time // since when
	Detail  string    // one line, or the lines of an error
	Changes Changes   // what a saved rule changed
}

// kept is how many exchanges a page shows.
const kept = 200

// entry is an exchange with its number, from 1.
type entry struct {
	Number int
	gateway.Exchange
	Trace trace.Trace
}

// feed holds what pages follow: the latest exchanges and the status.
type feed struct {
	mu      sync.Mutex
	last    int     // number of the newest entry
	entries []entry // oldest first, at most kept
	status  Status
	reports int           // how often the status was reported
	changed chan struct{} // closed and replaced at every change
}

func newFeed(s Status) *feed { return &feed{status: s, changed: make(chan struct{})} }

func (f *feed) add(e gateway.Exchange, t trace.Trace) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.entries) == kept {
		f.entries[0] = entry{} // or the array would keep it in memory
		f.entries = f.entries[1:]
	}
	f.last++
	f.entries = append(f.entries, entry{f.last, e, t})
	f.tell()
}

func (f *feed) report(s Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = s
	f.reports++
	f.tell()
}

// tell wakes the followers. The caller holds mu.
func (f *feed) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// look is a feed at one moment.
type look struct {
	last    int
	entries []entry // newer than asked for, oldest first
	status  Status
	reports int
	changed <-chan struct{} // closed at the next change
}

// after looks at the entries beyond a number.
func (f *feed) after(number int) look {
	f.mu.Lock()
	defer f.mu.Unlock()
	newer := f.entries
	for len(newer) > 0 && newer[0].Number <= number {
		newer = newer[1:]
	}
	return look{f.last, slices.Clone(newer), f.status, f.reports, f.changed}
}

// number returns the entry with a number.
func (f *feed) number(number int) (entry, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.entries, func(e entry) bool { return e.Number == number })
	if at < 0 {
		return entry{}, false
	}
	return f.entries[at], true
}

// wait returns the newest entry beyond a number that matches, as soon as there is one.
func (f *feed) wait(ctx context.Context, number int, matches func(entry) bool) (entry, bool) {
	for {
		l := f.after(number)
		for _, e := range slices.Backward(l.entries) {
			if matches(e) {
				return e, true
			}
		}
		select {
		case <-l.changed:
		case <-ctx.Done():
			return entry{}, false
		}
	}
}
