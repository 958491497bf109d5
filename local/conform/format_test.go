package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
)

// Each format says what the text says, and nothing else is written.
func TestFormats(t *testing.T) {
	const url = "https://abcdefghij.execute-api.eu-north-1.amazonaws.com/test"
	for _, row := range []struct {
		name   string
		mutate func(*http.Request, *reply)
		status int
	}{
		{"an API that conforms", nil, exitConforms},
		{"an API that differs", func(_ *http.Request, r *reply) { r.status = 418 }, exitDiffers},
	} {
		t.Run(row.name, func(t *testing.T) {
			ask := func(format string) result {
				return invoke(t, deployed(t, "/test", true, row.mutate), map[string]string{"CONFORM_TOKEN": reader}, "-url", url, "-format", format)
			}
			text := ask("text")
			want := counts.FindStringSubmatch(text.out)
			if text.status != row.status || want == nil {
				t.Fatalf("expected exit status %d, got %d:\n%s%s", row.status, text.status, text.out, text.errs)
			}

			r := ask("json")
			var document struct {
				API                  string
				Pass, Differ, NotRun int
				Cases                []struct{ Group, Name, Status string }
				Questions            []struct{ Question, Saw string }
			}
			if err := json.Unmarshal([]byte(r.out), &document); err != nil || r.status != row.status {
				t.Fatalf("expected a document and exit status %d, got %v, %d:\n%s", row.status, err, r.status, r.out)
			}
			number := func(n int) string { b, _ := json.Marshal(n); return string(b) }
			if got := []string{number(document.Pass), number(document.Differ), number(document.NotRun)}; strings.Join(got, " ") != strings.Join(want[1:], " ") {
				t.Errorf("json: expected the counts %v, got %v", want[1:], got)
			}
			if len(document.Cases) != document.Pass+document.Differ+document.NotRun || len(document.Questions) == 0 || !strings.Contains(document.API, url) {
				t.Errorf("json: expected every case, the questions and the URL, got:\n%s", r.out)
			}

			r = ask("junit")
			var suites testSuites
			if err := xml.Unmarshal([]byte(r.out), &suites); err != nil || r.status != row.status {
				t.Fatalf("expected a document and exit status %d, got %v, %d:\n%s", row.status, err, r.status, r.out)
			}
			if suites.Tests != len(document.Cases) || suites.Failures != document.Differ || suites.Skipped != document.NotRun {
				t.Errorf("junit: expected the counts of JSON, got %+v", suites)
			}
			if failed := strings.Contains(r.out, "<failure message=\"expected "); failed != (row.status == exitDiffers) {
				t.Errorf("junit: expected failures with their messages if the API differs, got:\n%s", r.out)
			}
		})
	}
	if r := invoke(t, newClient(), nil, "-url", url, "-format", "yaml"); r.status != exitNotRun || !strings.Contains(r.errs, `expected text, json or junit, got "yaml"`) {
		t.Errorf("expected an unknown format to be refused, got %d, %s", r.status, r.errs)
	}
}
