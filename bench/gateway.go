package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/local/gateway"
	"account-api/local/graph"
	"account-api/local/lambda"
)

// gateway measures P12: what a request costs on a developer's machine, next to calling
// its two functions one after the other.
func (b *bench) gateway() error {
	b.say("requests through the local gateway")
	p, err := newProvider()
	if err != nil {
		return err
	}
	defer p.close()
	s, err := b.startStack(p)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.request(b.ctx); err != nil { // starts the processes and records their events
		return err
	}
	const calls = 50
	samples, err := paired.Run(b.rounds(40),
		paired.Variant{Name: "gateway", Block: func() (float64, error) { return wallTime(b.ctx, calls, s.request) }},
		paired.Variant{Name: "direct", Block: func() (float64, error) { return wallTime(b.ctx, calls, s.direct) }},
	)
	if err != nil {
		return err
	}
	b.add(report.Row{Figure: "P12", Name: "a request through the local gateway", Unit: "× the two functions", Estimate: samples.Ratio("gateway", "direct"), Bar: 1.3})
	b.add(report.Row{Figure: "P12", Name: "added by the gateway and its HTTP, for scale", Unit: "ms here", Estimate: scaled(samples.Difference("gateway", "direct"), 1e-6)})
	for _, clients := range []int{1, mostClients} {
		throughput := func(work func(context.Context) error) func() (float64, error) {
			return func() (float64, error) { return perSecond(b.ctx, clients, work) }
		}
		samples, err := paired.Run(b.rounds(10),
			paired.Variant{Name: "gateway", Block: throughput(s.request)}, paired.Variant{Name: "direct", Block: throughput(s.direct)})
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%d at a time", clients)
		b.add(report.Row{Figure: "P12", Name: "requests through the local gateway, " + name, Unit: "per second here", Estimate: samples.Cost("gateway")})
		b.add(report.Row{Figure: "P12", Name: "the two functions directly, " + name, Unit: "per second here", Estimate: samples.Cost("direct")})
	}
	return s.close()
}

// stack is the API on this machine: the real gateway emulation and the real functions.
type stack struct {
	server  *httptest.Server
	clients chan *client // that have no request under way
	ask     []byte       // the request
	close   func() error
	pools   map[string]*lambda.Pool // by ARN

	mu     sync.Mutex
	order  []string          // ARNs in the order of their first call
	events map[string][]byte // the first event of each
}

func (b *bench) startStack(p *provider) (*stack, error) {
	declared, err := b.capture(p)
	if err != nil {
		return nil, err
	}
	s := &stack{pools: map[string]*lambda.Pool{}, events: map[string][]byte{}, clients: make(chan *client, mostClients)}
	s.close = sync.OnceValue(s.shutdown)
	executables := map[string]string{"authorizer": b.built.authorizer.Path, "profile": b.built.profile.Path}
	for _, f := range declared.OfType("aws:lambda/function:Function") {
		code, _ := f.Inputs["code"].(map[string]any)
		archive, _ := code["path"].(string)
		declaredEnvironment, _ := f.Inputs["environment"].(map[string]any)
		variables, _ := declaredEnvironment["variables"].(map[string]any)
		environment := map[string]string{}
		for name, value := range variables {
			environment[name], _ = value.(string)
		}
		arn := f.String("arn")
		s.pools[arn], err = lambda.NewPool(lambda.Function{
			Name: f.String("name"), ARN: arn, Region: declared.Region,
			Executable: executables[path.Base(declared.Bundles[archive])], Environment: environment,
		}, lambda.Options{})
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	api, err := gateway.New(declared, gateway.Options{Functions: s})
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.server = httptest.NewServer(api)
	s.ask = fmt.Appendf(nil, "GET /%s/profile HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
		declared.Stack, s.server.Listener.Addr(), p.token)
	for range mostClients {
		c, err := dial(s.server.Listener.Addr())
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		s.clients <- c
	}
	return s, nil
}

// capture asks the Pulumi program what it declares, with our provider in it.
func (b *bench) capture(p *provider) (*graph.Graph, error) {
	cmd := exec.CommandContext(b.ctx, b.built.capture, "-stack", "dev",
		"-config", "account-api:issuer="+p.server.URL+"/", "-config", "account-api:jwksUri=", "-config", "account-api:audience="+audience)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	declared, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s\n%s: %w", complaints.Bytes(), filepath.Base(b.built.capture), err)
	}
	return graph.Read(bytes.NewReader(declared))
}

func (s *stack) shutdown() error {
	if s.server != nil {
		for range len(s.clients) {
			(<-s.clients).connection.Close()
		}
		s.server.Close()
	}
	var errs []error
	for pool := range maps.Values(s.pools) {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	return errors.Join(errs...)
}

// Invoke implements [gateway.Functions] and keeps each function's first event.
func (s *stack) Invoke(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
	s.mu.Lock()
	if _, known := s.events[arn]; !known {
		s.events[arn] = slices.Clone(event)
		s.order = append(s.order, arn)
	}
	s.mu.Unlock()
	return s.pools[arn].Invoke(ctx, event)
}

// mostClients is how many ask at the same time.
const mostClients = 50

// client is a client on a connection that it keeps. It does no more than HTTP/1.1 takes:
// what a client costs is not the gateway's doing, and net/http's passes each request and
// each answer from one goroutine to another.
type client struct {
	connection net.Conn
	answers    *bufio.Reader
}

func dial(address net.Addr) (*client, error) {
	connection, err := net.Dial(address.Network(), address.String())
	if err != nil {
		return nil, err
	}
	return &client{connection, bufio.NewReader(connection)}, nil
}

// request is one request of one of the clients.
func (s *stack) request(context.Context) error {
	c := <-s.clients
	defer func() { s.clients <- c }()
	if _, err := c.connection.Write(s.ask); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("expected status 200 from the local gateway, got %d", response.StatusCode)
	}
	return nil
}

// direct calls the same functions with the events of the first request.
func (s *stack) direct(ctx context.Context) error {
	for _, arn := range s.order {
		result, err := s.pools[arn].Invoke(ctx, s.events[arn])
		if err != nil {
			return err
		}
		if result.FunctionError != "" {
			return fmt.Errorf("expected an answer of %s, got error %s", arn, result.FunctionError)
		}
	}
	return nil
}

// wallTime returns nanoseconds on the clock for one call: waiting counts.
func wallTime(ctx context.Context, calls int, work func(context.Context) error) (float64, error) {
	start := time.Now()
	for range calls {
		if err := work(ctx); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(calls), nil
}

// perSecond returns how much work a number of clients get done in a second.
func perSecond(ctx context.Context, clients int, work func(context.Context) error) (float64, error) {
	const duration = 500 * time.Millisecond
	var (
		done   atomic.Int64
		wait   sync.WaitGroup
		failed = make(chan error, clients)
		start  = time.Now()
	)
	for range clients {
		wait.Go(func() {
			for time.Since(start) < duration {
				if err := work(ctx); err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	took := time.Since(start)
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(done.Load()) / took.Seconds(), nil
	}
}
