package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"account-api/local/build"
	"account-api/local/console"
	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/issuer"
	"account-api/local/reload"
)

const (
	// host is the only address that anything listens on: the issuer's client secret
	// is public, and so is everything that it signs.
	host = "127.0.0.1"
	// built is where executables for this machine go, so that the next run has to
	// compile and link only what changed.
	built = "dist/local"
	// rules is the directory of the Rego that the console may edit: the endpoint's.
	rules = "policies/profile"
	// drainTime is how long requests may take to finish when the stack is stopped. It
	// is a function's timeout, after which they have an answer anyhow.
	drainTime = 3 * time.Second
	// headerTime bounds how long a client may take to send a request's headers.
	headerTime = 10 * time.Second
)

// localStack is a stack that runs.
type localStack struct {
	settings            settings
	out                 *report
	begun               reload.Snapshot // of the files that the first build was made from, or older
	builds              *reload.Builds
	stack               switchboard
	decisions           *decisions
	issuer              atomic.Pointer[issuer.Issuer] // nil when the stack's own is used
	console             *console.Console
	api, keys, terminal net.Listener // keys is the issuer's, nil when there is none; terminal is the console's
}

// start brings a stack up, or fails with nothing left behind. The ports are taken
// first, because compiling may take minutes and a port that is in use must not cost
// them.
func start(ctx context.Context, s settings, out, status io.Writer) (l *localStack, err error) {
	l = &localStack{settings: s, out: newReport(out, status, s.verbose), decisions: newDecisions()}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
			l = nil
		}
	}()
	if err := l.checkProject(); err != nil {
		return l, err
	}
	if err := l.listen(); err != nil {
		return l, err
	}
	l.begun = reload.Take(s.root)
	built, err := l.compile(ctx)
	if err != nil {
		return l, err
	}
	declared, err := l.capture(ctx, built)
	if err != nil {
		return l, err
	}
	first, err := l.generate(declared, built)
	if err != nil {
		return l, err
	}
	l.stack.replace(first)
	if err := l.startIssuer(declared); err != nil {
		return l, err
	}
	l.console, err = console.New(console.Options{Stack: l.described, Rules: filepath.Join(s.root, rules)})
	if err != nil {
		return l, err
	}
	return l, l.out.started(l)
}

// listen takes every port.
func (l *localStack) listen() (err error) {
	if l.api, err = listen("PORT", l.settings.port); err != nil {
		return err
	}
	if l.settings.issuer == "local" {
		if l.keys, err = listen("ISSUER_PORT", l.settings.issuerPort); err != nil {
			return err
		}
	}
	l.terminal, err = listen("CONSOLE_PORT", l.settings.consolePort)
	return err
}

// checkProject finds out in no time what would otherwise fail after compiling.
func (l *localStack) checkProject() error {
	file := "Pulumi." + l.settings.stack + ".yaml"
	if _, err := os.Stat(filepath.Join(l.settings.root, file)); err != nil {
		there, _ := filepath.Glob(filepath.Join(l.settings.root, "Pulumi.*.yaml")) // the pattern is well-formed
		for i := range there {
			there[i] = strings.TrimSuffix(strings.TrimPrefix(filepath.Base(there[i]), "Pulumi."), ".yaml")
		}
		return fmt.Errorf("stack %q has no file %s; there are stacks %s: make run STACK=<one of them>", l.settings.stack, file, strings.Join(there, ", "))
	}
	return nil
}

func listen(variable string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp4", net.JoinHostPort(host, strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("port %d is taken: stop what uses it, or choose another with make run %s=%d", port, variable, port+100)
	}
	return l, err
}

// compile builds the program that captures the stack, and all handlers.
func (l *localStack) compile(ctx context.Context) (reload.Release, error) {
	out, err := filepath.Abs(filepath.Join(l.settings.root, built))
	if err != nil {
		return nil, err
	}
	l.builds, err = reload.NewBuilds(build.Options{
		Root: l.settings.root, Out: out,
		Packages: []string{"./local/capture", "./handlers/..."},
		Progress: l.out.compiling,
	})
	if err != nil {
		return nil, err
	}
	defer l.out.compiled()
	return l.builds.Build(ctx)
}

// capture asks the Pulumi program what it declares for the stack.
func (l *localStack) capture(ctx context.Context, built reload.Release) (*graph.Graph, error) {
	arguments := []string{"-root", l.settings.root, "-stack", l.settings.stack}
	if l.keys != nil {
		arguments = append(arguments, "-config", "issuer="+l.issuerURL(), "-config", "jwksUri=")
	}
	for _, assignment := range l.settings.config {
		arguments = append(arguments, "-config", assignment)
	}
	var declared, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, built["capture"], arguments...)
	cmd.Stdout, cmd.Stderr = &declared, &complaints
	if err := cmd.Run(); err != nil {
		if complaints.Len() > 0 {
			return nil, errors.New(strings.TrimSpace(complaints.String()))
		}
		return nil, fmt.Errorf("capture the stack: %w", err)
	}
	return graph.Read(&declared)
}

// startIssuer makes a local issuer, unless the stack's own is used, for the audience
// that the stack expects. One for another audience has other keys: no token of the one
// before would be accepted anyhow.
func (l *localStack) startIssuer(g *graph.Graph) error {
	if l.keys == nil {
		return nil
	}
	i, err := issuer.New(issuer.Options{
		URL: l.issuerURL(), Audience: audience(g), Scopes: strings.Fields(l.settings.scopes),
	})
	if err != nil {
		return err
	}
	l.issuer.Store(i)
	return nil
}

// audience is what the stack's authorizer expects of tokens.
func audience(g *graph.Graph) string { return configured(g, "AUDIENCE") }

// configured is a variable of the first function that has it.
func configured(g *graph.Graph, variable string) string {
	for _, f := range g.OfType(functionType) {
		if value := environment(f)[variable]; value != "" {
			return value
		}
	}
	return ""
}

func (l *localStack) issuerURL() string { return "http://" + l.keys.Addr().String() + "/" }

// url is the invoke URL of a path of the stack's stage.
func (l *localStack) url(part string) string {
	return "http://" + path.Join(l.api.Addr().String(), l.settings.stack, part)
}

// described is what the console shows of the stack.
func (l *localStack) described() console.Stack {
	g := l.stack.now().graph
	return console.Stack{
		Project: g.Project, Name: g.Stack, URL: l.url("profile"),
		IssuerURL: configured(g, "TOKEN_ISSUER"), Audience: audience(g),
		Scopes: strings.Fields(l.settings.scopes), Issuer: l.issuer.Load(),
	}
}

// report tells everybody who watches of an exchange.
func (l *localStack) report(e gateway.Exchange) {
	e = l.decisions.explain(e)
	l.out.exchange(e)
	l.console.Record(e)
}

// serve answers requests until ctx is done, and then lets those in flight finish.
func (l *localStack) serve(ctx context.Context) error {
	servers := map[*http.Server]net.Listener{{Handler: &l.stack}: l.api}
	if l.keys != nil {
		servers[&http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.issuer.Load().ServeHTTP(w, r)
		})}] = l.keys
	}
	// A page follows events for as long as it is open: without an end of its own,
	// every stop would wait for it.
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
			server.Close() // the time is up: what is still open is cut off
		}
	}
	watcher.Wait()
	return err
}

// close ends every process and gives the ports back. It may be called at any point
// of a start.
func (l *localStack) close() error {
	err := l.stack.close()
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
