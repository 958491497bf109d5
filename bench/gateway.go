package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/internal/bundle"
)

// sizes measures P11: the deployment packages as they are deployed.
func (b *bench) sizes(p *product) error {
	for _, f := range []struct {
		deployed
		bar float64
	}{{p.authorizer, 3.0}, {p.endpoint, 6.0}} {
		built, err := bundle.Build(b.ctx, bundle.Options{Root: ".", Package: f.handler, Out: filepath.Join(b.directory, f.name+".zip")})
		if err != nil {
			return err
		}
		b.report.Add("P11", report.Row{Name: f.name + ".zip", Unit: "MB (10⁶ bytes)", Estimate: report.Exactly(float64(built.Size) / 1e6), Bar: f.bar})
	}
	return nil
}

// manyClients is how many ask the gateway at the same time.
const manyClients = 200

// gateway measures P12: a request to the gateway next to calling its two functions one after
// the other. Both are time on the clock.
func (b *bench) gateway(p *product) error {
	one, err := dial(p.gateway.Listener.Addr())
	if err != nil {
		return err
	}
	defer one.connection.Close()
	const calls = 50
	wallTime := func(name string, work func() error) paired.Variant {
		return paired.Variant{Name: name, Block: func() (float64, error) {
			start := time.Now()
			for range calls {
				if err := work(); err != nil {
					return 0, err
				}
			}
			return float64(time.Since(start).Nanoseconds()) / calls, nil
		}}
	}
	samples, err := b.compare("P12", 40,
		wallTime("the two functions", func() error {
			for _, f := range []deployed{p.authorizer, p.endpoint} {
				result, err := p.pools[f.arn].Invoke(b.ctx, f.event)
				if err != nil || result.FunctionError != "" {
					return fmt.Errorf("expected an answer of %s, got %q: %v", f.name, result.FunctionError, err)
				}
			}
			return nil
		}),
		candidate{bar: 1.25, Variant: wallTime("a request", func() error {
			status, err := one.send(p.request)
			if err == nil && status != p.status {
				err = fmt.Errorf("expected status %d from the local gateway, got %d", p.status, status)
			}
			return err
		})})
	if err != nil {
		return err
	}
	failures, perSecond, err := p.crowd(b.rounds(2000))
	b.report.Add("P12",
		report.Row{Name: "a request", Unit: "ms here", Estimate: samples.Cost("a request").Times(1e-6)},
		report.Row{Name: fmt.Sprintf("server errors, %d clients at once", manyClients), Unit: "of all answers", Estimate: report.Exactly(failures), Zero: true},
		report.Row{Name: fmt.Sprintf("answers, %d clients at once", manyClients), Unit: "per second here", Estimate: report.Exactly(perSecond)})
	return err
}

// crowd sends so many requests from many clients at once. It returns the share of answers
// that are server errors, and the answers per second.
func (p *product) crowd(requests int) (failures, perSecond float64, err error) {
	var (
		sent, failed atomic.Int64
		wait         sync.WaitGroup
		broken       = make(chan error, manyClients)
		start        = time.Now()
	)
	for range manyClients {
		wait.Go(func() {
			c, err := dial(p.gateway.Listener.Addr())
			if err != nil {
				broken <- err
				return
			}
			defer c.connection.Close()
			for sent.Add(1) <= int64(requests) {
				status, err := c.send(p.request)
				if err != nil {
					broken <- err
					return
				}
				if status >= http.StatusInternalServerError {
					failed.Add(1)
				}
			}
		})
	}
	wait.Wait()
	select {
	case err := <-broken:
		return 0, 0, err
	default:
		return float64(failed.Load()) / float64(requests), float64(requests) / time.Since(start).Seconds(), nil
	}
}

// client is a client on a connection that it keeps. It does no more than HTTP/1.1 takes:
// net/http's passes each request and each answer from one goroutine to another.
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

// send sends a request and returns the status of the answer.
func (c *client) send(request []byte) (status int, err error) {
	if _, err := c.connection.Write(request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
