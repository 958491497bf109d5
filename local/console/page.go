package console

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// patience is how long to wait for an explanation. The gateway reports an exchange once
// it has answered, and the page may ask a moment earlier.
const patience = 2 * time.Second

// view is what the page's template shows.
type view struct {
	Stack   Stack
	Methods []string
	Presets []preset
	Scopes  []scope
	Expiry  []expiry
	Rules   []string
	Rule    rule
	Problem string // why there is no rule to edit
	Status  Status
	Entries []entry // newest first
	Last    int
}

// scope is a scope to choose.
type scope struct {
	Name    string
	Checked bool
}

// scopes are those that the policies name, and those of the first caller.
func scopes(s Stack) []scope {
	its := strings.Fields(s.Caller().Scope)
	var all []scope
	for _, name := range s.Scopes {
		all = append(all, scope{name, slices.Contains(its, name)})
	}
	for _, name := range its {
		if !slices.Contains(s.Scopes, name) {
			all = append(all, scope{name, true})
		}
	}
	return all
}

// methods are those to choose. CONNECT, OPTIONS and TRACE are not for pages to send.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}

// expiry is a choice of when a token expires.
type expiry struct {
	Seconds int
	Title   string
}

var expiries = []expiry{
	{86400, "in 24 hours"}, {3600, "in an hour"}, {60, "in a minute"}, {10, "in 10 seconds"},
	{-60, "a minute ago"}, {-86400, "a day ago"},
}

func (c *Console) servePage(w http.ResponseWriter, r *http.Request) {
	now := c.feed.after(0)
	slices.Reverse(now.entries)
	v := view{Stack: c.options.Stack(), Methods: methods, Expiry: expiries, Status: now.status, Entries: now.entries, Last: now.last}
	v.Presets, v.Scopes = presetsFor(v.Stack), scopes(v.Stack)
	var err error
	if v.Rules, err = c.rules().names(); err == nil {
		v.Rule, err = c.rules().read(r.FormValue("rule"))
	}
	if err != nil {
		v.Problem = err.Error()
	}
	c.render(w, "page.html", v)
}

// serveExplanation answers the part of a page that explains one exchange: the one with a
// request ID, or the newest beyond a number that a browser keeps from its page. The page
// cannot read the request ID of such an answer.
func (c *Console) serveExplanation(w http.ResponseWriter, r *http.Request) {
	id, after := r.FormValue("request"), 0
	wanted := func(e entry) bool { return e.RequestID == id }
	if id == "" {
		var err error
		if after, err = strconv.Atoi(r.FormValue("blocked-after")); err != nil {
			http.Error(w, "expected request=<request ID> or blocked-after=<number>", http.StatusBadRequest)
			return
		}
		wanted = func(e entry) bool { return e.Browser != "" }
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	e, found := c.feed.wait(ctx, after, wanted)
	if !found {
		http.Error(w, "the API has not seen such a request", http.StatusNotFound)
		return
	}
	c.render(w, "steps", e)
}

// render executes a template and then sends it, or an error in its place.
func (c *Console) render(w http.ResponseWriter, name string, data any) {
	content, err := c.rendered(name, data)
	if err != nil {
		http.Error(w, "cannot show this: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(content)
}

func (c *Console) rendered(name string, data any) ([]byte, error) {
	var content bytes.Buffer
	err := c.page.ExecuteTemplate(&content, name, data)
	return content.Bytes(), err
}

// Clock is the local time of day, as on the page.
func (s Status) Clock() string { return s.At.Format(time.TimeOnly) }

// Clock is the local time of day, as on the page.
func (e entry) Clock() string { return e.Time.Format(time.TimeOnly) }

// Class groups statuses as HTTP does: 2 for 200 to 299 and so on.
func (e entry) Class() int { return e.Status / 100 }

// Took is the duration as a person reads it.
func (e entry) Took() string { return e.Duration.Round(100 * time.Microsecond).String() }
