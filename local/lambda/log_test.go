//go:build unix

package lambda

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLinesBelongToTheInvocationThatWroteThem(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, func(fn *Function) {
		fn.Environment = map[string]string{"INIT": "print"}
	}), Options{Log: log.note})

	// The last line of an invocation and its completion race; many times.
	for i := range 50 {
		r := invoke(t, p, fmt.Sprintf(`{"do":"print","text":"round %d line","count":20}`, i))
		var expected []string
		if i == 0 {
			expected = append(expected, "starting")
		}
		for line := range 20 {
			expected = append(expected, fmt.Sprintf("round %d line %d", i, line))
		}
		if !slices.Equal(r.LogTail, expected) {
			t.Fatalf("got %q, expected %q", r.LogTail, expected)
		}
		var logged []string
		for _, l := range log.all() {
			if l.RequestID == r.RequestID && !l.Platform {
				logged = append(logged, l.Text)
			}
		}
		if !slices.Equal(logged, expected) {
			t.Fatalf("logged %q, expected %q", logged, expected)
		}
	}
}

func TestALineWithoutItsEndIsALine(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	for range 10 {
		if r := invoke(t, p, `{"do":"open line","text":"no newline"}`); !slices.Equal(r.LogTail, []string{"no newline"}) {
			t.Fatalf("got %q", r.LogTail)
		}
	}
}

func TestALineBetweenInvocationsBelongsToNone(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	invoke(t, p, `{"do":"later","text":"an afterthought"}`)
	if l := log.await(t, "an afterthought", 1)[0]; l.RequestID != "" || l.Platform {
		t.Errorf("got %+v, expected the function's line without a request id", l)
	}
}

func TestTheLogTailIsBounded(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	r := invoke(t, p, `{"do":"print","text":"`+strings.Repeat("x", 1000)+`","count":1000}`)
	size := 0
	for _, line := range r.LogTail {
		size += len(line)
	}
	if size > maxLogTail || size < maxLogTail-2000 {
		t.Errorf("the tail has %d bytes, expected almost %d", size, maxLogTail)
	}
	if !strings.HasSuffix(r.LogTail[len(r.LogTail)-1], "x 999") {
		t.Error("the tail lacks the last line")
	}
	log.await(t, "xxx", 1000)

	long := invoke(t, p, `{"do":"open line","text":"`+strings.Repeat("y", maxLineBytes+100)+`"}`)
	if len(long.LogTail) != 1 || len(long.LogTail[0]) != 100 {
		t.Errorf("got %d lines, expected what is beyond the longest line to be the newest", len(long.LogTail))
	}
}

func TestThePlatformReportsEachInvocation(t *testing.T) {
	tests := []struct {
		name, event string
		lines       []string // regular expressions, of the platform's lines after START
	}{
		{"a response", `{"do":"who"}`, []string{
			`END RequestId: ID`,
			`REPORT RequestId: ID\tDuration: MS\tBilled Duration: \d+ ms\tMemory Size: 128 MB(\tMax Memory Used: \d+ MB)?\tInit Duration: MS`}},
		{"an error", `{"do":"error","text":"Unauthorized"}`, []string{
			`END RequestId: ID`,
			`REPORT RequestId: ID\tDuration: MS\tBilled Duration: \d+ ms\tMemory Size: 128 MB(\tMax Memory Used: \d+ MB)?\tInit Duration: MS`}},
		{"an exit", `{"do":"exit","count":1}`, []string{
			`RequestId: ID Error: Runtime exited with error: exit status 1`,
			`END RequestId: ID`,
			`REPORT RequestId: ID\tDuration: MS\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tInit Duration: MS\tStatus: error\tError Type: Runtime\.ExitError`}},
		{"a timeout", `{"do":"hang"}`, []string{
			`RequestId: ID Error: Task timed out after 2\.00 seconds`,
			`END RequestId: ID`,
			`REPORT RequestId: ID\tDuration: MS\tBilled Duration: \d+ ms\tMemory Size: 128 MB(\tMax Memory Used: \d+ MB)?\tInit Duration: MS\tStatus: timeout`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log := newNotebook()
			p := newPool(t, declared(function, func(fn *Function) { fn.Timeout = 2 * time.Second }), Options{Log: log.note})
			r := invoke(t, p, test.event)
			var got []string
			for _, l := range log.all() {
				if l.Platform {
					if l.RequestID != r.RequestID || l.Function != p.fn.Name {
						t.Errorf("got %+v, expected the request's id and the function's name", l)
					}
					got = append(got, l.Text)
				}
			}
			expected := append([]string{`START RequestId: ID Version: \$LATEST`}, test.lines...)
			if len(got) != len(expected) {
				t.Fatalf("got %q", got)
			}
			for i, pattern := range expected {
				pattern = strings.NewReplacer("ID", r.RequestID, "MS", `\d+\.\d\d ms`).Replace(pattern)
				if !regexp.MustCompile("^(?:" + pattern + ")$").MatchString(got[i]) {
					t.Errorf("got %q, expected %s", got[i], pattern)
				}
			}
		})
	}
}

func TestAFailedInitIsReported(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, func(fn *Function) {
		fn.Environment = map[string]string{"INIT": "exit"}
	}), Options{Log: log.note})
	r := invoke(t, p, `{}`)
	if !slices.Equal(r.LogTail, []string{"cannot start"}) {
		t.Errorf("got %q, expected what the function wrote before it exited", r.LogTail)
	}
	text := log.await(t, "INIT_REPORT", 1)[0].Text
	if !regexp.MustCompile(`^INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime\.ExitError$`).MatchString(text) {
		t.Errorf("got %q", text)
	}
}
