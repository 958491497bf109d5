package console

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxForm bounds what a page may send: a rule, with every byte escaped.
const maxForm = 3*maxRule + 4096

// prepared is what the page needs for one request.
type prepared struct {
	Authorization string `json:"authorization"` // value of the header; "" sends none
	After         int    `json:"after"`         // number of the newest exchange before it
}

// said is the outcome of an action, for the person who took it.
type said struct {
	Message string `json:"message"`
	Rule    *rule  `json:"rule,omitempty"`    // as it is on disk now
	HTML    string `json:"html,omitempty"`    // a part of the page
	Request string `json:"request,omitempty"` // the ID of the request that was sent
}

// errNoIssuer refuses to make a token: there is no local issuer to sign it.
var errNoIssuer = errors.New("another issuer's tokens are accepted, so there is no key to make one with: get a token there and paste it")

// servePrepare makes the Authorization header that the form describes.
func (c *Console) servePrepare(w http.ResponseWriter, r *http.Request) {
	stack := c.options.Stack()
	all := presetsFor(stack)
	at := slices.IndexFunc(all, func(p preset) bool { return p.ID == r.PostFormValue("preset") })
	seconds, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("expiry")))
	if at < 0 || stack.Issuer != nil && (err != nil || seconds == 0) {
		answer(w, http.StatusBadRequest, said{Message: "expected one of the listed presets and a time of expiry"})
		return
	}
	p := prepared{After: c.feed.after(0).last}
	if all[at].value != nil {
		described, err := caller(r)
		if err != nil {
			answer(w, http.StatusBadRequest, said{Message: err.Error()})
			return
		}
		request := described.Token()
		request.TTL = time.Duration(seconds) * time.Second
		request.Audience = strings.TrimSpace(r.PostFormValue("audience"))
		p.Authorization, err = all[at].value(c, stack.Issuer, request)
		if err != nil {
			answer(w, http.StatusBadRequest, said{Message: err.Error()})
			return
		}
	}
	answer(w, http.StatusOK, p)
}

func (c *Console) serveRotate(w http.ResponseWriter, r *http.Request) {
	stack := c.options.Stack()
	if stack.Issuer == nil {
		answer(w, http.StatusConflict, said{Message: errNoIssuer.Error()})
		return
	}
	kid, err := stack.Issuer.Rotate()
	if err != nil {
		answer(w, http.StatusInternalServerError, said{Message: err.Error()})
		return
	}
	answer(w, http.StatusOK, said{Message: "Tokens are signed with key " + kid + " from now on. Older ones stay valid: their keys are still published. Send an earlier request again to see it."})
}

func (c *Console) serveRevoke(w http.ResponseWriter, r *http.Request) {
	stack := c.options.Stack()
	if stack.Issuer == nil {
		answer(w, http.StatusConflict, said{Message: errNoIssuer.Error()})
		return
	}
	stack.Issuer.RevokePrevious()
	answer(w, http.StatusOK, said{Message: "Only the current and the next key are published now. A function that has fetched the others keeps them until it fetches again."})
}

func (c *Console) serveRule(w http.ResponseWriter, r *http.Request) {
	now, err := c.rules().read(r.FormValue("name"))
	now = now.folded()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		answer(w, http.StatusNotFound, said{Message: err.Error()})
	case err != nil:
		answer(w, http.StatusInternalServerError, said{Message: err.Error()})
	default:
		answer(w, http.StatusOK, said{Rule: &now})
	}
}

// serveSave writes a rule. It answers a page whose script runs in JSON, and sends any
// other page back to where it was.
func (c *Console) serveSave(w http.ResponseWriter, r *http.Request) {
	edited, err := edited(w, r)
	if err != nil {
		answer(w, http.StatusBadRequest, said{Message: err.Error()})
		return
	}
	saved, err := c.rules().save(edited)
	saved = saved.folded()
	switch {
	case errors.Is(err, errStale):
		answer(w, http.StatusConflict, said{Message: err.Error()})
	case errors.Is(err, fs.ErrNotExist):
		answer(w, http.StatusNotFound, said{Message: err.Error()})
	case err != nil:
		answer(w, http.StatusBadRequest, said{Message: err.Error()})
	case !strings.Contains(r.Header.Get("Accept"), "application/json"):
		http.Redirect(w, r, "/?rule="+url.QueryEscape(saved.Name)+"#rule", http.StatusSeeOther)
	default:
		answer(w, http.StatusOK, said{Message: "Saved, in the form of opa fmt.", Rule: &saved})
	}
}

// edited reads the rule that a form sends.
func edited(w http.ResponseWriter, r *http.Request) (rule, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return rule{}, errors.New("expected a form of a rule that is not too large")
	}
	// A form has CR LF for every newline:
	// https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#constructing-the-form-data-set
	text := strings.ReplaceAll(r.PostFormValue("head")+r.PostFormValue("text"), "\r\n", "\n")
	return rule{Name: r.PostFormValue("name"), Text: text, Version: r.PostFormValue("version")}, nil
}

// tried is the outcome of a trial.
type tried struct {
	Lines map[int]string `json:"lines"` // faults in the file that was tried, by line
	HTML  string         `json:"html"`  // the outcome as a part of the page
}

// longestTrial bounds a trial: what is typed may take for ever.
const longestTrial = 10 * time.Second

// serveTry says what an edited rule would do, without saving it.
func (c *Console) serveTry(w http.ResponseWriter, r *http.Request) {
	edited, err := edited(w, r)
	if err != nil {
		answer(w, http.StatusBadRequest, said{Message: err.Error()})
		return
	}
	now, err := c.rules().read(edited.Name)
	if err != nil {
		answer(w, http.StatusNotFound, said{Message: err.Error()})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), longestTrial)
	defer cancel()
	found := outcome{Report: c.trial.Try(ctx, edited.Name, edited.Text, c.handlers(), c.asked()), Saved: now.Text == edited.Text, feed: c.feed}
	t := tried{Lines: map[int]string{}}
	for _, p := range found.Problems {
		if text, _, _ := strings.Cut(p.Text, "\n"); p.File == edited.Name && t.Lines[p.Line] == "" {
			t.Lines[p.Line] = text
		}
	}
	part, err := c.rendered("outcome", found)
	if err != nil {
		answer(w, http.StatusInternalServerError, said{Message: err.Error()})
		return
	}
	t.HTML = string(part)
	answer(w, http.StatusOK, t)
}

// answer writes a status and a JSON body. An error in writing is the client's to see.
func answer(w http.ResponseWriter, status int, body any) {
	content, err := json.Marshal(body)
	if err != nil {
		status, content = http.StatusInternalServerError, []byte(`{"message":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(content)
}
