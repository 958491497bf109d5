// Package report presents figures next to their bars, as Markdown with one table for each
// kind of figure. It shows every row, also one that missed its bar or was not measured.
package report

import (
	"bytes"
	"fmt"
	"text/tabwriter"

	"account-api/bench/paired"
)

// Report is one run.
type Report struct {
	Machine string
	Tables  []*Table // in the order of the report
}

// Table holds the rows of one kind of figure.
type Table struct {
	Figure, Title string // such as P1
	Rows          []Row
}

// Row is one figure of ours, or of a peer for comparison. The less, the better.
type Row struct {
	Name, Unit string // the unit is such as "× raw RSA"
	paired.Estimate
	Bar     float64 // the most that is acceptable; 0 is none
	Zero    bool    // the bar is 0
	Least   float64 // the least that is possible
	Missing string  // why there is no figure
}

// Exactly is an estimate of what is counted and has no spread.
func Exactly(value float64) paired.Estimate {
	return paired.Estimate{Median: value, Quartile: [2]float64{value, value}, Rounds: 1}
}

// Verdict compares the row with its bar. It is "" without a bar. Quartiles on both sides of
// the bar are "not settled". A median below what is possible is "doubtful".
func (r Row) Verdict() string {
	switch {
	case r.Missing != "":
		return "not measured"
	case r.Median < r.Least:
		return "doubtful"
	case r.Bar == 0 && !r.Zero:
		return ""
	case r.Quartile[0] > r.Bar:
		return "missed"
	case r.Quartile[1] <= r.Bar:
		return "met"
	default:
		return "not settled"
	}
}

// Add appends rows to the table of a figure.
func (r *Report) Add(figure string, rows ...Row) {
	for _, t := range r.Tables {
		if t.Figure == figure {
			t.Rows = append(t.Rows, rows...)
			return
		}
	}
	panic("report: no table for figure " + figure)
}

// Markdown is the report for people.
func (r Report) Markdown() []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s.\n", r.Machine)
	for _, t := range r.Tables {
		if len(t.Rows) == 0 {
			continue
		}
		fmt.Fprintf(&text, "\n**%s. %s**\n\n", t.Figure, t.Title)
		columns := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
		fmt.Fprint(columns, "| figure\t| median (quartiles)\t| unit\t| bar\t| verdict\t|\n|---\t|---\t|---\t|---\t|---\t|\n")
		for _, row := range t.Rows {
			fmt.Fprintf(columns, "| %s\t| %s\t| %s\t| %s\t| %s\t|\n", row.Name, row.value(), row.Unit, row.bar(), row.verdict())
		}
		columns.Flush() // to memory
	}
	return text.Bytes()
}

// value is in italics for a row without a bar.
func (r Row) value() string {
	if r.Missing != "" {
		return r.Missing
	}
	value := number(r.Median)
	if r.Rounds > 1 {
		value = digits(r.Median) + " (" + digits(r.Quartile[0]) + "–" + digits(r.Quartile[1]) + ")"
	}
	if r.Verdict() == "" {
		return "*" + value + "*"
	}
	return value
}

func (r Row) bar() string {
	if r.Bar == 0 && !r.Zero {
		return ""
	}
	return "≤ " + number(r.Bar)
}

// verdict is in bold unless the bar is met.
func (r Row) verdict() string {
	if verdict := r.Verdict(); verdict != "" && verdict != "met" {
		return "**" + verdict + "**"
	}
	return r.Verdict()
}

// number is for what is counted, and for bars: a whole number has no decimals.
func number(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprintf("%.0f", v)
	}
	return digits(v)
}

// digits has three significant digits and no exponent.
func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1 || v <= 0:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.2g", v)
	}
}
