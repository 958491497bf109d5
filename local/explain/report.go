package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// report is what was found, as text for a person or as JSON for a program. Its names are
// stable.
type report struct {
	Stack   string `json:"stack"`
	Keys    string `json:"keys,omitempty"` // where they come from; empty without a token
	Outcome string `json:"outcome"`        // accepted, refused, undecided; without a token agree or differ
	Summary string `json:"summary"`
	Reason  string `json:"reason,omitempty"`   // in the authorizer's log, if the token gets that far
	Fix     string `json:"fix,omitempty"`      // what to do first
	Class   string `json:"category,omitempty"` // beside the reason
	Notes   []note `json:"notes,omitempty"`
	Checks  []line `json:"checks"`
}

// note is about how the token was given. It does not change the outcome.
type note struct {
	About string `json:"about"`
	Text  string `json:"text"`
}

// line is the outcome of one check.
type line struct {
	Of       string `json:"of,omitempty"` // the issuer; only without a token
	Check    string `json:"check"`
	Result   string `json:"result"` // pass, fail or skipped
	Detail   string `json:"detail"`
	Expected string `json:"expected,omitempty"` // of a check that failed
	Fix      string `json:"fix,omitempty"`      // of a setting that differs
}

const (
	passed  = "pass"
	failed  = "fail"
	skipped = "skipped"
)

// The outcomes.
const (
	accepted  = "accepted"
	refused   = "refused"
	undecided = "undecided"
	agree     = "agree"
	differ    = "differ"
)

// good reports whether nothing is wrong.
func (r report) good() bool { return r.Outcome == accepted || r.Outcome == agree }

func (r report) writeJSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}

func (r report) writeText(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if r.Keys != "" {
		fmt.Fprintf(table, "stack %s: keys from %s\n\n", r.Stack, r.Keys)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(table, "note\t%s\t%s\n", n.About, n.Text)
	}
	of := ""
	for _, l := range r.Checks {
		if l.Of != of {
			if of != "" {
				fmt.Fprintln(table)
			}
			of = l.Of
			fmt.Fprintf(table, "stack %s: no token given, so the settings of %s were compared with what it publishes\n\n", r.Stack, of)
		}
		mark := map[string]string{passed: "pass", failed: "FAIL", skipped: "-"}[l.Result]
		fmt.Fprintf(table, "%s\t%s\t%s\n", mark, l.Check, l.Detail)
		if l.Expected != "" {
			fmt.Fprintf(table, "\t\texpected: %s\n", l.Expected)
		}
		if l.Fix != "" {
			fmt.Fprintf(table, "\t\tfix: %s\n", l.Fix)
		}
	}
	fmt.Fprintf(table, "\n%s: %s\n", r.Outcome, r.Summary)
	if r.Fix != "" {
		fmt.Fprintf(table, "fix: %s\n", r.Fix)
	}
	return table.Flush()
}
