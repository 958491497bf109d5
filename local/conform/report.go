package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// maxDetail, in bytes, of one line about a difference: a foreign server's error page
// is not for a terminal.
const maxDetail = 300

// report writes the table.
type report struct {
	out     io.Writer
	redact  redactor
	verbose bool
	group   string

	pass, differ, notRun int
}

func newReport(out io.Writer, s settings) *report {
	return &report{out: out, redact: newRedactor(s.token, s.withoutScope), verbose: s.verbose}
}

func (r *report) printf(format string, args ...any) {
	fmt.Fprintf(r.out, "%s\n", strings.TrimRight(r.redact.redact(fmt.Sprintf(format, args...)), " "))
}

func (r *report) begin(s settings, first *answer) {
	r.printf("%s on %s, over %s", s.target.url, s.target.place, first.proto)
}

func (r *report) write(o outcome) {
	if o.group != r.group {
		r.group = o.group
		r.printf("\n%s", o.group)
	}
	verdict := o.verdict()
	switch verdict {
	case "pass":
		r.pass++
	case "differ":
		r.differ++
	default:
		r.notRun++
	}
	name := o.name
	if o.missing != "" {
		name += " (" + o.missing + ")"
	}
	r.printf("  %-8s %s", verdict, name)
	for _, problem := range o.problems {
		r.printf("             %s", cut(r.redact.redact(problem)))
	}
	if r.verbose {
		for _, a := range o.answers {
			r.printf("           . %s: %d %s in %v", a.request, a.status, cmp.Or(a.header.Get(errorTypeHeader), "without an error type"), a.took.Round(time.Millisecond))
		}
	}
}

// cases is how many rows there are so far.
func (r *report) cases() int { return r.pass + r.differ + r.notRun }

func (r *report) end() {
	r.printf("\n%d pass, %d differ, %d not run", r.pass, r.differ, r.notRun)
}

// cut shortens a line at a rune.
func cut(line string) string {
	if len(line) <= maxDetail {
		return line
	}
	end := maxDetail
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + " …"
}

// redactor takes tokens out of text, whole or in parts: a server may echo them.
type redactor struct{ replacer *strings.Replacer }

// minSecret, in bytes, is the shortest part of a token that is taken out.
const minSecret = 8

func newRedactor(tokens ...string) redactor {
	var pairs []string
	for _, token := range tokens {
		for _, secret := range append([]string{token}, strings.Split(token, ".")...) {
			if len(secret) >= minSecret {
				pairs = append(pairs, secret, "[token]")
			}
		}
	}
	return redactor{strings.NewReplacer(pairs...)}
}

func (r redactor) redact(text string) string { return r.replacer.Replace(text) }
