package console

import (
	"fmt"
	"slices"
	"strings"

	"account-api/local/trial"
)

// Changes are the requests that a new rule decides differently than the one before.
type Changes struct {
	list []trial.Change
	of   int // how many were decided again
	feed *feed
}

// String is one line, "" if nothing changes.
func (c Changes) String() string {
	switch {
	case len(c.list) == 0:
		return ""
	case c.of == 1:
		return "The last request would now be answered differently"
	}
	return fmt.Sprintf("%d of the last %d requests would now be answered differently", len(c.list), c.of)
}

// Lines are the text and a link to each request on the console, whose address ends in a slash.
func (c Changes) Lines(address string) string {
	if len(c.list) == 0 {
		return ""
	}
	lines := []string{c.String() + ":"}
	for _, change := range c.list[:min(len(c.list), 5)] {
		lines = append(lines, fmt.Sprintf("  %s?number=%d  %s, now %s", address, change.Number, change.Before, change.After))
	}
	if more := len(c.list) - 5; more > 0 {
		lines = append(lines, fmt.Sprintf("  and %d more, on %s", more, address))
	}
	return strings.Join(lines, "\n")
}

// changed is a change with its request, for the page.
type changed struct {
	trial.Change
	Line string
}

// List is what the page lists, newest first.
func (c Changes) List() []changed { return listed(c.list, c.feed) }

func listed(changes []trial.Change, f *feed) []changed {
	var all []changed
	for _, change := range changes {
		if e, found := f.number(change.Number); found {
			all = append(all, changed{change, e.Method + " " + e.Path})
		}
	}
	slices.SortFunc(all, func(a, b changed) int { return b.Number - a.Number })
	return all
}

// outcome is what a trial found, for the page.
type outcome struct {
	trial.Report
	Saved bool // the text is what is on disk
	feed  *feed
}

// List is what the page lists, newest first.
func (o outcome) List() []changed { return listed(o.Changes, o.feed) }
