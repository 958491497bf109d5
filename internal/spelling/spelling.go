// Package spelling finds the name that somebody meant who wrote another, for an error's fix.
package spelling

import (
	"cmp"
	"slices"
	"strings"
)

// Nearest is the known name that a misspelt one is close to, or "".
func Nearest(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	nearest := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(edits(name, a), edits(name, b)) })
	if edits(name, nearest) > max(2, len(name)/3) {
		return ""
	}
	return nearest
}

// edits counts the insertions, deletions and replacements of letters that turn one
// word into another, in any case (Levenshtein's distance).
func edits(from, to string) int {
	from, to = strings.ToLower(from), strings.ToLower(to)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(from) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(to) {
			replaced := diagonal
			if from[i] != to[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, diagonal+1, row[j]+1)
		}
	}
	return row[len(to)]
}
