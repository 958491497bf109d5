package fidelity

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Page is the document about the rows.
func (r *Record) Page() string {
	var b strings.Builder
	all, kinds, gaps := 0, map[Kind]int{}, ""
	table := ""
	for _, area := range r.Areas {
		stage, differs, of := 0, 0, map[Kind]int{}
		for _, row := range area.Rows {
			all++
			of[r.best(row)]++
			kinds[r.best(row)]++
			if row.Stage != "" {
				stage++
			}
			if row.Differs != "" {
				differs++
				gaps += fmt.Sprintf("| %s: %s | %s | %s |\n", area.Name, row.Name, row.Differs, r.links(row.From))
			}
		}
		table += fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d |\n", area.Name, len(area.Rows), of[Recorded], of[Documented], of[Reported], stage, differs)
	}
	fmt.Fprintf(&b, `# How close the local API Gateway is

<!-- Written by make docs from local/fidelity/record.yaml: edit that file. -->

`+"`make test`"+` asks the local gateway %d questions to which the answer of Amazon API Gateway is published. %d answers were recorded on
AWS, %d are documented by AWS, and %d were reported by users. `+"`make conform URL=…`"+` asks a deployed stage those that need no
function and no token of their own, so that the record itself is checked against the service.

Every row has its source and a date: [local/fidelity/record.yaml](../local/fidelity/record.yaml). What nobody has published is no row;
package `+"`local/gateway`"+` names what it assumes in [unverified.go](../local/gateway/unverified.go).

| subject | rows | recorded | documented | reported | asked of a stage | differ here |
|---|---|---|---|---|---|---|
%s
A row counts for the best of its sources.

## Where the local gateway differs

The tests fail if one of these no longer differs.

| behaviour | here | source |
|---|---|---|
%s
## Sources

A recording has the date of the observation, where it is known. All else has the date on which it was read.

`, all, kinds[Recorded], kinds[Documented], kinds[Reported], table, gaps)
	for _, s := range slices.SortedFunc(maps.Values(r.Sources), func(a, b Source) int {
		return cmp.Or(slices.Index(Kinds, a.Kind)-slices.Index(Kinds, b.Kind), cmp.Compare(a.Title, b.Title))
	}) {
		fmt.Fprintf(&b, "- %s, %s: [%s](%s)\n", s.Kind, s.Date, s.Title, s.URL)
	}
	return b.String()
}

// best is the best kind among a row's sources.
func (r *Record) best(row Row) Kind {
	for _, kind := range Kinds {
		if slices.ContainsFunc(row.From, func(name string) bool { return r.Sources[name].Kind == kind }) {
			return kind
		}
	}
	return "" // a row has a source
}

func (r *Record) links(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprintf("[%s](%s)", r.Sources[name].Title, r.Sources[name].URL))
	}
	return strings.Join(all, ", ")
}
