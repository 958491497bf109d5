package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
	"account-api/local/running"
)

// errNode says what P13 needs.
var errNode = errors.New("needs node and npm (Debian: apt-get install nodejs npm; or https://nodejs.org)")

// serverless measures P13: make run next to serverless-offline, which serves two functions
// that return constants. Each is a process of its own. A block is a second of requests.
func (b *bench) serverless() (err error) {
	const (
		ours, theirs = "make run", "serverless-offline"
		third        = 0.333 // of the time for a request: three times as many requests
		quarter      = 0.25  // of the memory
	)
	peer, err := b.startPeer()
	if errors.Is(err, errNode) {
		b.report.Add("P13", report.Row{Name: "a request", Unit: "× " + theirs, Bar: third, Missing: err.Error()})
		return nil
	}
	if err != nil {
		return err
	}
	defer peer.stop()
	stack, err := running.Start(b.ctx, ".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	allowed, err := b.requestTo(stack)
	if err != nil {
		return err
	}
	refused := 0 // by serverless-offline, among all of the last ones
	asked := func(name string, r request, clients int, atLeast time.Duration) paired.Variant {
		return paired.Variant{Name: name, Block: func() (float64, error) {
			all, err := flood(r, clients, 0, atLeast)
			wrong := all.answers - all.statuses[http.StatusOK]
			if name == theirs {
				refused += wrong
			} else if err == nil && wrong > 0 {
				err = fmt.Errorf("expected status 200 from %s, got %v", name, all.statuses)
			}
			return all.took.Seconds() / float64(all.statuses[http.StatusOK]), err
		}}
	}
	for _, clients := range numbersOfClients {
		with := ", " + plural(clients, "client")
		variants := func(atLeast time.Duration) []paired.Variant {
			return []paired.Variant{asked(ours, allowed, clients, atLeast), asked(theirs, peer.request, clients, atLeast)}
		}
		if _, err := paired.Run(1, variants(3*time.Second)...); err != nil { // until enough processes have started
			return err
		}
		refused = 0
		samples, err := paired.Run(b.rounds(5), variants(time.Second)...)
		if err != nil {
			return err
		}
		b.report.Add("P13",
			report.Row{Name: fmt.Sprintf("a request%s: %.0f and %.0f a second", with, 1/samples.Cost(ours).Median, 1/samples.Cost(theirs).Median),
				Unit: "× " + theirs, Estimate: samples.Ratio(ours, theirs), Bar: third},
			report.Row{Name: "errors of " + theirs + with, Unit: "answers", Estimate: report.Exactly(float64(refused))})
		used, err := memory(stack.PID())
		if err != nil {
			return err
		}
		peers, err := memory(peer.cmd.Process.Pid)
		if err != nil {
			return err
		}
		b.report.Add("P13", report.Row{Name: fmt.Sprintf("memory%s: %.0f and %.0f MB", with, used, peers), Unit: "× " + theirs, Estimate: report.Exactly(used / peers), Bar: quarter})
	}
	return nil
}

// requestTo is the request of a caller whom the policy of the stack's first endpoint allows.
func (b *bench) requestTo(stack *running.Stack) (request, error) {
	token, err := stack.Allowed(b.ctx)
	if err != nil {
		return request{}, err
	}
	return compose(stack.Endpoint().Method, stack.API, stack.Endpoint().Header, token)
}

// peer is serverless-offline as it runs.
type peer struct {
	cmd     *exec.Cmd
	request request
}

// startPeer installs serverless-offline, unless it is installed, and starts it.
func (b *bench) startPeer() (*peer, error) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, errNode
		}
	}
	directory := filepath.Join(b.directory, "serverless-offline")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	if err := os.CopyFS(directory, os.DirFS("bench/peers/serverless-offline")); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	const program = "node_modules/osls/bin/serverless.js"
	if _, err := os.Stat(filepath.Join(directory, program)); err != nil {
		b.say("    installing serverless-offline")
		install := exec.CommandContext(b.ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
		install.Dir = directory
		if output, err := install.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("npm install: %w\n%s", err, output)
		}
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	p := &peer{}
	if p.request, err = compose(http.MethodGet, "http://127.0.0.1:"+ports[0]+"/seats", "Authorization", "header.payload.signature"); err != nil {
		return nil, err
	}
	var output bytes.Buffer
	p.cmd = exec.CommandContext(b.ctx, "node", program, "offline", "start", "--host", "127.0.0.1", "--noPrependStageInUrl", "--httpPort", ports[0], "--lambdaPort", ports[1])
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = directory, &output, &output
	p.cmd.Env = append(os.Environ(), "SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off")
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		if all, err := flood(p.request, 1, 1, 0); err == nil && all.statuses[http.StatusOK] == 1 {
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("expected serverless-offline to serve, got\n%s", &output)
}

func (p *peer) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it has no other processes
	_ = p.cmd.Wait()
}

// freePorts are ports that nothing listens on.
func freePorts(number int) (ports []string, err error) {
	for range number {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		ports = append(ports, port)
	}
	return ports, nil
}
