// Package trial says what edited policies would do before they serve: whether a build would
// accept them, what their tests find, and which of the latest requests they would decide
// otherwise.
//
// It knows Rego and the layout of the directory policies, and nothing of the API. Everything
// happens in this process and takes milliseconds.
package trial

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/format"

	"account-api/internal/decision"
	"account-api/internal/regotest"
	"account-api/internal/ruleset"
)

// policiesDir is the directory of all policies, with one directory for each handler.
const policiesDir = "policies"

// budget is the longest that one decision may take, as in a handler.
const budget = time.Second

// Request is a recorded request to a policy.
type Request struct {
	Number     int    // by which a [Change] names it
	Entrypoint string // that decided, such as "orders/decision"
	Input      decision.Input
}

// handler is the name of the policy's directory.
func (r Request) handler() string {
	name, _, _ := strings.Cut(r.Entrypoint, "/")
	return name
}

// Change is a request that two versions of a policy decide differently, in words.
type Change struct {
	Number        int
	Before, After string
}

// Problem is a fault in a policy.
type Problem struct {
	File string // from the project's root; "" if unknown
	Line int    // 0 if unknown
	Text string
}

func (p Problem) String() string {
	if p.File == "" {
		return p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// Report is what a trial found.
type Report struct {
	Problems []Problem // why a build would refuse the policy; the rest is empty then
	Tests    int
	Failed   []string // tests, each with what it says

	// Uncovered are the lines that no test evaluates, as "policies/orders/orders.rego:7-9".
	Uncovered []string
	Asked     int // requests that were decided again
	Changes   []Change
}

// Trial compares edited policies with those that serve. It is safe for concurrent use.
type Trial struct {
	root    string
	mu      sync.Mutex
	serving map[string]*decision.Policy // by handler
}

// New returns a trial of the policies of the project in root. Until [Trial.Adopt] is called,
// none serves.
func New(root string) *Trial { return &Trial{root: root, serving: map[string]*decision.Policy{}} }

// Adopt takes the policies of handlers, as they are on disk, for those that serve now. It
// returns which of the requests they decide differently than those before, and how many could
// be compared.
func (t *Trial) Adopt(ctx context.Context, handlers []string, requests []Request) (changes []Change, compared int) {
	next := map[string]*decision.Policy{}
	for _, handler := range handlers {
		if policy, err := t.prepare(ctx, t.files(nil), handler); err == nil { // else none of this handler can be compared
			next[handler] = policy
		}
	}
	t.mu.Lock()
	before := t.serving
	t.serving = next
	t.mu.Unlock()
	return compare(ctx, before, next, requests)
}

// Verdict is what the policy that serves now decides about a request, in words, or "" if the
// policy is not known.
func (t *Trial) Verdict(ctx context.Context, r Request) string {
	t.mu.Lock()
	policy := t.serving[r.handler()]
	t.mu.Unlock()
	if policy == nil {
		return ""
	}
	return verdict(ctx, policy, r.Input)
}

// Try says what a file of a policy would do with another text. The name is slash-separated,
// from the project's root. A shared file is tried with the policy of each of the handlers.
func (t *Trial) Try(ctx context.Context, name, text string, handlers []string, requests []Request) Report {
	inside := strings.TrimPrefix(name, policiesDir+"/")
	directory, _, _ := strings.Cut(inside, "/")
	if directory != ruleset.Shared {
		handlers = []string{directory}
	}
	files := t.files(map[string]string{inside: text})
	var r Report
	next := map[string]*decision.Policy{}
	for _, handler := range handlers {
		policy, err := t.prepare(ctx, files, handler)
		if err != nil {
			r.Problems = append(r.Problems, problems(err)...)
			continue
		}
		next[handler] = policy
		r.test(ctx, files, handler)
	}
	if directory == ruleset.Shared {
		r.test(ctx, files, directory)
	}
	if len(r.Problems) > 0 {
		return Report{Problems: slices.Compact(r.Problems)}
	}
	t.mu.Lock()
	before := maps.Clone(t.serving)
	t.mu.Unlock()
	r.Changes, r.Asked = compare(ctx, before, next, requests)
	return r
}

// Format returns the text of a Rego file as opa fmt writes it, or as it is if it does not
// parse.
func Format(text string) string {
	formatted, err := format.Source("", []byte(text))
	if err != nil {
		return text
	}
	return string(formatted)
}

// files are the policies on disk, with other texts for some.
func (t *Trial) files(texts map[string]string) fs.FS {
	return edited{os.DirFS(filepath.Join(t.root, policiesDir)), texts}
}

// prepare compiles the policy of a handler as a build does.
func (t *Trial) prepare(ctx context.Context, files fs.FS, handler string) (*decision.Policy, error) {
	claims, err := ruleset.Claims(os.DirFS(t.root))
	if err != nil {
		return nil, err
	}
	return decision.PrepareFor(ctx, ruleset.Of(files, handler), handler+"/decision", decision.Stack{Claims: claims})
}

// took is the duration in what a test says.
var took = regexp.MustCompile(` \([0-9.]+[nµm]?s\)`)

// test runs the Rego tests of a directory.
func (r *Report) test(ctx context.Context, files fs.FS, directory string) {
	suite, err := regotest.Load(files, directory)
	var result regotest.Result
	if err == nil {
		result, err = suite.Run(ctx)
	}
	r.Tests += result.Tests
	r.Uncovered = append(r.Uncovered, result.Uncovered...)
	for _, failed := range result.Failed {
		r.Failed = append(r.Failed, took.ReplaceAllString(strings.TrimPrefix(failed, "data."), ""))
	}
	if err != nil { // a test that does not compile: the policy does
		for _, problem := range problems(err) {
			r.Failed = append(r.Failed, problem.String())
		}
	}
}

// compare returns the requests that next decides differently than before, and how many could
// be asked.
func compare(ctx context.Context, before, next map[string]*decision.Policy, requests []Request) (changes []Change, asked int) {
	for _, request := range requests {
		old, fresh := before[request.handler()], next[request.handler()]
		if old == nil || fresh == nil || ctx.Err() != nil {
			continue
		}
		asked++
		if was, is := verdict(ctx, old, request.Input), verdict(ctx, fresh, request.Input); was != is {
			changes = append(changes, Change{request.Number, was, is})
		}
	}
	return changes, asked
}

// verdict is a decision in words.
func verdict(ctx context.Context, policy *decision.Policy, input decision.Input) string {
	limited, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	decided, err := policy.Decide(limited, input)
	switch {
	case err != nil:
		return "an error: " + err.Error()
	case decided.Allow:
		return "allowed"
	case len(decided.Reasons) == 0:
		return "denied"
	}
	return "denied: " + strings.Join(decided.Reasons, "; ")
}

// place is the beginning of a line about a fault in a Rego file, and OPA's code of it.
var place = regexp.MustCompile(`^(?:.*: )?(?:policies/)?(\S+\.rego):(\d+): (?:rego_\w+_error: )?(.*)$`)

// counted is a line above several faults.
var counted = regexp.MustCompile(`^\d+ errors? occurred:$`)

// problems are the lines of an error.
func problems(err error) []Problem {
	var found []Problem
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimRight(line, "\n")
		switch match := place.FindStringSubmatch(line); {
		case match != nil:
			row, _ := strconv.Atoi(match[2]) // digits
			found = append(found, Problem{path.Join(policiesDir, match[1]), row, match[3]})
		case strings.HasPrefix(line, "\t") && len(found) > 0: // belongs to the line above
			found[len(found)-1].Text += "\n" + line
		case counted.MatchString(line):
		default:
			found = append(found, Problem{Text: line})
		}
	}
	return found
}

// edited are files with other texts for some.
type edited struct {
	fs.FS
	texts map[string]string
}

// Open implements [fs.FS].
func (e edited) Open(name string) (fs.File, error) {
	file, err := e.FS.Open(name)
	if text, replaced := e.texts[name]; replaced && err == nil {
		return editedFile{file, strings.NewReader(text)}, nil
	}
	return file, err
}

type editedFile struct {
	fs.File
	text io.Reader
}

func (f editedFile) Read(p []byte) (int, error) { return f.text.Read(p) }
