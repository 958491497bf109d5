package main

import "account-api/bench/report"

// panels are the comparisons that a plot shows best: start-up and the cost of a request.
func (b *bench) panels() []report.Panel {
	return []report.Panel{
		b.panel("Start: CPU from exec to the first poll, × hello-world", "× "+helloWorld, "P6", "P7"),
		b.panel("Authentication: verify one token, × raw RSA", "× "+rawRSA, "P1"),
		b.panel("Authorization: one decision, × the policy engine's floor", "× "+engineFloor, "P5"),
		b.panel("Invocation: CPU through the Runtime API, × hello-world", "× "+helloWorld, "P9"),
	}
}

// panel collects the rows of the figures that have the unit. Ours are those with a bar.
func (b *bench) panel(title, unit string, figures ...string) report.Panel {
	p := report.Panel{Title: title}
	for _, figure := range figures {
		for _, row := range b.report.Rows {
			if row.Figure == figure && row.Unit == unit && row.Missing == "" && row.Quartile[0] > 0 {
				p.Dots = append(p.Dots, report.Dot{Name: row.Name, Row: row, Ours: row.Bar > 0})
			}
		}
	}
	return p
}
