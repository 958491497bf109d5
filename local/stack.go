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
	"syscall"
	"time"

	"account-api/local/build"
	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/issuer"
)

const (
	// host is the only address that anything listens on: the issuer's client secret
	// is public, and so is everything that it signs.
	host = "127.0.0.1"
	// built is where executables for this machine go, so that the next run has to
	// compile and link only what changed.
	built = "dist/local"
	// drainTime is how long requests may take to finish when the stack is stopped. It
	// is a function's timeout, after which they have an answer anyhow.
	drainTime = 3 * time.Second
	// headerTime bounds how long a client may take to send a request's headers.
	headerTime = 10 * time.Second
)

// localStack is a stack that runs.
type localStack struct {
	settings  settings
	out       *report
	graph     *graph.Graph
	functions functions
	gateway   *gateway.Gateway
	issuer    *issuer.Issuer // nil when the stack's own is used
	api, keys net.Listener   // keys is the issuer's, nil when there is none
}

// start brings a stack up, or fails with nothing left behind. The ports are taken
// first, because compiling may take minutes and a port that is in use must not cost
// them.
func start(ctx context.Context, s settings, out, status io.Writer) (l *localStack, err error) {
	l = &localStack{settings: s, functions: functions{}, out: newReport(out, status, s.verbose)}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
			l = nil
		}
	}()
	if err := l.checkProject(); err != nil {
		return l, err
	}
	if l.api, err = listen("PORT", s.port); err != nil {
		return l, err
	}
	if s.issuer == "local" {
		if l.keys, err = listen("ISSUER_PORT", s.issuerPort); err != nil {
			return l, err
		}
	}
	if err := l.compile(ctx); err != nil {
		return l, err
	}
	if l.graph, err = l.capture(ctx); err != nil {
		return l, err
	}
	if err := l.startFunctions(); err != nil {
		return l, err
	}
	if l.gateway, err = gateway.New(l.graph, gateway.Options{Functions: l.functions, Report: l.out.exchange}); err != nil {
		return l, err
	}
	if l.keys != nil {
		if err := l.startIssuer(); err != nil {
			return l, err
		}
	}
	return l, l.out.started(l)
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
func (l *localStack) compile(ctx context.Context) error {
	defer l.out.compiled()
	return build.Packages(ctx, build.Options{
		Root: l.settings.root, Out: l.executables(),
		Packages: []string{"./local/capture", "./handlers/..."},
		Progress: l.out.compiling,
	})
}

// executables is the directory of what compile built.
func (l *localStack) executables() string {
	dir, err := filepath.Abs(filepath.Join(l.settings.root, built))
	if err != nil {
		return filepath.Join(l.settings.root, built) // as given: the working directory is gone
	}
	return dir
}

// capture asks the Pulumi program what it declares for the stack.
func (l *localStack) capture(ctx context.Context) (*graph.Graph, error) {
	arguments := []string{"-root", l.settings.root, "-stack", l.settings.stack}
	if l.keys != nil {
		arguments = append(arguments, "-config", "account-api:issuer="+l.issuerURL(), "-config", "account-api:jwksUri=")
	}
	for _, assignment := range l.settings.config {
		arguments = append(arguments, "-config", assignment)
	}
	var declared, complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(l.executables(), "capture"), arguments...)
	cmd.Stdout, cmd.Stderr = &declared, &complaints
	if err := cmd.Run(); err != nil {
		if complaints.Len() > 0 {
			return nil, errors.New(strings.TrimSpace(complaints.String()))
		}
		return nil, fmt.Errorf("capture the stack: %w", err)
	}
	return graph.Read(&declared)
}

// startIssuer makes the local issuer for the audience that the stack expects.
func (l *localStack) startIssuer() (err error) {
	l.issuer, err = issuer.New(issuer.Options{
		URL: l.issuerURL(), Audience: l.audience(), Scopes: strings.Fields(l.settings.scopes),
	})
	return err
}

// audience is what the stack's authorizer expects of tokens.
func (l *localStack) audience() string {
	for _, f := range l.graph.OfType(functionType) {
		if audience := environment(f)["AUDIENCE"]; audience != "" {
			return audience
		}
	}
	return ""
}

func (l *localStack) issuerURL() string { return "http://" + l.keys.Addr().String() + "/" }

// url is the invoke URL of a path of the stack's stage.
func (l *localStack) url(part string) string {
	return "http://" + path.Join(l.api.Addr().String(), l.graph.Stack, part)
}

// serve answers requests until ctx is done, and then lets those in flight finish.
func (l *localStack) serve(ctx context.Context) error {
	servers := []*http.Server{{Handler: l.gateway, ReadHeaderTimeout: headerTime}}
	listeners := []net.Listener{l.api}
	if l.issuer != nil {
		servers = append(servers, &http.Server{Handler: l.issuer, ReadHeaderTimeout: headerTime})
		listeners = append(listeners, l.keys)
	}
	failed := make(chan error, len(servers))
	for i, server := range servers {
		go func() { failed <- server.Serve(listeners[i]) }()
	}
	var err error
	select {
	case <-ctx.Done():
		l.out.stopping()
	case err = <-failed:
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	for _, server := range servers {
		if server.Shutdown(drain) != nil {
			server.Close() // the time is up: what is still open is cut off
		}
	}
	return err
}

// close ends every process and gives the ports back. It may be called at any point
// of a start.
func (l *localStack) close() error {
	var errs []error
	for _, pool := range l.functions {
		errs = append(errs, pool.Close())
	}
	for _, listener := range []net.Listener{l.api, l.keys} {
		if listener != nil {
			listener.Close() // closed already if it was served
		}
	}
	return errors.Join(errs...)
}
