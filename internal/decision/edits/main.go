// Command edits tries out edits of a policy, right and wrong, and writes what each command
// says about them to docs/policy-edits.md. It runs in the project:
//
//	go run ./internal/decision/edits
//
// It makes each edit in a project of its own. The commands run in this process, by the same
// functions that the commands call: make test and make run share package regotest, make
// build and pulumi preview share package bundle. For the stock opa command it calls the
// loader, the compiler and the tester of the pinned OPA with the documented flags.
package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/template"
)

func main() {
	if err := write(context.Background(), "docs/policy-edits.md"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(ctx context.Context, name string) error {
	tried, err := tryAll(ctx)
	if err != nil {
		return err
	}
	text, err := page(tried)
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, 0o644)
}

// tryAll makes every edit.
func tryAll(ctx context.Context) ([]verdicts, error) {
	var tried []verdicts
	for _, e := range edits {
		v, err := e.try(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.name, err)
		}
		tried = append(tried, v)
	}
	return tried, nil
}

//go:embed policy-edits.md.tmpl
var text string

// page shows what every command says.
func page(tried []verdicts) ([]byte, error) {
	var out bytes.Buffer
	err := template.Must(template.New("").Parse(text)).Execute(&out, map[string]any{"Edits": tried, "Rules": project[rules], "Tests": project[tests]})
	return out.Bytes(), err
}

// Name is the edit in a sentence.
func (v verdicts) Name() string { return v.name }

// Answer is what the handler answers to the caller who must not get in.
func (v verdicts) Answer() string {
	if v.settings != "" {
		return fmt.Sprintf("%d, if it were built", v.Denied)
	}
	return fmt.Sprint(v.Denied)
}

// Note is why stock opa, or the handler, says something else.
func (v verdicts) Note() string { return cmp.Or(v.stock, v.stricter, v.settings) }

// kind is OPA's code of an error, which says little to a reader.
var kind = regexp.MustCompile(`rego_\w+: `)

// Says is the line of the refusal that names the edit's fault.
func (v verdicts) Says() string {
	for line := range strings.SplitSeq(v.Build.Message, "\n") {
		if v.message != "" && strings.Contains(line, v.message) {
			line = kind.ReplaceAllString(line, "")
			line, _, _ = strings.Cut(line, ", want one of")
			line, _, _ = strings.Cut(line, ": add ")
			return "`" + strings.ReplaceAll(strings.ReplaceAll(line, "`", "'"), "|", `\|`) + "`"
		}
	}
	return ""
}
