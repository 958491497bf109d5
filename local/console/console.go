// Package console is a web page for the developer of an API that runs on this machine.
// It calls the API, shows what every hop did with the request, and edits the policies.
//
// The page calls the API from another origin than the API's. So a browser keeps from it
// what it would keep from any web application, and the page says why. The local issuer
// makes its tokens, valid and broken ones. A token of another issuer is pasted into the
// page. It goes from there to the API, and never to this package.
//
// Only a browser on this machine can use the console. It refuses every other Host, and
// every change that comes from another origin. Pages load only what is embedded here. The
// console writes no files but those of the policies.
package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"sync"
	"time"

	"account-api/internal/ruleset"
	"account-api/local/description"
	"account-api/local/gateway"
	"account-api/local/issuer"
	"account-api/local/trace"
	"account-api/local/trial"
)

// Stack and Endpoint describe what runs.
type (
	Stack    = description.Stack
	Endpoint = description.Endpoint
)

// Options describe the console. Stack and Root are required.
type Options struct {
	Stack func() Stack     // called for every page and token, concurrently
	Root  string           // of the project
	Now   func() time.Time // nil is [time.Now]
}

// Console serves the page. It is safe for concurrent use.
type Console struct {
	options  Options
	feed     *feed
	trial    *trial.Trial
	api      *http.Client                   // sends requests again
	saving   sync.Mutex                     // of callers
	stranger func() (*issuer.Issuer, error) // whose tokens the API must refuse
	page     *template.Template
	routes   http.Handler
}

//go:embed assets
var assets embed.FS

// New returns a console that reports the stack as serving.
func New(o Options) (*Console, error) {
	if o.Stack == nil || o.Root == "" {
		return nil, errors.New("console: expected Options.Stack and Options.Root")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	page, err := template.New("").ParseFS(assets, "assets/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c := &Console{
		options: o, feed: newFeed(Status{State: Serving, At: o.Now()}), page: page, trial: trial.New(o.Root),
		// Not the proxy of the environment, and no redirects: what the API answers is the answer.
		api: &http.Client{Transport: &http.Transport{}, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		stranger: sync.OnceValues(func() (*issuer.Issuer, error) {
			// The discard port, RFC 863: nothing listens there, and no verifier asks.
			return issuer.New(issuer.Options{URL: "http://127.0.0.1:9/", Audience: o.Stack().Audience, Now: o.Now})
		}),
	}
	c.routes = guard(c.newRoutes(), c.apiOrigin)
	return c, nil
}

// rules are the Rego files of the endpoints' policies.
func (c *Console) rules() rules {
	dirs := c.policies()
	if len(dirs) > 0 {
		dirs = append(dirs, path.Join(path.Dir(dirs[0]), ruleset.Shared))
	}
	return rules{c.options.Root, dirs}
}

// handlers are the names of the endpoints' policies.
func (c *Console) handlers() []string {
	names := c.policies()
	for i, dir := range names {
		names[i] = path.Base(dir)
	}
	return names
}

// Adopt takes the policies on disk for those that serve now, and returns which of the latest
// requests they decide differently than those before.
func (c *Console) Adopt(ctx context.Context) Changes {
	changes, of := c.trial.Adopt(ctx, c.handlers(), c.asked())
	return Changes{changes, of, c.feed}
}

func (c *Console) newRoutes() *http.ServeMux {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", c.servePage)
	for _, asset := range []string{"console.js", "editor.js", "style.css", "icon.svg"} {
		routes.HandleFunc("GET /"+asset, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, assets, "assets/"+asset)
		})
	}
	routes.HandleFunc("GET /stack", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, c.options.Stack()) })
	routes.HandleFunc("GET /events", c.serveEvents)
	routes.HandleFunc("GET /request", c.serveRequest)
	routes.HandleFunc("GET /copy", c.serveCopy)
	routes.HandleFunc("POST /again", c.serveAgain)
	routes.HandleFunc("POST /caller", c.serveCaller)
	routes.HandleFunc("POST /try", c.serveTry)
	routes.HandleFunc("POST /prepare", c.servePrepare)
	routes.HandleFunc("POST /rotate", c.serveRotate)
	routes.HandleFunc("POST /revoke", c.serveRevoke)
	routes.HandleFunc("GET /rule", c.serveRule)
	routes.HandleFunc("POST /rule", c.serveSave)
	return routes
}

// ServeHTTP serves the page and what it asks for.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.routes.ServeHTTP(w, r) }

// Record shows an exchange on every open page and on later ones.
func (c *Console) Record(e gateway.Exchange, t trace.Trace) { c.feed.add(e, t) }

// Report shows the state of the stack on every open page.
func (c *Console) Report(s Status) { c.feed.report(s) }

// apiOrigin is the only other origin that the page may call.
func (c *Console) apiOrigin() string {
	u, err := url.Parse(c.options.Stack().Endpoint().URL)
	if err != nil {
		return "'none'"
	}
	return u.Scheme + "://" + u.Host
}
