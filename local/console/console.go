// Package console is a web page from which a developer calls the API that runs on this
// machine, sees what every hop made of the request, and edits the rule that decides.
//
// The page calls the API itself, from another origin than the API's: what a browser
// keeps from a page it keeps from this one too, and the explanation says why. Tokens,
// good and broken, are made on request by the local issuer; a token of another issuer
// is pasted into the page and goes from there to the API, never to this package.
//
// It refuses to be reached from anywhere but this machine's own browser: it answers no
// foreign Host, takes no request to change something from another origin, and lets
// pages load nothing that it does not embed. It shows what the gateway reports of an
// exchange and nothing more, and writes nothing but the rule's file.
package console

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sync"
	"time"

	"account-api/local/gateway"
	"account-api/local/issuer"
)

// Stack is what the console has to know of the stack at the moment.
type Stack struct {
	Project   string
	Name      string
	URL       string // of the profile endpoint, with scheme and host
	IssuerURL string // whose tokens the API accepts
	Audience  string // that it expects
	Scopes    []string
	Issuer    *issuer.Issuer // makes tokens; nil when another issuer's are accepted
}

// Options describe the console. Stack and Rules are required.
type Options struct {
	Stack func() Stack     // asked for every page and token; must be safe to call concurrently
	Rules string           // directory of the Rego files that may be edited
	Now   func() time.Time // nil is [time.Now]
}

// Console serves the page. It is safe for concurrent use.
type Console struct {
	options  Options
	rules    rules
	feed     *feed
	stranger func() (*issuer.Issuer, error) // whose tokens the API must refuse
	page     *template.Template
	routes   http.Handler
}

//go:embed assets
var assets embed.FS

// New returns a console that reports the stack as serving.
func New(o Options) (*Console, error) {
	if o.Stack == nil || o.Rules == "" {
		return nil, errors.New("console: expected Options.Stack and Options.Rules")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	page, err := template.New("").ParseFS(assets, "assets/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	c := &Console{
		options: o, rules: rules{dir: o.Rules}, feed: newFeed(Status{State: Serving, At: o.Now()}), page: page,
		stranger: sync.OnceValues(func() (*issuer.Issuer, error) {
			// Nothing listens on the discard port, RFC 863, and nobody has to ask there.
			return issuer.New(issuer.Options{URL: "http://127.0.0.1:9/", Audience: o.Stack().Audience, Now: o.Now})
		}),
	}
	c.routes = guard(c.newRoutes(), c.apiOrigin)
	return c, nil
}

func (c *Console) newRoutes() *http.ServeMux {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", c.servePage)
	for _, asset := range []string{"console.js", "style.css", "icon.svg"} {
		routes.HandleFunc("GET /"+asset, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, assets, "assets/"+asset)
		})
	}
	routes.HandleFunc("GET /events", c.serveEvents)
	routes.HandleFunc("GET /explanation", c.serveExplanation)
	routes.HandleFunc("POST /prepare", c.servePrepare)
	routes.HandleFunc("POST /rotate", c.serveRotate)
	routes.HandleFunc("POST /revoke", c.serveRevoke)
	routes.HandleFunc("GET /rule", c.serveRule)
	routes.HandleFunc("POST /rule", c.serveSave)
	return routes
}

// ServeHTTP serves the page and what it asks for.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.routes.ServeHTTP(w, r) }

// Record shows an exchange on every open page, and keeps it for pages to come.
func (c *Console) Record(e gateway.Exchange) { c.feed.add(e) }

// Report shows how the stack is on every open page.
func (c *Console) Report(s Status) { c.feed.report(s) }

// apiOrigin is the only other origin that the page may call.
func (c *Console) apiOrigin() string {
	u, err := url.Parse(c.options.Stack().URL)
	if err != nil {
		return "'none'"
	}
	return u.Scheme + "://" + u.Host
}
