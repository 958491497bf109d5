package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"account-api/local/build"
	"account-api/local/console"
	"account-api/local/example"
	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/issuer"
	"account-api/local/notice"
	"account-api/local/reload"
	"account-api/local/trace"
)

const (
	// host is the only address that anything listens on: the client secret of the issuer
	// is public.
	host = "127.0.0.1"
	// outDir keeps executables for this machine, so that the next run links only what
	// changed.
	outDir = "dist/local"
	// drainTime is how long requests may take to finish when the stack is stopped: the
	// default timeout of a function.
	drainTime = 3 * time.Second
	// headerTime bounds how long a client may take to send a request's headers.
	headerTime = 10 * time.Second
)

// localStack is a stack that runs.
type localStack struct {
	settings            settings
	cloud               cloud // that handlers reach
	out                 *report
	begun               reload.Snapshot // of the files before the first build
	builds              *reload.Builds
	stack               switchboard
	traces              trace.Recorder
	policies            atomic.Pointer[[]example.Policy] // of the handlers
	suites              atomic.Pointer[[]suite]          // Rego tests of what serves; nil until a policy is saved
	issuer              atomic.Pointer[issuer.Issuer]    // nil without a local issuer
	refused             []string                         // saved files that do not serve yet
	lent                []string                         // variables that a function has here only
	console             *console.Console
	api, keys, terminal net.Listener // keys is the issuer's, nil without one; terminal is the console's
}

// start starts a stack. It takes the ports first: compiling may take minutes, and a port
// that is in use should be reported before. With an error, nothing is left behind.
func start(ctx context.Context, s settings, out, status io.Writer) (l *localStack, err error) {
	l = &localStack{settings: s, out: newReport(out, status, s.verbose)}
	l.policies.Store(&[]example.Policy{})
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
			l = nil
		}
	}()
	l.cloud, err = reach(ctx, s.aws, s.issuer)
	if err := errors.Join(err, l.listen()); err != nil {
		return l, err
	}
	l.begun = reload.Take(s.root)
	dir, err := filepath.Abs(filepath.Join(s.root, outDir))
	if err != nil {
		return l, err
	}
	l.builds, err = reload.NewBuilds(build.Options{Root: s.root, Out: dir, Progress: l.out.compiling})
	if err != nil {
		return l, err
	}
	if err := l.out.logTo(filepath.Join(l.builds.Dir(), logName)); err != nil {
		return l, err
	}
	declared, built, err := l.build(ctx, nil, nil)
	l.out.compiled()
	l.builds.Quiet()
	if err != nil {
		return l, err
	}
	first, err := l.generate(declared, built)
	if err != nil {
		return l, err
	}
	l.stack.replace(first)
	if err := l.findExamples(ctx, built); err != nil {
		l.out.noExamples(err)
	}
	if err := l.startIssuer(declared); err != nil {
		return l, err
	}
	l.console, err = console.New(console.Options{Stack: l.described, Root: s.root})
	if err != nil {
		return l, err
	}
	if err := l.out.started(l); err != nil {
		return l, err
	}
	l.notices(declared, nil)
	l.warm(ctx, first)
	return l, nil
}

// listen takes every port. Its error has all that cannot be had.
func (l *localStack) listen() error {
	var ofAPI, ofKeys, ofTerminal error
	l.api, ofAPI = listen("PORT", l.settings.port)
	if l.settings.issuer == "local" {
		l.keys, ofKeys = listen("ISSUER_PORT", l.settings.issuerPort)
	}
	l.terminal, ofTerminal = listen("CONSOLE_PORT", l.settings.consolePort)
	return errors.Join(ofAPI, ofKeys, ofTerminal)
}

func listen(variable string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: port %d is taken: stop what uses it, or choose another with make run %s=%d", variable, port, variable, another(port))
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("%s: port %d is for root only: make run %s=%d", variable, port, variable, port+8000)
	}
	return l, err
}

// startIssuer makes a local issuer for the audience that the stack expects. There is none
// if the stack's own is used, or if no function expects an audience. An issuer of other tokens
// has other keys: no token of the former one would be accepted.
func (l *localStack) startIssuer(g *graph.Graph) error {
	if l.keys == nil {
		return nil
	}
	if audience(g) == "" {
		l.issuer.Store(nil)
		return nil
	}
	i, err := issuer.New(issuer.Options{
		URL: l.issuerURL(), Audience: configured(g, audienceVariable), Scopes: l.scopes(), Restrict: l.settings.scopes != "",
		Provider:   configured(g, providerVariable),
		Algorithms: strings.FieldsFunc(configured(g, algorithmsVariable), func(r rune) bool { return r == ' ' || r == ',' }),
	})
	if err != nil {
		return err
	}
	l.issuer.Store(i)
	return nil
}

