package console

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"time"
)

// view is what the page's template shows.
type view struct {
	Stack    Stack
	Methods  []string
	Presets  []preset
	Scopes   []scope
	Expiry   []expiry
	Rules    []string
	Rule     rule
	Problem  string // why there is no rule to edit
	Status   Status
	Entries  []entry // newest first
	Last     int
	Kept     int
	Callers  []callerGroup
	Policies []string // where a caller can be saved
	Open     *detail  // the request that is open; nil if none is
	Missing  string   // why none is, though one was asked for
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
	v := view{Stack: c.options.Stack(), Methods: methods, Expiry: expiries, Status: now.status, Entries: now.entries, Last: now.last, Kept: kept, Callers: c.callers(), Policies: c.policies()}
	v.Presets, v.Scopes = presetsFor(v.Stack), scopes(v.Stack)
	var err error
	if v.Rules, err = c.rules().names(); err == nil {
		v.Rule, err = c.rules().read(r.FormValue("rule"))
		v.Rule = v.Rule.folded()
	}
	if err != nil {
		v.Problem = err.Error()
	}
	if r.FormValue("number") != "" {
		if e, err := c.find(r); err != nil {
			v.Missing = err.Error()
		} else {
			v.Open = c.detail(r.Context(), e)
		}
	}
	c.render(w, "page.html", v)
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
func (e entry) Took() string { return rounded(e.Duration) }

// Why says in one line who answered, and why.
func (e entry) Why() string {
	by := e.AnsweredBy
	if decided, found := e.Trace.Decision(); found && decided.Result != nil && !decided.Result.Allow {
		return "by policy: " + strings.Join(decided.Result.Reasons, "; ")
	}
	if _, function, found := strings.Cut(by, "integration "); found {
		by = function
	}
	if e.Reason == "" || e.Integration != nil && e.Integration.FailureType == "" && e.Status < http.StatusInternalServerError {
		return "by " + by // that it answered is no news
	}
	return "by " + by + ": " + e.Reason
}
