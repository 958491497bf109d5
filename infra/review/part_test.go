package main

import (
	"strings"
	"testing"
)

func TestTheTableIsEscaped(t *testing.T) {
	text := markdown([]part{{Subject: "a|b", Verdicts: []verdict{
		{Of: "infrastructure", Says: "<your tenant> of @team\nand `more` *of* it"}, {Of: "guard rails", Says: "2 violations", Fails: true},
	}}}, commentLimit)
	want := "| a&#124;b | infrastructure: &lt;your tenant&gt; of &#64;team and &#96;more&#96; &#42;of&#42; it · guard rails: **2 violations** |\n"
	if !strings.HasSuffix(text, want) {
		t.Errorf("expected the row\n%s\ngot\n%s", want, text)
	}
}

func TestTextCannotLeaveItsFence(t *testing.T) {
	text := markdown([]part{{Subject: "dev", Sections: []section{{Title: "why", Text: "set <your tenant>\n```\n</details>"}}}}, commentLimit)
	want := "````diff\nset <your tenant>\n```\n</details>\n````\n"
	if !strings.Contains(text, want) {
		t.Errorf("expected the text as it is in a longer fence\n%s\ngot\n%s", want, text)
	}
}

func TestACommentIsCutAtItsEnd(t *testing.T) {
	long := strings.Repeat("+ create Queue q\n", 10_000)
	parts := []part{
		{Subject: "dev", Verdicts: []verdict{{Says: "1 update"}}, Sections: []section{{Title: "first", Text: "short"}, {Title: "second", Text: long}}},
		{Subject: "prod", Verdicts: []verdict{{Says: "2 updates"}}, Sections: []section{{Title: "third", Markdown: "```\n" + long + "```\n"}}},
	}
	for _, limit := range []int{commentLimit, 3_000, 1_000} {
		text := markdown(parts, limit)
		if len(text) > limit {
			t.Errorf("expected %d bytes at most, got %d", limit, len(text))
		}
		for _, kept := range []string{"| dev | 1 update |", "| prod | 2 updates |", "short", "Cut here"} {
			if !strings.Contains(text, kept) {
				t.Errorf("at %d: expected %q in:\n%s", limit, kept, text)
			}
		}
		if open, closed := strings.Count(text, "<details>"), strings.Count(text, "</details>"); open != closed || strings.Count(text, "\n```")%2 != 0 {
			t.Errorf("at %d: expected everything that opens to close, got %d and %d in:\n%s", limit, open, closed, text)
		}
	}
}

func TestWhatOneJobHandsToAnotherIsLimited(t *testing.T) {
	long := strings.Repeat("a line\n", 10_000)
	all := shortened([]part{{Sections: []section{{Text: long}, {Markdown: long}}}, {Sections: []section{{Text: long}}}}, 1_000)
	sum := 0
	for _, p := range all {
		for _, s := range p.Sections {
			sum += len(s.Text) + len(s.Markdown)
		}
	}
	if sum > 1_500 || !strings.HasPrefix(all[0].Sections[0].Text, "a line\n") {
		t.Errorf("expected about 1000 bytes, the first of them, got %d", sum)
	}
}
