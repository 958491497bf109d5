package trace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Decision is a line of a handler's decision log, as far as it explains an answer. The members
// are OPA's: https://www.openpolicyagent.org/docs/management-decision-logs
type Decision struct {
	Path     string          `json:"path"`
	Revision string          `json:"revision"`
	ID       string          `json:"decision_id"`
	Error    string          `json:"error"` // why there is no result
	Input    json.RawMessage `json:"input"`
	Erased   []string        `json:"erased"` // pointers to what the input lacks
	Result   *struct {
		Allow   bool     `json:"allow"`
		Reasons []string `json:"reasons"`
	} `json:"result"`
	Explanation []string `json:"explanation"` // of a denial: the expressions that failed
	Metrics     struct {
		Evaluation time.Duration `json:"timer_rego_query_eval_ns"`
	} `json:"metrics"`
}

// Decision finds the last decision in the logs of the invocations.
func (t Trace) Decision() (Decision, bool) {
	for _, i := range slices.Backward(t.Invocations) {
		if d, found := ReadDecision(i.Log); found {
			return d, true
		}
	}
	return Decision{}, false
}

// ReadDecision finds the last decision in what a function logged.
func ReadDecision(lines []string) (Decision, bool) {
	for _, line := range slices.Backward(lines) {
		var d Decision
		if strings.Contains(line, `"decision_id"`) && json.Unmarshal([]byte(line), &d) == nil && d.ID != "" && (d.Result != nil || d.Error != "") {
			return d, true
		}
	}
	return Decision{}, false
}

// Verdict is the result in words: "allowed", or "denied: " and the reasons.
func (d Decision) Verdict() string {
	switch {
	case d.Result == nil:
		return "no decision: " + d.Error
	case d.Result.Allow:
		return "allowed"
	}
	return strings.TrimSuffix("denied: "+strings.Join(d.Result.Reasons, "; "), ": ")
}

func (d Decision) String() string {
	if d.Result == nil {
		return fmt.Sprintf("none: %s (decision_id %s)", d.Error, d.ID)
	}
	verdict := "deny"
	if d.Result.Allow {
		verdict = "allow"
	}
	text := verdict + " by " + d.Path
	if len(d.Result.Reasons) > 0 {
		text += ": " + strings.Join(d.Result.Reasons, "; ")
	}
	return fmt.Sprintf("%s (decision_id %s, revision %.12s, %v)", text, d.ID, d.Revision, d.Metrics.Evaluation.Round(time.Microsecond))
}
