package console

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// heartbeat keeps a quiet stream open, and detects that the page is gone.
const heartbeat = 20 * time.Second

// serveEvents sends what happens after the page was made, as server-sent events. Their
// data is a part of the page: "exchange" for each request, "status" for the stack.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (c *Console) serveEvents(w http.ResponseWriter, r *http.Request) {
	// A browser that reconnects sends the ID of the last event that it has seen.
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.FormValue("after")
	}
	seen, err := strconv.Atoi(from)
	if err != nil {
		http.Error(w, "expected after=<number of the last exchange on the page>", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	reports := -1 // the page may be older than the status
	for {
		now := c.feed.after(seen)
		if now.last < seen {
			now = c.feed.after(0) // the page is of an earlier run
		}
		for _, e := range now.entries {
			if err := c.send(w, "exchange", "exchange", e.Number, e); err != nil {
				return
			}
		}
		seen = now.last
		if reports != now.reports {
			reports = now.reports
			if err := c.send(w, "status", "report", seen, now.status); err != nil {
				return
			}
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-now.changed:
		case <-beat.C:
			if _, err := io.WriteString(w, ":\n\n"); err != nil {
				return
			}
		}
	}
}

// send writes a template as an event's data.
func (c *Console) send(w io.Writer, event, template string, id int, data any) error {
	content, err := c.rendered(template, data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\nid: %d\n", event, id)
	// A carriage return ends a line of the stream, too.
	for line := range bytes.Lines(bytes.ReplaceAll(content, []byte("\r"), []byte(" "))) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	_, err = w.Write(b.Bytes())
	return err
}
