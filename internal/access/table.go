package access

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Table says in Markdown who may do what, for each policy in a directory policies/. It is
// for reading: where it says that it shows a sample, others may be allowed too.
func Table(ctx context.Context, policies fs.FS) (string, error) {
	names, err := Endpoints(policies)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", fmt.Errorf("expected a directory in policies/ with a rule named decision, got none")
	}
	var page strings.Builder
	for _, name := range names {
		v, err := load(ctx, policies, name)
		if err != nil {
			return "", err
		}
		if v.fault != "" {
			return "", fmt.Errorf("policies/%s: %s", name, v.fault)
		}
		reading := read(v)
		s := newSpace(reading)
		j, err := judge(ctx, s, v, v)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&page, "## policies/%s\n\n| smallest caller | answer | but not with |\n|---|---|---|\n", name)
		for _, row := range s.rows(j) {
			page.WriteString(row)
		}
		page.WriteString("\n")
		if len(reading.Outside) > 0 || s.cut || !j.core {
			page.WriteString("These are samples. What the rules do with the input can let in others:\n\n")
			for _, e := range reading.Outside {
				fmt.Fprintf(&page, "- %s\n", code(e.String()))
			}
			for _, what := range slices.Concat(s.leftOut, j.leftOut) {
				fmt.Fprintf(&page, "- left out: %s\n", what)
			}
			page.WriteString("\n")
		}
	}
	return page.String(), nil
}

// rows are the answers with the smallest callers who get them: who is allowed first.
func (s space) rows(j judged) (rows []string) {
	members := map[uint32][]int{}
	var order []uint32
	for i, answer := range j.after {
		if i == len(j.callers) {
			break
		}
		if members[answer] == nil {
			order = append(order, answer)
		}
		members[answer] = append(members[answer], i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return j.answers[a].Status - j.answers[b].Status })
	for _, answer := range order {
		for i, small := range s.smallest(j, members[answer]) {
			if i == 2*mostWitnesses {
				rows = append(rows, fmt.Sprintf("| and others | %s | |\n", code(j.answers[answer].String())))
				break
			}
			but := ""
			if j.answers[answer].Status == 200 {
				but = s.but(j, small)
			}
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |\n", s.witness(small).Words, code(j.answers[answer].String()), but))
		}
	}
	return rows
}

// but is what takes access from a caller who has it: one thing more.
func (s space) but(j judged, small caller) string {
	for i, c := range j.callers {
		if j.answers[j.after[i]].Status == 200 {
			continue
		}
		if d := s.added(small, c); d >= 0 {
			return words(s.dimensions[d], s.dimensions[d].value(c[d]))
		}
	}
	return ""
}
