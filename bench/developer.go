package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
)

const (
	policyFile = "policies/profile/profile.rego"
	needed     = "get:profile"    // what the policy demands
	unneeded   = "nobody:profile" // what the edited one does, and nobody has
)

// developer measures how long a developer waits: for the first answer of a stack that
// ran before, and for the first changed answer after an edit of the policy. It works in
// a copy of the project.
func (b *bench) developer() error {
	b.say("copying the project")
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copyProject(dir); err != nil {
		return err
	}
	b.say("building it for the first time")
	run, err := b.makeRun(dir)
	if err != nil {
		return err
	}
	if err := run.stop(); err != nil {
		return err
	}
	waits := map[string][]float64{}
	waited := func(name string, since time.Time) { waits[name] = append(waits[name], time.Since(since).Seconds()) }
	for range b.rounds(5) {
		b.say("starting it again, and after an edit")
		start := time.Now()
		if err := b.buildAlone(dir); err != nil {
			return err
		}
		waited("build", start)

		start = time.Now()
		if run, err = b.makeRun(dir); err != nil {
			return err
		}
		waited("warm", start)

		start = time.Now()
		err := editPolicy(dir, needed, unneeded)
		if err == nil {
			_, err = run.await(b.ctx, func(status int) bool { return status == http.StatusForbidden })
		}
		waited("saved", start)
		if err := errors.Join(err, run.stop()); err != nil {
			return err
		}

		start = time.Now()
		if err := editPolicy(dir, unneeded, needed); err != nil {
			return err
		}
		if run, err = b.makeRun(dir); err != nil {
			return err
		}
		waited("edited", start)
		if err := run.stop(); err != nil {
			return err
		}
	}
	seconds := func(figure, name, wait string, bar float64) {
		b.add(report.Row{Figure: figure, Name: name, Unit: "s", Estimate: paired.Of(waits[wait]), Bar: bar})
	}
	seconds("D1", "make run to the first answer, nothing changed", "warm", 3)
	seconds("D1", "go build of the same packages, nothing changed", "build", 0)
	seconds("D2", "a rule edited, make run to the first answer by it", "edited", 3)
	seconds("D3", "a rule saved while make run serves, to the first answer by it", "saved", 3)
	return nil
}

// copyProject copies what is in the working tree, without what was built.
func copyProject(to string) error {
	return filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name == ".git" || name == "dist" || entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), content, 0o644)
	})
}

func editPolicy(dir, from, to string) error {
	file := filepath.Join(dir, policyFile)
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited := strings.ReplaceAll(string(content), `"`+from+`"`, `"`+to+`"`)
	if edited == string(content) {
		return fmt.Errorf("expected %s to demand %q, found it nowhere", policyFile, from)
	}
	return os.WriteFile(file, []byte(edited), 0o644)
}

// buildAlone is what a run builds, by itself.
func (b *bench) buildAlone(dir string) error {
	for _, arguments := range [][]string{
		{"build", "-o", "dist/run", "./local"},
		{"build", "-buildvcs=false", "-tags=lambda.norpc", "-o", "dist/local/", "./local/capture", "./handlers/..."},
	} {
		if err := b.goIn(dir, arguments...); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) goIn(dir string, arguments ...string) error {
	cmd := exec.CommandContext(b.ctx, "go", arguments...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s\ngo %v: %w", output, arguments, err)
	}
	return nil
}

// localRun is a stack that make run serves.
type localRun struct {
	cmd       *exec.Cmd
	api, keys int
	ended     chan struct{} // closed when it is reaped
}

// makeRun does what make run does with the policy as it was, and returns when the first
// answer has come. An answer by another policy is an error.
func (b *bench) makeRun(dir string) (*localRun, error) {
	if err := b.goIn(dir, "build", "-o", "dist/run", "./local"); err != nil {
		return nil, err
	}
	r := &localRun{ended: make(chan struct{})}
	var err error
	if r.api, r.keys, err = freePorts(); err != nil {
		return nil, err
	}
	r.cmd = exec.CommandContext(b.ctx, filepath.Join(dir, "dist", "run"),
		"-port", strconv.Itoa(r.api), "-issuer-port", strconv.Itoa(r.keys), "-console-port", "0")
	r.cmd.Dir = dir
	r.cmd.Cancel = func() error { return r.cmd.Process.Signal(syscall.SIGTERM) } // it has processes to stop
	if err := r.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(r.ended)
		_ = r.cmd.Wait() // it is told to end, so its status says nothing
	}()
	first, err := r.await(b.ctx, func(int) bool { return true })
	if err == nil && first != http.StatusOK {
		err = fmt.Errorf("expected status 200 from the local stack, got %d", first)
	}
	if err != nil {
		return nil, errors.Join(err, r.stop())
	}
	return r, nil
}

// askEvery is small against what is measured, and leaves the processors to the compiler.
const askEvery = 25 * time.Millisecond

// await asks with a good token until the status of an answer will do, and returns it.
func (r *localRun) await(ctx context.Context, will func(status int) bool) (int, error) {
	for {
		if status, err := tryProfile(ctx, r.api, r.keys); err == nil && will(status) {
			return status, nil
		}
		select {
		case <-r.ended:
			return 0, errors.New("expected a running stack, got one that ended")
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// stop ends the stack and waits until it has.
func (r *localRun) stop() error {
	err := r.cmd.Process.Signal(syscall.SIGTERM)
	<-r.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// tryProfile gets a token and asks for the profile. It fails as long as nothing listens.
func tryProfile(ctx context.Context, api, keys int) (status int, err error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"local-client"}, "client_secret": {"local-secret"}, "audience": {audience}}
	address := fmt.Sprintf("http://127.0.0.1:%d/oauth/token", keys)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&granted); err != nil {
		return 0, err
	}
	if granted.AccessToken == "" {
		return 0, errors.New("expected a token, got none")
	}
	request, err = http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/dev/profile", api), nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+granted.AccessToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, nil
}

// freePorts returns two ports that were free a moment ago.
func freePorts() (api, keys int, err error) {
	var ports [2]int
	for i := range ports {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 0, 0, err
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports[0], ports[1], nil
}
