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
	if _, err := b.untilStatus(dir, http.StatusOK, nil); err != nil {
		return err
	}
	waits := map[string][]float64{}
	for range b.rounds(5) {
		b.say("starting it again, and after an edit")
		for _, step := range []struct {
			name   string
			status int
			before func() error
		}{
			{"build", 0, nil},
			{"warm", http.StatusOK, nil},
			{"edit", http.StatusForbidden, func() error { return editPolicy(dir, needed, unneeded) }},
			{"edit back", http.StatusOK, func() error { return editPolicy(dir, unneeded, needed) }},
		} {
			var took time.Duration
			var err error
			if step.status == 0 {
				took, err = b.buildAlone(dir)
			} else {
				took, err = b.untilStatus(dir, step.status, step.before)
			}
			if err != nil {
				return err
			}
			waits[step.name] = append(waits[step.name], took.Seconds())
		}
	}
	b.add(report.Row{Figure: "D1", Name: "warm make run to the first 200", Unit: "s", Estimate: paired.Of(waits["warm"]), Bar: 3})
	b.add(report.Row{Figure: "D1", Name: "go build of the same packages, nothing changed", Unit: "s", Estimate: paired.Of(waits["build"])})
	b.add(report.Row{Figure: "D2", Name: "policy saved, make run again, to the first changed answer", Unit: "s", Estimate: paired.Of(append(waits["edit"], waits["edit back"]...)), Bar: 3})
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

// buildAlone is what the go command takes for what a run builds.
func (b *bench) buildAlone(dir string) (time.Duration, error) {
	start := time.Now()
	for _, arguments := range [][]string{
		{"build", "-o", "dist/run", "./local"},
		{"build", "-buildvcs=false", "-tags=lambda.norpc", "-o", "dist/local/", "./local/capture", "./handlers/..."},
	} {
		cmd := exec.CommandContext(b.ctx, "go", arguments...)
		cmd.Dir = dir
		if output, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%s\ngo %v: %w", output, arguments, err)
		}
	}
	return time.Since(start), nil
}

// untilStatus starts the stack as make run does and waits until a request with a good
// token is answered with this status. The time includes what before does.
func (b *bench) untilStatus(dir string, status int, before func() error) (time.Duration, error) {
	api, keys, err := freePorts()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if before != nil {
		if err := before(); err != nil {
			return 0, err
		}
	}
	build := exec.CommandContext(b.ctx, "go", "build", "-o", "dist/run", "./local")
	build.Dir = dir
	if output, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s\n%w", output, err)
	}
	run := exec.CommandContext(b.ctx, filepath.Join(dir, "dist", "run"), "-port", strconv.Itoa(api), "-issuer-port", strconv.Itoa(keys))
	run.Dir = dir
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) } // it has processes to stop
	if err := run.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	defer func() {
		if run.Process.Signal(syscall.SIGTERM) == nil {
			<-ended
		}
	}()
	for {
		if got, err := tryProfile(b.ctx, api, keys); err == nil {
			took := time.Since(start)
			if got != status {
				return 0, fmt.Errorf("expected status %d from the local stack, got %d", status, got)
			}
			return took, nil
		}
		select {
		case err := <-ended:
			ended <- err
			return 0, fmt.Errorf("expected a running stack, got one that ended: %w", err)
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		case <-time.After(5 * time.Millisecond): // small against what is measured
		}
	}
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
