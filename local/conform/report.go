package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// maxDetail, in bytes, is the most that is shown of one difference. An answer may be a
	// whole HTML page.
	maxDetail = 300
	// minSecret, in bytes, is the shortest part of a token that is taken out of the output.
	minSecret = 8
)

// report writes the table.
type report struct {
	out     io.Writer
	redact  *strings.Replacer
	verbose bool
	group   string

	pass, differ, notRun int

	// What was written, for the formats that machines read.
	heading string
	results []outcome
	remarks []string
	settled []settled
}

// outcome is what became of a case.
type outcome struct {
	Group    string   `json:"group"`
	Name     string   `json:"name"`
	Status   string   `json:"status"` // pass, differ or not run
	Missing  string   `json:"missing,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// settled is what a run saw of something that could not be confirmed.
type settled struct {
	Question string `json:"question"`
	Assumed  string `json:"assumed"`
	Saw      string `json:"saw,omitempty"` // "" is nothing
}

func (r *report) printf(format string, args ...any) {
	fmt.Fprintf(r.out, "%s\n", strings.TrimRight(r.redact.Replace(fmt.Sprintf(format, args...)), " "))
}

func (r *report) write(k *testCase, a *answer, problems []string) {
	if k.group != r.group {
		r.group = k.group
		r.printf("\n%s", k.group)
	}
	became := outcome{Group: r.redact.Replace(k.group), Name: r.redact.Replace(k.name), Missing: k.missing}
	switch {
	case k.missing != "":
		r.printf("  not run  %s (%s)", k.name, k.missing)
		r.notRun++
		became.Status = "not run"
	case len(problems) > 0:
		r.printf("  differ   %s", k.name)
		r.differ++
		became.Status = "differ"
	default:
		r.printf("  pass     %s", k.name)
		r.pass++
		became.Status = "pass"
	}
	for _, problem := range problems {
		problem = r.cut(problem)
		r.printf("             %s", problem)
		became.Problems = append(became.Problems, problem)
	}
	r.results = append(r.results, became)
	if r.verbose {
		r.list(a)
	}
}

// list shows an answer, after the one before it.
func (r *report) list(a *answer) {
	if a == nil {
		return
	}
	r.list(a.before)
	r.printf("           . %s %s: %d %s in %v", a.request.method, a.request.path, a.StatusCode,
		cmp.Or(a.Header.Get(errorType), "without an error type"), a.took.Round(time.Millisecond))
}

// cut shortens a line, after tokens were taken out: half a token could not be found.
func (r *report) cut(line string) string {
	if line = r.redact.Replace(line); len(line) > maxDetail {
		line = strings.ToValidUTF8(line[:maxDetail], "") + " …"
	}
	return line
}

// newRedactor takes tokens out of text, whole or in parts: a server may echo them.
func newRedactor(tokens ...token) *strings.Replacer {
	var pairs []string
	for _, t := range tokens {
		for _, secret := range append([]string{t.value}, strings.Split(t.value, ".")...) {
			if len(secret) >= minSecret {
				pairs = append(pairs, secret, "[token]")
			}
		}
	}
	return strings.NewReplacer(pairs...)
}
