// Package access compares two versions of the policies: which callers gain or lose access.
//
// It is for the reviewer of a change. It makes up callers from the constants of both
// versions, asks both through the code that decides in the handler, and reports where the
// answers differ, the smallest caller first. A reported change is certain. That nothing else
// changes is proven only where [Endpoint.Complete] says so; otherwise the callers are a
// sample. The written list is [flow.Shapes].
//
// It judges policies only. A changed issuer, audience, provider or Go code also decides who
// gets in.
package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"account-api/internal/access/flow"
	"account-api/internal/decision"
	"account-api/internal/ruleset"
)

// patience bounds the comparison of one endpoint, for policies whose decisions are slow.
const patience = 10 * time.Second

// Kind says what a change is, in the terms of Google's Policy Simulator:
// https://cloud.google.com/policy-intelligence/docs/iam-simulator-overview
type Kind string

// The kinds, the gravest first.
const (
	Error   Kind = "error"   // a caller who got an answer gets 500
	Gained  Kind = "gained"  // a caller who was not allowed is
	Revoked Kind = "revoked" // a caller who was allowed is not
	Reason  Kind = "reason"  // the answer has other reasons
)

var kinds = []Kind{Error, Gained, Revoked, Reason}

// Report is what a comparison found.
type Report struct {
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is the comparison of one policy.
type Endpoint struct {
	Name    string   `json:"name"`  // the directory in policies/
	State   State    `json:"state"` // of the comparison
	Faults  []string `json:"faults,omitempty"`
	Callers int      `json:"callers"` // that both versions were asked about
	Changes []Change `json:"changes"`

	// Complete reports that the callers stand for all callers: nothing else changes but
	// reasons that quote the input.
	Complete bool     `json:"complete"`
	Quotes   bool     `json:"quotes,omitempty"`  // a reason may quote the input
	Outside  []string `json:"outside,omitempty"` // expressions without one of the shapes
	LeftOut  []string `json:"leftOut,omitempty"` // callers that were not tried
	Reads    []string `json:"reads"`             // what the policies read of the input

	Recorded *Recorded `json:"recorded,omitempty"`
}

// State says what was compared.
type State string

// The states.
const (
	Same     State = "same"     // the files are equal
	Compared State = "compared" // both versions were asked
	New      State = "new"
	Removed  State = "removed"
	Broken   State = "broken" // neither version compiles
)

// Change is a group of callers whose answer changes alike.
type Change struct {
	Kind     Kind      `json:"kind"`
	Before   Answer    `json:"before"`
	After    Answer    `json:"after"`
	Callers  int       `json:"callers"`
	Smallest []Witness `json:"smallest"` // none of them has all of another, and more
	More     int       `json:"more,omitempty"`

	// Alone is the one field that decides whether a caller changes so, if it is one.
	Alone string `json:"alone,omitempty"`
	// Contrast is a caller close to the smallest whose answer does not change.
	Contrast *Contrast `json:"contrast,omitempty"`
}

// Witness is a caller: what it has, and the same in words.
type Witness struct {
	Input decision.Input `json:"input"`
	Words string         `json:"words"`
}

// Contrast is what makes the difference.
type Contrast struct {
	With   string `json:"with"`   // in words, added to the smallest caller
	Answer Answer `json:"answer"` // of both versions, in its status
}

// Answer is what a caller gets.
type Answer struct {
	Status  int      `json:"status"` // 200, 403, 500, or 0: there is no such endpoint
	Reasons []string `json:"reasons,omitempty"`
	Error   string   `json:"error,omitempty"`
}

func (a Answer) String() string {
	switch {
	case a.Status == 0:
		return "no such endpoint"
	case a.Error != "":
		return "500 " + a.Error
	case len(a.Reasons) > 0:
		return fmt.Sprint(a.Status, " ", strings.Join(a.Reasons, "; "))
	}
	return fmt.Sprint(a.Status)
}

// kind is what a change from one answer to another is; "" is none.
func kind(before, after Answer) Kind {
	switch {
	case after.Status == 200 && before.Status != 200:
		return Gained
	case after.Status == 500 && before.Status != 500:
		return Error
	case before.Status == 200 && after.Status != 200:
		return Revoked
	case before.Status == 0 || after.Status == 0:
		return ""
	case before.Status != after.Status || before.Status != 500 && !slices.Equal(before.Reasons, after.Reasons):
		return Reason
	}
	return ""
}

// version is one side's policy of an endpoint.
type version struct {
	present bool
	policy  *decision.Policy
	fault   string // why it does not compile
}

// Compare compares the policies in two directories policies/. Records are decisions from a
// log, or nil.
func Compare(ctx context.Context, base, head fs.FS, records []decision.Record) (Report, error) {
	names := map[string]bool{}
	for _, policies := range []fs.FS{base, head} {
		found, err := Endpoints(policies)
		if err != nil {
			return Report{}, err
		}
		for _, name := range found {
			names[name] = true
		}
	}
	if len(names) == 0 {
		return Report{}, errors.New("expected a directory in policies/ with a rule named decision, got none")
	}
	report := Report{Endpoints: []Endpoint{}}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		before, err := load(ctx, base, name)
		if err != nil {
			return Report{}, err
		}
		after, err := load(ctx, head, name)
		if err != nil {
			return Report{}, err
		}
		endpoint, err := compare(ctx, name, before, after, records)
		if err != nil {
			return Report{}, fmt.Errorf("policies/%s: %w", name, err)
		}
		report.Endpoints = append(report.Endpoints, endpoint)
	}
	return report, nil
}

