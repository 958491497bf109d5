package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"account-api/bench/paired"
	"account-api/bench/report"
)

func TestVerdict(t *testing.T) {
	for _, row := range []struct {
		name string
		row  report.Row
		want string
	}{
		{"without a bar there is nothing to meet", report.Row{Estimate: report.Exactly(9)}, ""},
		{"the bar itself is met", report.Row{Estimate: report.Exactly(2), Bar: 2}, "met"},
		{"above the bar is missed", report.Row{Estimate: report.Exactly(2.001), Bar: 2}, "MISSED"},
		{"what was hoped for is said so", report.Row{Estimate: report.Exactly(1), Bar: 2, Stretch: 1}, "stretch"},
		{"less than is possible meets nothing", report.Row{Estimate: report.Exactly(0.9), Bar: 2, Stretch: 1, Floor: 1}, "DOUBTFUL"},
		{"none is none", report.Row{Estimate: report.Exactly(0), Zero: true}, "met"},
		{"one is not none", report.Row{Estimate: report.Exactly(1), Zero: true}, "MISSED"},
		{"what was not measured is not met", report.Row{Missing: "only Linux tells", Bar: 2}, "not measured"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.row.Verdict(); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

var sample = report.Report{
	Machine: report.Machine{OS: "linux", Architecture: "arm64", Processors: 2, Go: "go1.26"},
	Rows: []report.Row{
		{Figure: "P1", Name: "verify <one> token", Unit: "× raw", Bar: 1.2,
			Estimate: paired.Estimate{Median: 1.234, Quartile: [2]float64{1.1, 1.3}, Rounds: 9}},
		{Figure: "P1", Name: "a peer", Unit: "× raw", Estimate: paired.Estimate{Median: 24, Quartile: [2]float64{20, 30}, Rounds: 9}},
		{Figure: "P2", Name: "memory", Unit: "MB", Bar: 14, Missing: "only Linux tells"},
	},
}

func TestWriteTable(t *testing.T) {
	var table bytes.Buffer
	if err := sample.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]string{
		{"linux/arm64", "2 processors", "go1.26"},
		{"P1", "verify <one> token", "1.23", "1.10–1.30", "× raw", "≤ 1.20", "MISSED"},
		{"P1", "  a peer", "24", "20–30"},
		{"P2", "memory", "–", "≤ 14", "not measured: only Linux tells"},
	} {
		if !hasLine(table.String(), want) {
			t.Errorf("expected a line with %q in\n%s", want, &table)
		}
	}
}

// hasLine reports whether a line holds all the parts, in this order.
func hasLine(text string, parts []string) bool {
	for line := range strings.Lines(text) {
		rest, found := line, true
		for _, part := range parts {
			var here bool
			_, rest, here = strings.Cut(rest, part)
			found = found && here
		}
		if found {
			return true
		}
	}
	return false
}

func TestReplaceTable(t *testing.T) {
	const begins, ends = "<!-- The table between these marks is written by: go run -C bench . -docs -->\n", "<!-- end of the table -->\n"
	got, err := sample.ReplaceTable([]byte("before\n" + begins + "old\n" + ends + "after\n"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	if !strings.HasPrefix(text, "before\n"+begins) || !strings.HasSuffix(text, ends+"after\n") || strings.Contains(text, "old") {
		t.Errorf("got %s", text)
	}
	for _, want := range [][]string{
		{"| P1 | verify <one> token | 1.23 (1.10–1.30) | × raw | ≤ 1.20 | **missed** |"},
		{"| P1 | a peer | *24 (20–30)* | × raw |  |  |"},
		{"| P2 | memory | not measured: only Linux tells |"},
	} {
		if !hasLine(text, want) {
			t.Errorf("expected a line with %q in\n%s", want, text)
		}
	}
	again, err := sample.ReplaceTable(got)
	if err != nil || !bytes.Equal(again, got) {
		t.Errorf("a second time: got %s, %v; want the same", again, err)
	}
	if _, err := sample.ReplaceTable([]byte("no table here")); err == nil {
		t.Error("a document without marks: got no error")
	}
}

func TestWriteJSON(t *testing.T) {
	var written bytes.Buffer
	if err := sample.WriteJSON(&written); err != nil {
		t.Fatal(err)
	}
	var read map[string]report.Report
	if err := json.Unmarshal(written.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if got := read["bench"].Rows; len(read) != 1 || len(got) != 3 || got[0] != sample.Rows[0] || got[2] != sample.Rows[2] {
		t.Errorf("got %+v, want what was written under bench alone", read)
	}
}

func TestWritePlotIsOneDocumentWithEveryDot(t *testing.T) {
	panel := report.Panel{Title: "Verification & more", Dots: []report.Dot{
		{Name: sample.Rows[0].Name, Row: sample.Rows[0], Ours: true}, {Name: sample.Rows[1].Name, Row: sample.Rows[1]},
	}}
	var plot bytes.Buffer
	if err := report.WritePlot(&plot, panel, panel); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plot.String(), "%!") {
		t.Errorf("a value was not formatted in\n%s", &plot)
	}
	circles := 0
	for decoder := xml.NewDecoder(&plot); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if element, ok := token.(xml.StartElement); ok && element.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 4 {
		t.Errorf("got %d dots, want 4", circles)
	}
}
