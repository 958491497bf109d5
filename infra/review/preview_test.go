package main

import (
	"encoding/json"
	"strings"
	"testing"
)

const (
	function = "aws:lambda/function:Function"
	queue    = "aws:sqs/queue:Queue"
)

// What is not understood is refused: it would pass the guard rails unseen.
func TestPreviewsThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct{ document, says string }{
		"no output":              {"", "got 0 bytes that are something else"},
		"text before the JSON":   {"warning\n{}", "something else"},
		"a list":                 {`[1]`, "something else"},
		"an object of another":   {`{"resources":[]}`, "expected a preview with steps"},
		"diagnostics alone":      {`{"diagnostics":[]}`, "expected a preview with steps"},
		"an unknown operation":   {`{"steps":[{"op":"teleport"}]}`, `got "teleport"`},
		"a step without a state": {`{"steps":[{"op":"create"}]}`, "expected the new state"},
		"a state without a type": {`{"steps":[{"op":"same","newState":{"urn":"a::b::c::d"}}]}`, "expected the new state"},
		"a state without a URN":  {`{"steps":[{"op":"same","newState":{"type":"a"}}]}`, "expected the new state"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := readPreview([]byte(row.document)); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("expected %q, got %v", row.says, err)
			}
		})
	}
}

func TestWhatAPreviewShows(t *testing.T) {
	for _, row := range []struct {
		name   string
		steps  []step
		counts string
		lines  string
	}{
		{"nothing", []step{one("same", queue, "q", object{"a": 1}, object{"a": 1})}, "no change", ""},
		{"a stack and a provider are no resources of a reviewer", []step{
			one("create", "pulumi:pulumi:Stack", "s", nil, object{}), one("create", "pulumi:providers:aws", "p", nil, object{}),
		}, "no change", ""},
		{"a value", []step{one("update", queue, "q", object{"delay": 1, "name": "n"}, object{"delay": 2, "name": "n"})}, "1 update",
			"! update Queue q\n-     delay: 1\n+     delay: 2"},
		{"a value that only the deployment knows", []step{one("update", queue, "q", object{"role": "r"}, object{"role": unknown})}, "1 update",
			"! update Queue q\n-     role: \"r\"\n+     role: (known after the deployment)"},
		{"a member of JSON in text", []step{one("update", queue, "q", object{"policy": `{"b":[1,2],"a":"x"}`}, object{"policy": `{"a":"y","b":[1,2]}`})}, "1 update",
			"! update Queue q\n-     policy.a: \"x\"\n+     policy.a: \"y\""},
		{"an insertion does not show what moved", []step{one("update", queue, "q", object{"list": []any{"a", "c", "d"}}, object{"list": []any{"a", "b", "c", "d"}})}, "1 update",
			"! update Queue q\n+     list[]: \"b\""},
		{"an element", []step{one("update", queue, "q", object{"list": []any{object{"x": 1}, object{"x": 2}}}, object{"list": []any{object{"x": 1}, object{"x": 3}}})}, "1 update",
			"! update Queue q\n-     list[1].x: 2\n+     list[1].x: 3"},
		{"a creation with its properties, without the provider's notes", []step{one("create", queue, "q", nil, object{"__defaults": []any{"id"}, "id": "q-b5efc3e", "tags": object{"a": "b"}})}, "1 creation",
			"+ create Queue q\n+     tags.a: \"b\""},
		{"a deletion", []step{one("delete", queue, "q", object{"name": "n"}, nil)}, "1 deletion", "- delete Queue q"},
		{"a package", []step{one("update", function, "f", object{"code": archive("11")}, object{"code": archive("22")})}, "1 update",
			"! update Function f\n-     code: package 11\n+     code: package 22"},
		{"a secret", []step{one("update", queue, "q", object{"key": object{signature: secret, "ciphertext": "c1"}, "n": 1}, object{"key": object{signature: secret, "ciphertext": "c2"}, "n": 2})}, "1 update",
			"! update Queue q\n-     n: 1\n+     n: 2"},
		{"what was refreshed", []step{{Op: "update", OldState: one("", queue, "q", object{}, nil).OldState, NewState: one("", queue, "q", nil, object{}).NewState,
			DetailedDiff: object{"description": nil}}}, "1 update", "! update Queue q\n!     description"},
		{"the same order, whichever the engine reached first", []step{
			one("create", queue, "b", nil, object{}), one("create", queue, "a", nil, object{}), one("create", function, "c", nil, object{}),
		}, "3 creations", "+ create Function c\n+ create Queue a\n+ create Queue b"},
		{"the gravest first, and a replacement once", []step{
			one("create", queue, "new", nil, object{}),
			one("create-replacement", queue, "q", object{"name": "a"}, object{"name": "b"}),
			{Op: "replace", OldState: one("", queue, "q", object{"name": "a"}, nil).OldState, NewState: one("", queue, "q", nil, object{"name": "b"}).NewState, ReplaceReasons: []string{"name"}},
			one("delete-replaced", queue, "q", object{"name": "a"}, nil),
		}, "1 replacement, 1 creation", "! replace Queue q, because of name\n-     name: \"a\"\n+     name: \"b\"\n+ create Queue new"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := readPreview([]byte(document(t, row.steps)))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, c := range p.changes() {
				lines = append(lines, c.lines()...)
			}
			if got := counts(p.changes()).Says; got != row.counts {
				t.Errorf("expected %q, got %q", row.counts, got)
			}
			if got := strings.Join(lines, "\n"); got != row.lines {
				t.Errorf("expected\n%s\ngot\n%s", row.lines, got)
			}
		})
	}
}

func TestLongChangesAreCut(t *testing.T) {
	after := object{"long": strings.Repeat("é", maxValue)}
	for i := range 100 {
		after[string(rune('a'+i%26))+strings.Repeat("x", i/26)] = i
	}
	lines := change{operation: "create", kind: "Queue", name: "q", new: after}.lines()
	if len(lines) != maxLines+2 || !strings.Contains(lines[len(lines)-1], "61 lines more") {
		t.Errorf("expected %d lines and how many more there are, got %d:\n%s", maxLines+2, len(lines), strings.Join(lines, "\n"))
	}
	if line := shown(after["long"]); len(line) > maxValue+len(" …") || !strings.HasSuffix(line, "é …") {
		t.Errorf("expected whole characters and a sign of the cut, got %s", line)
	}
}

func TestPackages(t *testing.T) {
	p := preview{Steps: []step{
		one("same", function, "door", object{"code": archive("11")}, object{"code": archive("11")}),
		one("update", function, "seats", object{"code": archive("22")}, object{"code": archive("33")}),
		one("create", function, "bar", nil, object{"code": archive("44")}),
	}}
	summary, text := p.packages()
	if want := "bar, seats changed"; summary != want {
		t.Errorf("expected %q, got %q", want, summary)
	}
	if want := "  11  door\n- 22  seats\n+ 33  seats\n+ 44  bar"; text != want {
		t.Errorf("expected\n%s\ngot\n%s", want, text)
	}
}

// Progress is at another place in every run.
func TestDiagnosticsHaveNoProgressAndNoColour(t *testing.T) {
	var p preview
	if err := json.Unmarshal([]byte(`{"diagnostics":[
		{"severity":"info","message":"compiling"},
		{"severity":"warning","message":"<{%fg 3%}>careful<{%reset%}>\n"},
		{"severity":"warning","message":"careful"}]}`), &p); err != nil {
		t.Fatal(err)
	}
	if got := p.said("warning"); len(got) != 1 || got[0] != "careful" {
		t.Errorf("expected the warning once and plain, got %q", got)
	}
}
