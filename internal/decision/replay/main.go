// Command replay decides again what a decision log has recorded, with the policies of this
// checkout, and prints what would be decided otherwise:
//
//	go run ./internal/decision/replay [-root .] decisions.jsonl
//
// The log has a JSON object on each line, as the handlers write it. What precedes the object,
// and other lines, do not count.
// A decision cannot be judged if the policy may read a field that the log has erased.
//
// The exit code is 1 if a decision differs, and 2 if the log or a policy cannot be read.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

func main() {
	root := flag.String("root", ".", "`directory` of the module")
	flag.Parse()
	os.Exit(run(context.Background(), os.Stdout, os.Stderr, *root, flag.Args()))
}

// whence is where a log comes from.
const whence = "a decision log is what a handler's log group in CloudWatch Logs has, or the functions.log of a make run; " +
	"docs/policies.md has the commands that save one"

func run(ctx context.Context, stdout, stderr io.Writer, root string, logs []string) int {
	if len(logs) != 1 {
		fmt.Fprintf(stderr, "expected the file of a decision log, got %q: make replay LOG=decisions.jsonl\n", logs)
		return 2
	}
	log, err := os.Open(logs[0])
	if err != nil {
		fmt.Fprintf(stderr, "%v: %s\n", err, whence)
		return 2
	}
	defer log.Close()
	r := replay{root: root, policies: map[string]*decision.Policy{}, unjudged: map[string]int{}, out: stdout}
	records, err := decision.ReadLog(log)
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", logs[0], err)
		return 2
	}
	for _, record := range records {
		if err := r.judge(ctx, record); err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
	}
	r.summary()
	if r.differ > 0 {
		return 1
	}
	return 0
}

// replay is what is known after some lines.
type replay struct {
	root         string
	policies     map[string]*decision.Policy // by entrypoint
	out          io.Writer
	same, differ int
	unjudged     map[string]int // decisions that cannot be judged, by reason
}

func (r *replay) judgedNot() (sum int) {
	for _, count := range r.unjudged {
		sum += count
	}
	return sum
}

func (r *replay) judge(ctx context.Context, logged decision.Record) error {
	policy, known := r.policies[logged.Path]
	if !known {
		handler, _, _ := strings.Cut(logged.Path, "/")
		var err error
		policy, err = decision.Prepare(ctx, ruleset.Of(os.DirFS(filepath.Join(r.root, "policies")), handler), logged.Path)
		if err != nil {
			return fmt.Errorf("the policy that decided %s: %w", logged.ID, err)
		}
		r.policies[logged.Path] = policy
	}
	reads := policy.Reads()
	for _, pointer := range logged.Erased {
		if field := strings.TrimPrefix(pointer, "/input/"); slices.Contains(reads, field) {
			reason := fmt.Sprintf("%s may read %s, which the log has erased", logged.Path, field)
			fmt.Fprintf(r.out, "%s cannot be judged: %s\n", logged.ID, reason)
			r.unjudged[reason]++
			return nil
		}
	}
	now, err := policy.Decide(ctx, logged.Input)
	switch {
	case err != nil:
		r.differ++
		fmt.Fprintf(r.out, "%s was %s, is an error: %v\n", logged.ID, words(*logged.Result), err)
	case now.Allow != logged.Result.Allow || !slices.Equal(now.Reasons, logged.Result.Reasons):
		r.differ++
		fmt.Fprintf(r.out, "%s was %s, is %s\n", logged.ID, words(*logged.Result), words(now))
	default:
		r.same++
	}
	return nil
}

func words(d decision.Decision) string {
	verdict := "denied"
	if d.Allow {
		verdict = "allowed"
	}
	if len(d.Reasons) > 0 {
		verdict += " (" + strings.Join(d.Reasons, "; ") + ")"
	}
	return verdict
}

func (r *replay) summary() {
	fmt.Fprintf(r.out, "%d decided the same, %d otherwise, %d cannot be judged\n", r.same, r.differ, r.judgedNot())
	for _, reason := range slices.Sorted(maps.Keys(r.unjudged)) {
		fmt.Fprintf(r.out, "  %d: %s\n", r.unjudged[reason], reason)
	}
}
