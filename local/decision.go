package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"account-api/local/gateway"
)

// decision is the part of a handler's decision log that explains an answer. It leaves out
// the input, which holds claims. The members are OPA's:
// https://www.openpolicyagent.org/docs/management-decision-logs
type decision struct {
	Path     string `json:"path"`
	Revision string `json:"revision"`
	ID       string `json:"decision_id"`
	Error    string `json:"error"` // why there is no result
	Result   *struct {
		Allow   bool     `json:"allow"`
		Reasons []string `json:"reasons"`
	} `json:"result"`
	Explanation []string `json:"explanation"` // of a denial: the expressions that failed
	Metrics     struct {
		Evaluation int64 `json:"timer_rego_query_eval_ns"`
	} `json:"metrics"`
}

// readDecision finds the decision in what a function logged during an invocation.
func readDecision(lines []string) (decision, bool) {
	for _, line := range slices.Backward(lines) {
		var d decision
		if strings.Contains(line, `"decision_id"`) && json.Unmarshal([]byte(line), &d) == nil && d.ID != "" && (d.Result != nil || d.Error != "") {
			return d, true
		}
	}
	return decision{}, false
}

func (d decision) String() string {
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
	return fmt.Sprintf("%s (decision_id %s, revision %.12s, %v)", text, d.ID, d.Revision,
		time.Duration(d.Metrics.Evaluation).Round(time.Microsecond))
}

// maxDecisions bounds the decisions that are kept. The gateway takes each one right after
// the function's answer, but none of an invocation that timed out.
const maxDecisions = 256

// decisions keeps what functions decided until the gateway reports the exchange. It is
// safe for concurrent use.
type decisions struct {
	mu    sync.Mutex
	of    map[string]decision // by the function's request ID
	order []string            // keys, oldest first; those of decisions that were taken stay
}

func newDecisions() *decisions { return &decisions{of: map[string]decision{}} }

func (d *decisions) note(requestID string, lines []string) {
	decided, found := readDecision(lines)
	if !found {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.order) == maxDecisions {
		delete(d.of, d.order[0])
		d.order = append(d.order[:0], d.order[1:]...)
	}
	d.of[requestID] = decided
	d.order = append(d.order, requestID)
}

// testsHop is the hop of a step about failing tests.
const testsHop = "tests"

// explain adds the decision to the steps of an exchange, before the function's answer. Failing
// says which tests of a handler's policy fail, "" for none.
func (d *decisions) explain(e gateway.Exchange, failing func(handler string) string) gateway.Exchange {
	if e.Integration == nil {
		return e
	}
	d.mu.Lock()
	decided, known := d.of[e.Integration.RequestID]
	delete(d.of, e.Integration.RequestID)
	d.mu.Unlock()
	if !known {
		return e
	}
	at := slices.IndexFunc(e.Steps, func(s gateway.Step) bool { return s.Hop == "integration" })
	if at < 0 {
		at = len(e.Steps)
	}
	steps := []gateway.Step{{Hop: "decision", Detail: decided.String()}}
	for _, failed := range decided.Explanation {
		steps = append(steps, gateway.Step{Hop: "failed", Detail: failed})
	}
	handler, _, _ := strings.Cut(decided.Path, "/")
	if text := failing(handler); text != "" {
		steps = append(steps, gateway.Step{Hop: testsHop, Detail: text})
	}
	e.Steps = slices.Insert(slices.Clone(e.Steps), at, steps...)
	return e
}
