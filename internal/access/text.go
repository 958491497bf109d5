package access

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// notCovered is what a comparison of policies cannot see.
const notCovered = "Not covered: the authorizer, settings such as issuer, audience and claims, API Gateway, and Go code also decide who gets in."

// most is how many expressions, or what else is a list, a report for people names.
const most = 6

// WriteJSON writes a report for machines.
func (r Report) WriteJSON(to io.Writer, terms Terms) error {
	verdict, reason := r.Verdict(terms)
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(struct {
		Report
		NotCovered  string  `json:"notCovered"`
		Fingerprint string  `json:"fingerprint,omitempty"`
		Reason      string  `json:"reason,omitempty"` // that allows what is gained
		Verdict     Verdict `json:"verdict"`
	}{r, notCovered, r.Fingerprint(), reason, verdict})
}

// WriteText writes a report for a terminal. The last line is the verdict.
func (r Report) WriteText(to io.Writer, terms Terms) error {
	var text strings.Builder
	for _, e := range r.Endpoints {
		fmt.Fprintf(&text, "policies/%s: %s\n", shown(e.Name), e.summary())
		for _, fault := range e.Faults {
			fmt.Fprintf(&text, "  %s\n", strings.ReplaceAll(fault, "\n", "\n    "))
		}
		for _, c := range e.Changes {
			fmt.Fprintf(&text, "  %-8s %s\n           before: %s\n           after:  %s\n", c.Kind, c.who(), c.Before, c.After)
			for _, note := range c.notes() {
				fmt.Fprintf(&text, "           %s\n", note)
			}
		}
		for _, note := range e.notes() {
			fmt.Fprintf(&text, "  %s\n", note)
		}
	}
	fmt.Fprintf(&text, "%s\n", notCovered)
	verdict, reason := r.Verdict(terms)
	if reason != "" {
		fmt.Fprintf(&text, "allowed, because: %s\n", reason)
	}
	fmt.Fprintf(&text, "verdict: %s\n", verdict)
	_, err := io.WriteString(to, printable(text.String()))
	return err
}

// WriteMarkdown writes a report for a comment in a pull request.
func (r Report) WriteMarkdown(to io.Writer, terms Terms) error {
	var text strings.Builder
	verdict, reason := r.Verdict(terms)
	fmt.Fprintf(&text, "## Access: %s\n\n", verdict)
	var same []string
	for _, e := range r.Endpoints {
		if e.State == Same {
			same = append(same, code("policies/"+e.Name))
			continue
		}
		fmt.Fprintf(&text, "### policies/%s\n\n%s\n\n", name(e.Name), e.summary())
		for _, fault := range e.Faults {
			fmt.Fprintf(&text, "```\n%s\n```\n\n", strings.ReplaceAll(fault, "```", "'''"))
		}
		if len(e.Changes) > 0 {
			text.WriteString("| change | smallest caller | before | after | |\n|---|---|---|---|---|\n")
		}
		for _, c := range e.Changes {
			fmt.Fprintf(&text, "| **%s** | %s | %s | %s | %s |\n", c.Kind, c.who(), code(c.Before.String()), code(c.After.String()), strings.Join(c.notes(), ". "))
		}
		if len(e.Changes) > 0 {
			text.WriteString("\n")
		}
		for _, note := range e.notes() {
			fmt.Fprintf(&text, "- %s\n", note)
		}
		text.WriteString("\n")
	}
	if len(same) > 0 {
		fmt.Fprintf(&text, "Unchanged: %s.\n\n", strings.Join(same, ", "))
	}
	if fingerprint := r.Fingerprint(); reason != "" {
		fmt.Fprintf(&text, "Allowed, because: %s\n\n", code(reason))
	} else if fingerprint != "" {
		fmt.Fprintf(&text, "If this is meant, say why in a line of the pull request's description:\n\n```\nAccess-reviewed: %s <reason>\n```\n\n", fingerprint)
	}
	fmt.Fprintf(&text, "%s\n", notCovered)
	_, err := io.WriteString(to, printable(text.String()))
	return err
}

// printable is text without what moves a terminal's cursor or turns the direction of writing.
// Faults quote lines of the policies.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, text)
}

// code is a code span for a cell of a table, for text that the change's author wrote.
func code(text string) string {
	return "`" + strings.NewReplacer("`", "'", "|", "¦", "\n", " ", "\r", " ").Replace(text) + "`"
}

// summary says in a line what was compared and how much it proves.
func (e Endpoint) summary() string {
	switch e.State {
	case Same:
		return "unchanged"
	case Broken:
		return "compiles in neither version"
	}
	changed := map[Kind]int{}
	for _, c := range e.Changes {
		changed[c.Kind] += c.Callers
	}
	var parts []string
	for _, kind := range kinds {
		if changed[kind] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", kind, changed[kind]))
		}
	}
	if parts == nil {
		parts = []string{"no answer changes"}
	}
	text := fmt.Sprintf("%s of %d callers", strings.Join(parts, ", "), e.Callers)
	if e.State != Compared {
		text = string(e.State) + " endpoint: " + text
	}
	if e.Complete {
		return text + "; complete: they stand for all callers"
	}
	return text + "; a sample, not a proof"
}

// who names the smallest callers.
func (c Change) who() string {
	var all []string
	for _, w := range c.Smallest {
		all = append(all, w.Words)
	}
	text := strings.Join(all, "; or ")
	if c.More > 0 {
		text += "; and others"
	}
	return text
}

func (c Change) notes() (notes []string) {
	notes = append(notes, fmt.Sprintf("%d callers", c.Callers))
	if c.Callers == 1 {
		notes[0] = "1 caller"
	}
	if c.Alone != "" {
		notes = append(notes, "depends on "+c.Alone+" alone")
	}
	if c.Contrast != nil {
		notes = append(notes, fmt.Sprintf("still %d with %s", c.Contrast.Answer.Status, c.Contrast.With))
	}
	return notes
}

// notes say what else a reader has to know.
func (e Endpoint) notes() (notes []string) {
	if e.State == Same || e.State == Broken {
		return nil
	}
	if len(e.Reads) > 0 {
		notes = append(notes, "reads "+strings.Join(e.Reads, ", ")+`. "other" and "another" stand for any value that no rule names`)
	}
	for i, expression := range e.Outside {
		if i == most {
			notes = append(notes, fmt.Sprintf("and %d more expressions", len(e.Outside)-most))
			break
		}
		notes = append(notes, "not proven: "+code(expression))
	}
	for _, what := range e.LeftOut {
		notes = append(notes, "left out: "+what)
	}
	if e.Quotes {
		notes = append(notes, "a reason may quote the input: reasons for other values were not compared")
	}
	if r := e.Recorded; r != nil {
		text := fmt.Sprintf("recorded: %d decisions, %d unchanged", r.Records, r.Unchanged)
		for _, kind := range slices.Sorted(maps.Keys(r.Changed)) {
			text += fmt.Sprintf(", %d %s (such as %s)", r.Changed[kind], kind, shown(r.Examples[kind]))
		}
		if r.CannotJudge > 0 {
			text += fmt.Sprintf(", %d cannot be judged (the log erases %s)", r.CannotJudge, shown(strings.Join(r.Because, ", ")))
		}
		notes = append(notes, text)
		if r.Disagreement > 0 {
			notes = append(notes, fmt.Sprintf("recorded: to %d the base answers otherwise than the log says: is the log of another version?", r.Disagreement))
		}
	}
	return notes
}
