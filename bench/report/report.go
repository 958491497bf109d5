// Package report presents figures next to their bars: as a table for people, as JSON
// for machines and as a plot.
//
// It judges nothing but whether a median is above its bar, and never hides a row that
// misses or that could not be measured.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"account-api/bench/paired"
)

// Row is one figure of ours, or of a peer for comparison.
type Row struct {
	Figure string `json:"figure"` // such as P1; rows of one figure stand together
	Name   string `json:"name"`
	Unit   string `json:"unit"` // such as "× raw RSA"; the less the better
	paired.Estimate
	Bar     float64 `json:"bar,omitempty"`     // the most that is acceptable; 0 is none
	Stretch float64 `json:"stretch,omitempty"` // the most that is hoped for; 0 is none
	Floor   float64 `json:"floor,omitempty"`   // the least that is possible; below it the measurement is wrong
	Zero    bool    `json:"zero,omitempty"`    // the bar is 0
	Missing string  `json:"missing,omitempty"` // why there is no figure
}

// Exactly is an estimate of what is counted and has no spread.
func Exactly(value float64) paired.Estimate {
	return paired.Estimate{Median: value, Quartile: [2]float64{value, value}, Rounds: 1}
}

// Verdict says how the row stands to its bar: "met", "stretch", "MISSED", "not
// measured", or "" for a row without a bar. A figure that cannot be, as of work that
// costs less than a part of it, is "DOUBTFUL" and meets nothing.
func (r Row) Verdict() string {
	switch {
	case r.Missing != "":
		return "not measured"
	case r.Median < r.Floor:
		return "DOUBTFUL"
	case r.Bar == 0 && !r.Zero:
		return ""
	case r.Median > r.Bar:
		return "MISSED"
	case r.Stretch > 0 && r.Median <= r.Stretch:
		return "stretch"
	default:
		return "met"
	}
}

// Machine is what figures depend on most. It names no host and no user.
type Machine struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Processors   int    `json:"processors"`
	Go           string `json:"go"`
	Throttle     string `json:"throttle"` // how a small share of the processor was imitated
	Quick        bool   `json:"quick"`    // fewer rounds than a figure to be quoted needs
}

// Report is one run.
type Report struct {
	Machine Machine `json:"machine"`
	Rows    []Row   `json:"rows"`
	Costs   []Cost  `json:"costs"`
	// PricesOf is when the prices behind Costs were looked up.
	PricesOf string `json:"prices_of,omitempty"`
}

// Cost is what a million requests cost in one configuration, in US dollars.
type Cost struct {
	MemoryMB   int        `json:"memory_mb"`
	Cached     bool       `json:"authorizer_cached"`
	Durations  [2]float64 `json:"durations_ms"` // authorizer's and profile's, before rounding up
	Compute    float64    `json:"compute"`
	Requests   float64    `json:"requests"`
	Everything float64    `json:"everything"` // with API Gateway and logs
}

// answers says what becomes of the authorizer's answers.
func (c Cost) answers() string {
	if c.Cached {
		return "cached"
	}
	return "asked each time"
}

// WriteTable writes the report for people.
func (r Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s/%s, %d processors, %s; 128 MB imitated by %s\n\n", r.Machine.OS, r.Machine.Architecture, r.Machine.Processors, r.Machine.Go, r.Machine.Throttle)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tfigure\tmedian\tquartiles\t\tbar\tstretch\t")
	last := ""
	for _, row := range r.Rows {
		if last != "" && row.Figure != last {
			fmt.Fprintln(table, "\t\t\t\t\t\t\t")
		}
		last = row.Figure
		name := row.Name
		if row.Verdict() == "" {
			name = "  " + name
		}
		if row.Missing != "" {
			fmt.Fprintf(table, "%s\t%s\t–\t\t%s\t%s\t%s\t%s: %s\n", row.Figure, name, row.Unit, bound(row.Bar, row.Zero), bound(row.Stretch, false), row.Verdict(), row.Missing)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", row.Figure, name, number(row.Median), spread(row.Estimate), row.Unit,
			bound(row.Bar, row.Zero), bound(row.Stretch, false), row.Verdict())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return r.writeCosts(w)
}

func (r Report) writeCosts(w io.Writer) error {
	if len(r.Costs) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nUS dollars for a million requests, prices of %s:\n\n", r.PricesOf)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "memory\tauthorizer's answers\tauthorizer ms\tprofile ms\tcompute\t+ requests\t+ gateway and logs")
	for _, c := range r.Costs {
		fmt.Fprintf(table, "%d MB\t%s\t%.2f\t%.2f\t%.4f\t%.4f\t%.2f\n", c.MemoryMB, c.answers(), c.Durations[0], c.Durations[1], c.Compute, c.Compute+c.Requests, c.Everything)
	}
	return table.Flush()
}

// WriteJSON writes the report for machines. Its only member at the top is "bench":
// OPA, asked to test a whole directory, reads every JSON file as data and merges them.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(map[string]Report{"bench": r})
}

// number has three significant digits and no exponent.
func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 100 || v == float64(int64(v)):
		return fmt.Sprintf("%.3g", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 || v <= 0:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}

func spread(e paired.Estimate) string {
	if e.Rounds < 2 {
		return ""
	}
	return number(e.Quartile[0]) + "–" + number(e.Quartile[1])
}

func bound(v float64, zero bool) string {
	if v == 0 && !zero {
		return ""
	}
	return "≤ " + number(v)
}
