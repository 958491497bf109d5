package report_test

import (
	"strings"
	"testing"

	"account-api/bench/paired"
	"account-api/bench/report"
)

func estimate(first, median, third float64) paired.Estimate {
	return paired.Estimate{Median: median, Quartile: [2]float64{first, third}, Rounds: 9}
}

func TestVerdict(t *testing.T) {
	for _, row := range []struct {
		name string
		row  report.Row
		want string
	}{
		{"a row without a bar has no verdict", report.Row{Estimate: report.Exactly(9)}, ""},
		{"a value at the bar meets it", report.Row{Estimate: report.Exactly(2), Bar: 2}, "met"},
		{"a value above the bar misses it", report.Row{Estimate: report.Exactly(2.001), Bar: 2}, "missed"},
		{"quartiles below the bar meet it", report.Row{Estimate: estimate(1, 1.5, 2), Bar: 2}, "met"},
		{"quartiles above the bar miss it", report.Row{Estimate: estimate(2.1, 2.5, 3), Bar: 2}, "missed"},
		{"a median below the bar is not enough", report.Row{Estimate: estimate(1, 1.9, 2.1), Bar: 2}, "not settled"},
		{"a median above the bar is not enough", report.Row{Estimate: estimate(1.9, 2.1, 3), Bar: 2}, "not settled"},
		{"less than is possible meets nothing", report.Row{Estimate: report.Exactly(0.9), Bar: 2, Least: 1}, "doubtful"},
		{"none meets a bar of none", report.Row{Estimate: report.Exactly(0), Zero: true}, "met"},
		{"one misses a bar of none", report.Row{Estimate: report.Exactly(1), Zero: true}, "missed"},
		{"a row that was not measured is not met", report.Row{Missing: "needs Linux", Bar: 2}, "not measured"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.row.Verdict(); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func sample() report.Report {
	r := report.Report{Machine: "2 processors", Tables: []*report.Table{{Figure: "P1", Title: "Verify"}, {Figure: "P2", Title: "Empty"}, {Figure: "P3", Title: "Memory"}}}
	r.Add("P1", report.Row{Name: "verify one token", Unit: "× raw", Bar: 1.1, Estimate: estimate(1.2, 1.234, 1.3)})
	r.Add("P1", report.Row{Name: "a peer", Unit: "× raw", Estimate: estimate(20, 24, 30)})
	r.Add("P3", report.Row{Name: "memory", Unit: "MB", Bar: 14, Missing: "needs Linux"})
	return r
}

// lines are without the spaces that align the columns.
func lines(text []byte) []string {
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func TestMarkdown(t *testing.T) {
	want := []string{
		"2 processors.", "",
		"**P1. Verify**", "",
		"| figure | median (quartiles) | unit | bar | verdict |", "|--- |--- |--- |--- |--- |",
		"| verify one token | 1.23 (1.20–1.30) | × raw | ≤ 1.10 | **missed** |",
		"| a peer | *24.0 (20.0–30.0)* | × raw | | |", "",
		"**P3. Memory**", "",
		"| figure | median (quartiles) | unit | bar | verdict |", "|--- |--- |--- |--- |--- |",
		"| memory | needs Linux | MB | ≤ 14 | **not measured** |",
	}
	if got := lines(sample().Markdown()); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
