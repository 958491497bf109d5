package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"account-api/local/gateway"
	"account-api/local/lambda"
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

// maxNotes bounds the notes that are kept. The gateway takes each one right after the
// function's answer, but none of an invocation that timed out.
const maxNotes = 256

// notes keeps what functions decided, and why they failed, until the gateway reports the
// exchange. It is safe for concurrent use.
type notes struct {
	root string // the project

	mu    sync.Mutex
	of    map[string]note // by the function's request ID
	order []string        // keys, oldest first; those of notes that were taken stay
}

// note is what is known of an invocation besides its answer.
type note struct {
	decision *decision // nil if the function made none
	trouble  *trouble  // nil if it did not fail
}

func newNotes(root string) *notes { return &notes{root: root, of: map[string]note{}} }

// take keeps what an invocation says about itself.
func (n *notes) take(result lambda.Result, memoryMB int) {
	noted := note{trouble: readTrouble(result, memoryMB, n.root)}
	if decided, found := readDecision(result.LogTail); found {
		noted.decision = &decided
	}
	if noted == (note{}) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.order) == maxNotes {
		delete(n.of, n.order[0])
		n.order = append(n.order[:0], n.order[1:]...)
	}
	n.of[result.RequestID] = noted
	n.order = append(n.order, result.RequestID)
}

// give returns the note of an invocation, once.
func (n *notes) give(i *gateway.Invocation) note {
	if i == nil {
		return note{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	noted := n.of[i.RequestID]
	delete(n.of, i.RequestID)
	return noted
}

// Hops of steps that are added here. The terminal shows those about failing tests and about
// failures; the others take V=1.
const (
	testsHop = "tests"
	placeHop = "at"
	logHop   = "log"
)

// explain adds the decision to the steps of an exchange, before the function's answer, and
// says on its line why the policy denied or the function failed. Failing says which tests of
// a handler's policy fail, "" for none. The functions log to log.
func (n *notes) explain(e gateway.Exchange, failing func(handler string) string, log string) gateway.Exchange {
	var authorizer *gateway.Invocation
	if e.Authorization != nil {
		authorizer = e.Authorization.Invocation
	}
	asked, answered := n.give(authorizer), n.give(e.Integration)
	var steps []gateway.Step
	add := func(hop, detail string) { steps = append(steps, gateway.Step{Hop: hop, Detail: detail}) }
	if d := answered.decision; d != nil {
		add("decision", d.String())
		for _, failed := range d.Explanation {
			add("failed", failed)
		}
		handler, _, _ := strings.Cut(d.Path, "/")
		if text := failing(handler); text != "" {
			add(testsHop, text)
		}
		if d.Result != nil && !d.Result.Allow && e.Status == http.StatusForbidden {
			e.AnsweredBy, e.Reason = "policy", strings.Join(d.Result.Reasons, "; ")
		}
	}
	if e.Status >= http.StatusInternalServerError && (authorizer != nil || e.Integration != nil) {
		for _, t := range []*trouble{asked.trouble, answered.trouble} {
			if t == nil {
				continue
			}
			add("error", t.message)
			e.Reason = t.message
			if t.at != "" {
				add(placeHop, t.at)
			}
		}
		add(logHop, log)
	}
	at := slices.IndexFunc(e.Steps, func(s gateway.Step) bool { return s.Hop == "integration" })
	if at < 0 {
		at = len(e.Steps)
	}
	e.Steps = slices.Insert(slices.Clone(e.Steps), at, steps...)
	return e
}
