package report

import (
	"bytes"
	"fmt"
	"strings"
)

// The marks between which a document holds the table.
const (
	tableBegins = "<!-- The table between these marks is written by: go run -C bench . -docs -->\n"
	tableEnds   = "<!-- end of the table -->\n"
)

// ReplaceTable returns the document with this report as its table.
func (r Report) ReplaceTable(document []byte) ([]byte, error) {
	before, rest, begins := bytes.Cut(document, []byte(tableBegins))
	_, after, ends := bytes.Cut(rest, []byte(tableEnds))
	if !begins || !ends {
		return nil, fmt.Errorf("expected the document to have the lines %q and %q, got no such pair", strings.TrimSpace(tableBegins), strings.TrimSpace(tableEnds))
	}
	return bytes.Join([][]byte{before, []byte(tableBegins), r.markdown(), []byte(tableEnds), after}, nil), nil
}

func (r Report) markdown() []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "\n%d processors, %s/%s, %s.\n\n", r.Machine.Processors, r.Machine.OS, r.Machine.Architecture, strings.Replace(r.Machine.Go, "go", "Go ", 1))
	text.WriteString("| | figure | median (quartiles) | | bar | |\n|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		value := number(row.Median)
		if row.Rounds > 1 {
			value += " (" + spread(row.Estimate) + ")"
		}
		verdict := row.Verdict()
		switch {
		case row.Missing != "":
			value = "not measured: " + row.Missing
		case verdict == "MISSED", verdict == "DOUBTFUL":
			verdict = "**" + strings.ToLower(verdict) + "**"
		case verdict == "":
			value = "*" + value + "*"
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s |\n", row.Figure, row.Name, value, row.Unit, bound(row.Bar, row.Zero), verdict)
	}
	fmt.Fprintf(&text, "\nUS dollars for a million requests, list prices of %s:\n\n", r.PricesOf)
	text.WriteString("| memory | authorizer's answers | authorizer | profile | compute | + Lambda requests | + gateway and logs |\n|---|---|---|---|---|---|---|\n")
	for _, c := range r.Costs {
		fmt.Fprintf(&text, "| %d MB | %s | %.2f ms | %.2f ms | %.4f | %.4f | %.2f |\n", c.MemoryMB, c.answers(), c.Durations[0], c.Durations[1],
			c.Compute, c.Compute+c.Requests, c.Everything)
	}
	text.WriteString("\n")
	return text.Bytes()
}