func (l *localStack) issuerURL() string { return "http://" + l.keys.Addr().String() + "/" }

// described is the stack as the console and the printed commands show it.
func (l *localStack) described() console.Stack {
	g := l.stack.now().graph
	s := console.Stack{
		Project: g.Project, Name: g.Stack, Endpoints: []console.Endpoint{},
		IssuerURL: configured(g, issuerVariable), Audience: audience(g), Scopes: l.scopes(), Issuer: l.issuer.Load(),
		Notices: l.noticesOf(g),
	}
	base := "http://" + path.Join(l.api.Addr().String(), stage(g))
	for _, e := range endpoints(g) {
		described := console.Endpoint{Method: e.verb(), Path: e.path, URL: base + e.sample(), Header: e.header}
		if p := l.policyOf(e); p != nil {
			described.Policy = path.Join(policiesDir, p.Handler)
			if l.grants(p.Denied) {
				described.Denied = p.Denied
			}
			switch {
			case p.Error != "":
				described.Problem = described.Policy + " does not compile, so no caller is known that it allows:\n\n" + p.Error
			case p.Allowed == nil:
				described.Problem = "No caller was found that " + described.Policy + " allows."
			case !l.grants(p.Allowed):
				described.Problem = fmt.Sprintf("%s allows %s, which SCOPES does not grant.", described.Policy, p.Allowed)
			default:
				described.Allowed = p.Allowed
			}
		}
		s.Endpoints = append(s.Endpoints, described)
	}
	return s
}

// notices writes what g declares and is not run here, unless it was said of before.
func (l *localStack) notices(g, before *graph.Graph) {
	var said []string
	if before != nil {
		said = l.noticesOf(before)
	}
	for _, line := range l.noticesOf(g) {
		if !slices.Contains(said, line) {
			l.out.write("  " + line + "\n")
		}
	}
}

// noticesOf are the notices of g, without what to do where it is done.
func (l *localStack) noticesOf(g *graph.Graph) []string {
	lines := notice.Of(g)
	if l.cloud.text != "" {
		for i := range lines {
			lines[i] = strings.TrimSuffix(lines[i], "; "+notice.Reach)
		}
	}
	return lines
}

// report writes an exchange to the terminal and to the console.
func (l *localStack) report(e gateway.Exchange) {
	t, _ := l.traces.Take(e.RequestID)
	e = unlimited(explain(e, t, l.failing, l.out.logPath), runtime.GOOS)
	if l.settings.issuer == "stack" {
		e = withoutKeys(e, l.settings.stack)
	}
	l.out.exchange(e)
	l.console.Record(e, t)
}

// serve answers requests until ctx is done. Then it lets those in flight finish.
func (l *localStack) serve(ctx context.Context) error {
	servers := map[*http.Server]net.Listener{{Handler: l.traces.Observe(&l.stack)}: l.api}
	if l.keys != nil {
		servers[&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if i := l.issuer.Load(); i != nil {
				i.ServeHTTP(w, r)
				return
			}
			http.Error(w, "no function of the stack expects tokens: none has the variable "+audienceVariable, http.StatusNotFound)
		})}] = l.keys
	}
	// An open page follows events without end: ctx ends them, or every stop would wait.
	servers[&http.Server{Handler: l.console, BaseContext: func(net.Listener) context.Context { return ctx }}] = l.terminal
	failed := make(chan error, len(servers))
	for server, listener := range servers {
		server.ReadHeaderTimeout = headerTime
		go func() { failed <- server.Serve(listener) }()
	}
	watching, stopWatching := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { l.watch(watching) })
	var err error
	select {
	case <-ctx.Done():
		l.out.stopping()
	case err = <-failed:
	}
	stopWatching()
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	for server := range servers {
		if server.Shutdown(drain) != nil {
			server.Close() // cuts off what is still open
		}
	}
	watcher.Wait()
	return err
}

// close ends every process and frees the ports. It may be called at any point of a start.
func (l *localStack) close() error {
	err := errors.Join(l.stack.close(), l.out.close())
	if l.builds != nil {
		err = errors.Join(err, l.builds.Close())
	}
	for _, listener := range []net.Listener{l.api, l.keys, l.terminal} {
		if listener != nil {
			listener.Close() // closed already if it was served
		}
	}
	return err
}
