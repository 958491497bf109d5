package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/trace"
	"account-api/local/trial"
)

// patience is how long to wait for a request. The gateway reports an exchange once it has
// answered, and the page may ask a moment earlier.
const patience = 2 * time.Second

// detail is what a page shows of one request.
type detail struct {
	entry
	Bars     []bar
	Decision *trace.Decision
	Now      string // what the policy that serves now decides, if that is something else
	Logs     []functionLog
	Unsent   string // why it cannot be sent again, or ""
}

// bar is a row of a waterfall.
type bar struct {
	Hop         string
	Kind        string // of function time: "", "cold" or "policy"
	Begin, Size string // of the request's time, in percent
	Took        string
}

// functionLog is what a function logged during a request.
type functionLog struct {
	Function string
	Lines    []string
}

// serveRequest answers the part of a page that shows one exchange: the one with a number, the
// one with a request ID, or the newest beyond a number that a browser keeps from its page. The
// page cannot read the request ID of such an answer.
func (c *Console) serveRequest(w http.ResponseWriter, r *http.Request) {
	e, err := c.find(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	c.render(w, "detail", c.detail(r.Context(), e))
}

// find returns the exchange that a query names. One that was answered a moment ago may still
// have to be reported.
func (c *Console) find(r *http.Request) (entry, error) {
	if text := r.FormValue("number"); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil {
			return entry{}, fmt.Errorf("expected number=<number of a request>, got %q", text)
		}
		e, found := c.feed.number(number)
		if !found {
			return e, fmt.Errorf("request %d is not there: the console keeps the latest %d", number, kept)
		}
		return e, nil
	}
	id, after := r.FormValue("request"), 0
	wanted := func(e entry) bool { return e.RequestID == id }
	if id == "" {
		var err error
		if after, err = strconv.Atoi(r.FormValue("blocked-after")); err != nil {
			return entry{}, errors.New("expected number=<number>, request=<request ID> or blocked-after=<number>")
		}
		wanted = func(e entry) bool { return e.Browser != "" }
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	e, found := c.feed.wait(ctx, after, wanted)
	if !found {
		return e, errors.New("the API has not seen such a request")
	}
	return e, nil
}

func (c *Console) detail(ctx context.Context, e entry) *detail {
	d := &detail{entry: e, Bars: waterfall(e), Unsent: unsent(e)}
	if decided, found := e.Trace.Decision(); found {
		d.Decision = &decided
		if now := c.trial.Verdict(ctx, e.asked()); now != "" && now != decided.Verdict() {
			d.Now = now
		}
	}
	for _, i := range e.Trace.Invocations {
		if len(i.Log) > 0 {
			d.Logs = append(d.Logs, functionLog{functionName(i.Function), pretty(i.Log)})
		}
	}
	return d
}

// functionName is the name in the ARN of a function, or of a version or an alias of one.
func functionName(arn string) string {
	arn = graph.Unqualified(arn)
	return arn[strings.LastIndexByte(arn, ':')+1:]
}

// waterfall is where the time of a request went, as far as it was measured. The log says how
// long the policy took and not when: its bar is drawn where the function begins.
func waterfall(e entry) []bar {
	whole := e.Duration
	for _, i := range e.Trace.Invocations {
		whole = max(whole, i.Begun+i.Took)
	}
	row := func(hop, kind string, begin, size time.Duration) bar {
		percent := func(d time.Duration) string {
			return strconv.FormatFloat(min(100, max(0, 100*float64(d)/float64(max(whole, 1)))), 'f', 2, 64) + "%"
		}
		return bar{hop, kind, percent(begin), percent(max(size, whole/200)), rounded(size)}
	}
	bars := []bar{row("gateway", "", 0, e.Duration)}
	for at, i := range e.Trace.Invocations {
		hop, last := "authorizer", at == len(e.Trace.Invocations)-1
		if last && e.Integration != nil {
			hop = "handler"
		}
		bars = append(bars, row(hop, "", i.Begun, i.Took))
		if i.Cold {
			bars = append(bars, row("cold start", "cold", i.Begun, i.Init))
		}
		if decided, found := trace.ReadDecision(i.Log); found && decided.Metrics.Evaluation > 0 {
			bars = append(bars, row("policy", "policy", i.Begun+i.Init, decided.Metrics.Evaluation))
		}
	}
	return bars
}

// rounded is a duration as a person reads it: three digits or so.
func rounded(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d >= 100*time.Microsecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

// pretty are log lines with JSON as a person reads it.
func pretty(lines []string) []string {
	lines = slices.Clone(lines)
	for i, line := range lines {
		if strings.HasPrefix(line, "{") {
			lines[i] = indented([]byte(line))
		}
	}
	return lines
}

// indented is JSON over several lines, or the text as it is.
func indented(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		b.Reset()
		b.Write(text)
	}
	if !utf8.Valid(b.Bytes()) {
		return fmt.Sprintf("%d bytes that are not UTF-8", len(text))
	}
	return b.String()
}

// asked is the recorded request to the policy.
func (e entry) asked() trial.Request {
	decided, found := e.Trace.Decision()
	r := trial.Request{Number: e.Number}
	if !found || len(decided.Erased) > 0 || json.Unmarshal(decided.Input, &r.Input) != nil {
		return trial.Request{}
	}
	r.Entrypoint = decided.Path
	return r
}

// compared is how many of the latest requests are decided again.
const compared = 50

// asked are the latest requests that a policy decided, newest first.
func (c *Console) asked() []trial.Request {
	var all []trial.Request
	for _, e := range slices.Backward(c.feed.after(0).entries) {
		if r := e.asked(); r.Entrypoint != "" && len(all) < compared {
			all = append(all, r)
		}
	}
	return all
}

// Input is the policy's, in JSON.
func (d detail) Input() string { return indented(d.Decision.Input) }

// Claims are those of the token, in JSON.
func (d detail) Claims() string { return indented(d.Trace.Claims) }

// prominent are the hops of steps that a page shows before it is asked for every step.
var prominent = []string{"error", "at", "tests", gateway.Differs}

// Prominent are the steps that a reader should not miss.
func (d detail) Prominent() []gateway.Step {
	return slices.DeleteFunc(slices.Clone(d.Steps), func(s gateway.Step) bool { return !slices.Contains(prominent, s.Hop) })
}

// Sent is the request as text.
func (d detail) Sent() string {
	m := d.Trace.Request
	return m.Method + " " + m.Target + "\n" + headers(m) + "\n" + content(m)
}

// Headers and Body are those of the answer, as text.
func (d detail) Headers() string { return headers(d.Trace.Response) }
func (d detail) Body() string    { return content(d.Trace.Response) }

// headers name the one that holds a token, and no token.
func headers(m trace.Message) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		for _, value := range m.Header[name] {
			if strings.EqualFold(name, "Authorization") || strings.Contains(value, "eyJ") {
				value = "a token of this machine's issuer"
			}
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	for _, name := range m.Withheld {
		fmt.Fprintf(&b, "%s: not kept, it may be a secret\n", name)
	}
	return b.String()
}

func content(m trace.Message) string {
	if m.Cut {
		return string(bytes.ToValidUTF8(m.Body, nil)) + "\n… and more, which is not kept"
	}
	return indented(m.Body)
}

// unsent is why a request cannot be sent again, or "".
func unsent(e entry) string {
	switch m := e.Trace.Request; {
	case m.Method == "":
		return "Nothing was kept of this request."
	case len(m.Withheld) > 0:
		return "It cannot be sent again: " + strings.Join(m.Withheld, " and ") + " may hold a secret, which the console does not keep."
	case m.Cut:
		return "It cannot be sent again: its body is longer than what the console keeps."
	}
	return ""
}

// again are the headers that a repetition has. The client sets those of the connection.
func again(m trace.Message) http.Header {
	header := http.Header{}
	for name, values := range m.Header {
		switch name {
		case "Connection", "Content-Length", "Accept-Encoding", "Transfer-Encoding", "Keep-Alive", "Upgrade", "Te", "Trailer", "Expect":
		default:
			header[name] = values
		}
	}
	return header
}

// serveAgain sends a request again as it was, and answers with the request ID of the new one.
// It sends to the API and nowhere else.
func (c *Console) serveAgain(w http.ResponseWriter, r *http.Request) {
	e, err := c.find(r)
	if err != nil {
		answer(w, http.StatusNotFound, said{Message: err.Error()})
		return
	}
	if why := unsent(e); why != "" {
		answer(w, http.StatusConflict, said{Message: why})
		return
	}
	m := e.Trace.Request
	target, err := url.Parse(c.apiOrigin() + m.Target)
	if err != nil || target.Scheme+"://"+target.Host != c.apiOrigin() {
		answer(w, http.StatusConflict, said{Message: "It cannot be sent again: the target " + m.Target + " is no path of the API."})
		return
	}
	request, err := http.NewRequestWithContext(r.Context(), m.Method, target.String(), bytes.NewReader(m.Body))
	if err != nil {
		answer(w, http.StatusConflict, said{Message: err.Error()})
		return
	}
	request.Header = again(m)
	response, err := c.api.Do(request)
	if err != nil {
		answer(w, http.StatusBadGateway, said{Message: "The API does not answer: " + err.Error()})
		return
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body) // what is in it is recorded already
	answer(w, http.StatusOK, said{Request: response.Header.Get("X-Amzn-Requestid")})
}
