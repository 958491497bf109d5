package trace

import (
	"strings"
	"testing"
)

const decisionLine = `{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","msg":"Decision Log","path":"seats/decision",` +
	`"revision":"0123456789abcdef0123","decision_id":"d-1","input":{"scope":"secret:scope"},"erased":["/input/principal"],` +
	`"result":{"allow":false,"reasons":["scope \"read:seats\" is required"]},"metrics":{"timer_rego_query_eval_ns":61200}}`

func TestReadDecision(t *testing.T) {
	for name, row := range map[string]struct {
		lines []string
		want  string // "" when there is none
		words string
	}{
		"a denial has its reasons":      {[]string{decisionLine}, `deny by seats/decision: scope "read:seats" is required (decision_id d-1, revision 0123456789ab, 61µs)`, `denied: scope "read:seats" is required`},
		"the last one counts":           {[]string{`{"decision_id":"d-0","result":{"allow":true}}`, decisionLine, "more"}, `deny by seats/decision: scope "read:seats" is required (decision_id d-1, revision 0123456789ab, 61µs)`, `denied: scope "read:seats" is required`},
		"an allowed request needs none": {[]string{`{"path":"p","decision_id":"d-2","result":{"allow":true,"reasons":[]}}`}, "allow by p (decision_id d-2, revision , 0s)", "allowed"},
		"a denial without a reason":     {[]string{`{"path":"p","decision_id":"d-5","result":{"allow":false,"reasons":[]}}`}, "deny by p (decision_id d-5, revision , 0s)", "denied"},
		"a failure has its cause":       {[]string{`{"decision_id":"d-3","error":"undefined"}`}, "none: undefined (decision_id d-3)", "no decision: undefined"},
		"no log":                        {nil, "", ""},
		"a line that is no JSON":        {[]string{`"decision_id"`, `{"decision_id":`}, "", ""},
		"a line that decides nothing":   {[]string{`{"decision_id":"d-4"}`}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, found := Trace{Invocations: []Invocation{{Log: row.lines}, {Log: []string{"another function"}}}}.Decision()
			got, words := "", ""
			if found {
				got, words = d.String(), d.Verdict()
			}
			if got != row.want || words != row.words {
				t.Errorf("expected %q and %q, got %q and %q", row.want, row.words, got, words)
			}
		})
	}
}

func FuzzReadDecision(f *testing.F) {
	f.Add(decisionLine)
	f.Add(`{"decision_id":"x","error":"y"}`)
	f.Add(`{"decision_id":1}`)
	f.Fuzz(func(t *testing.T, line string) {
		if d, found := ReadDecision([]string{line}); found && !strings.Contains(d.String(), "decision_id "+d.ID) {
			t.Errorf("expected the decision's ID, got %q", d)
		}
	})
}
