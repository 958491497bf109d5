package access

import (
	"context"
	"slices"
	"strings"

	"account-api/internal/access/flow"
	"account-api/internal/decision"
)

// Recorded says what would become of recorded decisions.
type Recorded struct {
	Records      int             `json:"records"`
	Unchanged    int             `json:"unchanged"`
	Changed      map[Kind]int    `json:"changed,omitempty"`
	Examples     map[Kind]string `json:"examples,omitempty"` // a decision_id
	CannotJudge  int             `json:"cannotJudge"`        // a value that the rules read is erased
	Because      []string        `json:"because,omitempty"`  // the erased values
	Disagreement int             `json:"disagreement"`       // the base answers otherwise than the record says
}

// replay asks both versions about the records of an endpoint.
func replay(ctx context.Context, name string, reading flow.Reading, before, after version, records []decision.Record) *Recorded {
	r := &Recorded{Changed: map[Kind]int{}, Examples: map[Kind]string{}}
	for _, record := range records {
		if strings.Trim(record.Path, "/") != name+"/decision" {
			continue
		}
		r.Records++
		if erased := readAndErased(reading, record.Erased); len(erased) > 0 {
			r.CannotJudge++
			r.Because = append(r.Because, erased...)
			continue
		}
		was, is := before.answer(ctx, record.Input), after.answer(ctx, record.Input)
		if before.policy != nil && (was.Status == 200) != record.Result.Allow {
			r.Disagreement++
		}
		if kind := kind(was, is); kind == "" {
			r.Unchanged++
		} else {
			if r.Changed[kind]++; r.Changed[kind] == 1 {
				r.Examples[kind] = record.ID
			}
		}
	}
	slices.Sort(r.Because)
	r.Because = slices.Compact(r.Because)
	return r
}

// readAndErased are the erased values that a rule reads.
func readAndErased(reading flow.Reading, erased []string) (found []string) {
	for _, pointer := range erased {
		parts := strings.Split(strings.TrimPrefix(pointer, "/input/"), "/")
		for i, part := range parts {
			parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		}
		for leaf := range reading.Leaves {
			if leaf.Field == parts[0] && (len(parts) == 1 || leaf.Member == parts[1] || leaf.Member == "" || leaf.Member == flow.Member) {
				found = append(found, pointer)
				break
			}
		}
	}
	return found
}
