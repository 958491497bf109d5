package console

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"account-api/local/gateway"
)

// stream follows a console's events.
type stream struct {
	lines *bufio.Scanner
}

type event struct{ kind, id, data string }

func (f *fixture) follow(t *testing.T, query string, header ...string) *stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+"/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		response.Body.Close()
	})
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("expected a stream of events, got %d %s", response.StatusCode, kind)
	}
	return &stream{bufio.NewScanner(response.Body)}
}

// next reads one event.
func (s *stream) next(t *testing.T) event {
	t.Helper()
	var e event
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch name {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			e.data += value + "\n"
		case "":
			if e.kind != "" {
				return e
			}
		}
	}
	t.Fatalf("expected an event, got %v", s.lines.Err())
	return e
}

func TestEvents(t *testing.T) {
	f := serve(t, true)
	f.record(gateway.Exchange{Path: "/on-the-page"})
	s := f.follow(t, "?after=1")
	if e := s.next(t); e.kind != "status" || !strings.Contains(e.data, "Serving") {
		t.Errorf("expected the status first, got %+v", e)
	}
	f.record(gateway.Exchange{Method: "GET", Path: "/test/seats", Status: 401, AnsweredBy: "gateway", Steps: []gateway.Step{{Hop: "identity", Detail: "missing"}}})
	if e := s.next(t); e.kind != "exchange" || e.id != "2" || !strings.Contains(e.data, "/test/seats") || !strings.Contains(e.data, "by gateway") {
		t.Errorf("expected the request, got %+v", e)
	}
	f.Report(Status{State: Failed, At: time.Now(), Detail: "line one\nline two"})
	if e := s.next(t); e.kind != "status" || !strings.Contains(e.data, "line one\nline two") {
		t.Errorf("expected the error with its lines, got %+v", e)
	}
	t.Run("after a break go on where they were", func(t *testing.T) {
		s := f.follow(t, "?after=0", "Last-Event-ID", "1")
		if e := s.next(t); e.kind != "exchange" || e.id != "2" {
			t.Errorf("expected the one that was missed, got %+v", e)
		}
	})
	t.Run("to a page of an earlier run begin again", func(t *testing.T) {
		s := f.follow(t, "?after=70")
		if e := s.next(t); e.kind != "exchange" || e.id != "1" {
			t.Errorf("expected all there are, got %+v", e)
		}
	})
	t.Run("want to know from where on", func(t *testing.T) {
		if a := f.get(t, "/events"); a.status != http.StatusBadRequest {
			t.Errorf("expected 400, got %d", a.status)
		}
	})
}

func TestExplanation(t *testing.T) {
	f := serve(t, true)
	f.record(gateway.Exchange{RequestID: "plain", Reason: "answered", Steps: []gateway.Step{{Hop: "route", Detail: "matched"}}})
	if a := f.get(t, "/request?request=plain"); a.status != 200 || !strings.Contains(a.body, "matched") {
		t.Errorf("expected the steps, got %d %s", a.status, a.body)
	}
	t.Run("waits for a request that was only just answered", func(t *testing.T) {
		var asked sync.WaitGroup
		var a answered
		asked.Go(func() { a = f.get(t, "/request?request=late") })
		f.record(gateway.Exchange{RequestID: "late", Reason: "late but there"})
		asked.Wait()
		if a.status != 200 || !strings.Contains(a.body, "late but there") {
			t.Errorf("expected the steps, got %d %s", a.status, a.body)
		}
	})
	t.Run("of a blocked request is that of the newest one", func(t *testing.T) {
		f.record(gateway.Exchange{RequestID: "old", Browser: "an old reason"})
		after := f.prepare(t, form("without")).After
		f.record(gateway.Exchange{RequestID: "blocked", Browser: "no such header", Steps: []gateway.Step{{Hop: "browser", Detail: "no such header"}}})
		f.record(gateway.Exchange{RequestID: "other"})
		if a := f.get(t, fmt.Sprintf("/request?blocked-after=%d", after)); a.status != 200 || !strings.Contains(a.body, "no such header") {
			t.Errorf("expected the blocked one, got %d %s", a.status, a.body)
		}
	})
	t.Run("of nothing is none", func(t *testing.T) {
		if a := f.get(t, "/request?blocked-after=1000"); a.status != http.StatusNotFound {
			t.Errorf("expected 404, got %d", a.status)
		}
		if a := f.get(t, "/request"); a.status != http.StatusNotFound {
			t.Errorf("expected 404, got %d", a.status)
		}
	})
}

// FuzzEvent checks that nothing in an exchange ends an event, begins another one, or is
// left as markup.
func FuzzEvent(f *testing.F) {
	for _, text := range []string{"plain", "a\nb", "a\r\rdata: x", "\n\nevent: status\n\n", "<script>", `"><img src=x onerror=y>`, "\xff\u2028"} {
		f.Add(text)
	}
	c, err := New(Options{Stack: func() Stack { return Stack{} }, Root: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	var plain bytes.Buffer
	if err := c.send(&plain, "exchange", "exchange", 1, entry{Number: 1, Exchange: gateway.Exchange{Steps: []gateway.Step{{}}}}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		e := gateway.Exchange{Method: text, Path: text, Reason: text, AnsweredBy: text, Steps: []gateway.Step{{Hop: text, Detail: text}}}
		if err := c.send(&out, "exchange", "exchange", 1, entry{Number: 1, Exchange: e}); err != nil {
			t.Fatal(err)
		}
		content, whole := strings.CutSuffix(out.String(), "\n\n")
		for i, line := range strings.FieldsFunc(content, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if want := []string{"event: exchange", "id: 1"}; i < 2 && line != want[i] || i >= 2 && !strings.HasPrefix(line, "data: ") {
				t.Errorf("expected one event, got line %q", line)
			}
		}
		if !whole || strings.Contains(content, "\n\n") || strings.ContainsRune(content, '\r') {
			t.Errorf("expected one event, got %q", out.String())
		}
		if want, got := strings.Count(plain.String(), "<"), strings.Count(out.String(), "<"); text != "" && got > want+2 {
			t.Errorf("expected no markup from the exchange, got %q", out.String())
		}
	})
}