// decisionRule finds a rule named decision in a file that may not parse.
var decisionRule = regexp.MustCompile(`(?m)^\s*(default\s+)?decision\b`)

// Endpoints are the directories of policies/ with an entrypoint.
func Endpoints(policies fs.FS) (names []string, err error) {
	directories, err := fs.ReadDir(policies, ".")
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	for _, directory := range directories {
		if !directory.IsDir() || directory.Name() == ruleset.Shared {
			continue
		}
		found := false
		own := ruleset.Of(policies, directory.Name())
		err := fs.WalkDir(own, directory.Name(), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || path.Ext(name) != ".rego" {
				return err
			}
			source, err := fs.ReadFile(own, name)
			found = found || decisionRule.Match(source)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read policies: %w", err)
		}
		if found {
			names = append(names, directory.Name())
		}
	}
	return names, nil
}

// load compiles one version. That it does not compile is no error here.
func load(ctx context.Context, policies fs.FS, name string) (version, error) {
	own := ruleset.Of(policies, name)
	if _, err := fs.Stat(policies, name); errors.Is(err, fs.ErrNotExist) {
		return version{}, nil
	} else if err != nil {
		return version{}, err
	}
	v := version{present: true}
	policy, err := decision.Prepare(ctx, own, name+"/decision")
	if err != nil {
		v.fault = err.Error()
		return v, ctx.Err()
	}
	v.policy = policy
	return v, nil
}

// same reports whether two versions have the same text.
func (v version) same(other version) bool {
	return v.policy != nil && other.policy != nil && v.policy.Revision() == other.policy.Revision()
}

// answer asks a version.
func (v version) answer(ctx context.Context, input decision.Input) Answer {
	switch {
	case !v.present:
		return Answer{}
	case v.policy == nil:
		return Answer{Status: 500, Error: "does not compile"}
	}
	switch decided, err := v.policy.Decide(ctx, input); {
	case err != nil:
		return Answer{Status: 500, Error: err.Error()}
	case decided.Allow:
		return Answer{Status: 200, Reasons: decided.Reasons}
	default:
		return Answer{Status: 403, Reasons: decided.Reasons}
	}
}

// read follows the constants of the versions that compile.
func read(versions ...version) flow.Reading {
	var policies []flow.Policy
	for _, v := range versions {
		if v.policy != nil {
			policies = append(policies, v.policy)
		}
	}
	return flow.Read(policies...)
}

func compare(ctx context.Context, endpoint string, before, after version, records []decision.Record) (Endpoint, error) {
	e := Endpoint{Name: endpoint, State: Compared, Changes: []Change{}, Reads: []string{}}
	switch {
	case !before.present:
		e.State = New
	case !after.present:
		e.State = Removed
	case before.same(after):
		e.State, e.Complete = Same, true
	case before.policy == nil && after.policy == nil:
		e.State = Broken
	}
	for _, side := range []struct {
		name string
		version
	}{{"base", before}, {"head", after}} {
		if side.fault != "" {
			e.Faults = append(e.Faults, side.name+" does not compile: "+side.fault)
		}
	}
	if e.State == Same || e.State == Broken {
		return e, nil
	}
	reading := read(before, after)
	for leaf := range reading.Leaves {
		e.Reads = append(e.Reads, name(leaf.String()))
	}
	slices.Sort(e.Reads)
	for _, expression := range reading.Outside {
		e.Outside = append(e.Outside, expression.String())
	}
	e.Quotes = reading.Quotes

	s := newSpace(reading)
	judged, err := judge(ctx, s, before, after)
	if err != nil {
		return Endpoint{}, err
	}
	e.Callers = len(judged.callers)
	e.LeftOut = append(s.leftOut, judged.leftOut...)
	e.Complete = judged.core && !s.cut && len(e.Outside) == 0
	e.Changes = changes(s, judged)
	if records != nil {
		e.Recorded = replay(ctx, endpoint, reading, before, after, records)
	}
	return e, nil
}
