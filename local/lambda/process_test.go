//go:build unix

package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gone reports whether a process has ended. One that nobody reaps, as an orphan
// in a container without an init, has ended too.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestAProcessIsReused(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	first := invoke(t, p, `{"do":"who"}`)
	second := invoke(t, p, `{"do":"who"}`)
	if !first.ColdStart || second.ColdStart || second.InitDuration != 0 {
		t.Errorf("cold starts %t, %t, expected only the first", first.ColdStart, second.ColdStart)
	}
	if a, b := who(t, first), who(t, second); a.PID != b.PID || b.Invocation != 2 {
		t.Errorf("got %+v and %+v, expected one process", a, b)
	}
}

func TestTheMostRecentlyUsedProcessIsReusedFirst(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	gates := [2]string{filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")}
	var results [2]chan Result
	for i, gate := range gates {
		results[i] = make(chan Result, 1)
		go func() { results[i] <- invoke(t, p, fmt.Sprintf(`{"do":"wait","text":%q}`, gate)) }()
		log.await(t, "waiting", i+1)
	}
	var last identity
	for _, i := range []int{1, 0} { // the first to start is the last to end
		if err := os.WriteFile(gates[i], nil, 0o600); err != nil {
			t.Fatal(err)
		}
		last = who(t, <-results[i])
	}
	for range 3 {
		if next := who(t, invoke(t, p, `{"do":"who"}`)); next.PID != last.PID {
			t.Errorf("process %d served, expected %d, which was used last", next.PID, last.PID)
		}
	}
	if stats := p.Stats(); stats != (Stats{Alive: 2, Starts: 2}) {
		t.Errorf("got %+v", stats)
	}
}

func TestFiftyConcurrentInvocationsHaveFiftyProcesses(t *testing.T) {
	const count = 50
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note, MaxProcesses: count})
	gate := filepath.Join(t.TempDir(), "gate")
	var mu sync.Mutex
	var wg sync.WaitGroup
	pids := make(map[int]bool)
	for range count {
		wg.Go(func() {
			id := who(t, invoke(t, p, fmt.Sprintf(`{"do":"wait","text":%q}`, gate)))
			mu.Lock()
			defer mu.Unlock()
			pids[id.PID] = true
		})
	}
	log.await(t, "waiting", count)

	// All of them are taken now, and one more is too many.
	if _, err := p.Invoke(context.Background(), []byte(`{"do":"who"}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("got %v, expected %v", err, ErrThrottled)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if len(pids) != count {
		t.Errorf("%d processes, expected %d", len(pids), count)
	}
	if r := invoke(t, p, `{"do":"who"}`); r.ColdStart || !pids[who(t, r).PID] {
		t.Error("the next invocation has a new process")
	}
}

func TestConcurrentInvocationsGetTheirOwnAnswers(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{MaxProcesses: 8})
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 50 {
				event := fmt.Sprintf(`{"do":"echo","text":"%d-%d"}`, worker, i)
				if r := invoke(t, p, event); string(r.Payload) != event || r.FunctionError != "" {
					t.Errorf("got %s, expected %s", r.Payload, event)
				}
			}
		})
	}
	wg.Wait()
	if starts := p.Stats().Starts; starts > 8 {
		t.Errorf("%d processes for 8 callers", starts)
	}
}

func TestAProcessKilledFromOutsideFailsItsInvocationOnly(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	victim := who(t, invoke(t, p, `{"do":"who"}`))
	result := make(chan Result, 1)
	go func() { result <- invoke(t, p, `{"do":"hang"}`) }()
	log.await(t, "hanging", 1)
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r := <-result
	if kind, message := document(t, r); kind != "Runtime.ExitError" || message != "RequestId: "+r.RequestID+" Error: Runtime exited with error: signal: killed" {
		t.Errorf("got %s %q", kind, message)
	}
	if next := invoke(t, p, `{"do":"who"}`); !next.ColdStart || next.FunctionError != "" {
		t.Errorf("the next invocation: %+v, expected a cold start", next)
	}
}

func TestAnEventThatADeadProcessHasNotSeenGoesToANewOne(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	dead := who(t, invoke(t, p, `{"do":"who"}`))

	// The process dies after it was chosen and before it has the event.
	if err := p.admit(); err != nil {
		t.Fatal(err)
	}
	s, err := p.place()
	if err != nil || s == nil {
		t.Fatalf("place: %v, %v", s, err)
	}
	syscall.Kill(dead.PID, syscall.SIGKILL)
	<-s.ended
	r, err := p.serve(newInvocation([]byte(`{"do":"who"}`)), s)
	p.invocations.Done()
	if err != nil {
		t.Fatal(err)
	}
	if id := who(t, r); id.PID == dead.PID || !r.ColdStart {
		t.Errorf("got %+v, expected a cold start", r)
	}
}

func TestAProcessThatDiesIdleIsForgotten(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	dead := who(t, invoke(t, p, `{"do":"who"}`))
	syscall.Kill(dead.PID, syscall.SIGKILL)
	eventually(t, "the pool forgets the process", func() bool { return p.Stats().Alive == 0 })
	if r := invoke(t, p, `{"do":"who"}`); !r.ColdStart {
		t.Error("no cold start")
	}
	if stats := p.Stats(); stats.Crashes != 1 {
		t.Errorf("got %+v, expected one crash", stats)
	}
}

func TestWhatAProcessStartedEndsWithIt(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Pool, identity){
		"on a timeout": func(t *testing.T, p *Pool, _ identity) { invoke(t, p, `{"do":"hang"}`) },
		"on an exit":   func(t *testing.T, p *Pool, _ identity) { invoke(t, p, `{"do":"exit"}`) },
		"on a kill":    func(t *testing.T, p *Pool, id identity) { syscall.Kill(id.PID, syscall.SIGKILL) },
		"on a replacement": func(t *testing.T, p *Pool, _ identity) {
			p.Replace(filepath.Join(built, updated))
		},
		"on close": func(t *testing.T, p *Pool, _ identity) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPool(t, declared(function, func(fn *Function) { fn.Timeout = 2 * time.Second }), Options{})
			id := who(t, invoke(t, p, `{"do":"who"}`))
			var child int
			if err := json.Unmarshal(invoke(t, p, `{"do":"child"}`).Payload, &child); err != nil {
				t.Fatal(err)
			}
			if gone(child) {
				t.Fatal("the child has ended by itself")
			}
			end(t, p, id)
			eventually(t, "the child is gone", func() bool { return gone(child) })
			eventually(t, "the process is gone", func() bool { return p.Stats().Alive == 0 })
		})
	}
}

func TestADescendantThatLeftTheGroupHoldsNothingUp(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	var daemon int
	if err := json.Unmarshal(invoke(t, p, `{"do":"daemon"}`).Payload, &daemon); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(daemon, syscall.SIGKILL)
	if kind, _ := document(t, invoke(t, p, `{"do":"exit"}`)); kind != "Runtime.ExitError" {
		t.Errorf("got %s", kind)
	}
	if gone(daemon) {
		t.Error("the descendant is gone: expected it to be out of reach, holding the output open")
	}
}

func TestTheGuardKillsWhatItStillWatches(t *testing.T) {
	g, err := newGuard()
	if err != nil {
		t.Fatal(err)
	}
	var processes [4]*exec.Cmd
	for i := range processes {
		processes[i] = exec.Command("/bin/sleep", "1000")
		processes[i].SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := processes[i].Start(); err != nil {
			t.Fatal(err)
		}
		g.watch(processes[i].Process.Pid)
	}
	g.forget(processes[0].Process.Pid)
	g.forget(processes[2].Process.Pid)
	if err := g.close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for i, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
		processes[i].Process.Signal(syscall.SIGTERM) // too late for those that were killed
		processes[i].Wait()
		if got := processes[i].ProcessState.Sys().(syscall.WaitStatus).Signal(); got != signal {
			t.Errorf("process %d ended by %v, expected %v", i, got, signal)
		}
	}
}

func TestATemporaryDirectoryLivesAsLongAsItsProcess(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	var dir string
	if err := json.Unmarshal(invoke(t, p, `{"do":"file","text":"kept"}`).Payload, &dir); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(content) != "kept" {
		t.Errorf("got %q, %v between invocations, expected the file", content, err)
	}
	invoke(t, p, `{"do":"exit"}`)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v after the process, expected no directory", err)
	}
}
