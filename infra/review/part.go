package main

import (
	"fmt"
	"slices"
	"strings"
)

// part is what one check says about a pull request: a row of the table and what it folds.
type part struct {
	Subject  string    `json:"subject"`
	Verdicts []verdict `json:"verdicts"`
	Sections []section `json:"sections,omitempty"`
}

// verdict is a word about one thing, as "guard rails: pass".
type verdict struct {
	Of    string `json:"of,omitempty"`
	Says  string `json:"says"`
	Grave bool   `json:"grave,omitempty"` // shown in bold
	Fails bool   `json:"fails,omitempty"` // the check fails
}

// section is folded. Text is shown as it is, in a fence; Markdown is rendered.
type section struct {
	Title    string `json:"title"`
	Text     string `json:"text,omitempty"`
	Markdown string `json:"markdown,omitempty"`
}

func (p part) fails() bool {
	return slices.ContainsFunc(p.Verdicts, func(v verdict) bool { return v.Fails })
}

// escaper keeps text from being read as Markdown, as HTML or as a mention.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "@", "&#64;",
	"`", "&#96;", "*", "&#42;", "_", "&#95;", "[", "&#91;", "]", "&#93;", "\n", " ", "\r", " ")

func (p part) row() string {
	var words []string
	for _, v := range p.Verdicts {
		says := escaper.Replace(v.Says)
		if v.Grave || v.Fails {
			says = "**" + says + "**"
		}
		if v.Of != "" {
			says = escaper.Replace(v.Of) + ": " + says
		}
		words = append(words, says)
	}
	return fmt.Sprintf("| %s | %s |\n", escaper.Replace(p.Subject), strings.Join(words, " · "))
}

// cutNote ends what was cut.
const cutNote = "\n*Cut here: it is longer than a comment may be. The run's summary has more.*\n"

// markdown is the table, and below it the sections, of at most limit bytes. What does not
// fit is cut from the end: the table stays whole.
func markdown(parts []part, limit int) string {
	var text strings.Builder
	text.WriteString("| | |\n|---|---|\n")
	for _, p := range parts {
		text.WriteString(p.row())
	}
	for _, p := range parts {
		for _, s := range p.Sections {
			head := fmt.Sprintf("\n<details><summary>%s: %s</summary>\n\n", escaper.Replace(p.Subject), escaper.Replace(s.Title))
			const tail = "\n</details>\n"
			left := limit - text.Len() - len(head) - len(tail) - 2*len(cutNote)
			body := s.Markdown
			if body == "" {
				body = fenced(s.Text)
			}
			if left < 200 {
				text.WriteString(cutNote)
				return text.String()
			}
			text.WriteString(head + cut(body, left) + tail)
		}
	}
	return text.String()
}

// fenced is text in a fence that the text cannot close.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "diff\n" + strings.TrimRight(text, "\n") + "\n" + fence + "\n"
}

// cut shortens Markdown to whole lines of at most limit bytes, closes a fence that is
// open at the end, and says so.
func cut(body string, limit int) string {
	if len(body) <= limit {
		return body
	}
	var kept strings.Builder
	open := "" // the fence
	for line := range strings.Lines(body) {
		trimmed := strings.TrimRight(line, "\n")
		if kept.Len()+len(line)+len(open)+1 > limit {
			break
		}
		kept.WriteString(line)
		if fence := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]; len(fence) >= 3 {
			switch {
			case open == "":
				open = fence
			case trimmed == open:
				open = ""
			}
		}
	}
	if open != "" {
		kept.WriteString(open + "\n")
	}
	return kept.String() + cutNote
}

// shortened are parts whose sections have at most limit bytes in all: what one job hands
// to another is limited.
func shortened(parts []part, limit int) []part {
	var all []part
	for _, p := range parts {
		sections := p.Sections
		p.Sections = nil
		for _, s := range sections {
			s.Text, s.Markdown = lines(s.Text, limit), cutIf(s.Markdown, limit)
			limit = max(0, limit-len(s.Text)-len(s.Markdown))
			p.Sections = append(p.Sections, s)
		}
		all = append(all, p)
	}
	return all
}

func cutIf(markdown string, limit int) string {
	if markdown == "" {
		return ""
	}
	return cut(markdown, limit)
}

// lines are the first lines of a text.
func lines(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := strings.LastIndex(text[:limit], "\n") + 1
	return text[:end] + "… cut here: the run's summary has more\n"
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
