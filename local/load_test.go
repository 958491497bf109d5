package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// storm is a load under which handler processes die.
type storm struct {
	requests, concurrency int
	killEvery             time.Duration // a handler process, at random
}

// theStorm is a few seconds long, or what LONG=1 asks for: ten thousand requests, fifty
// at a time, with a process killed every second.
func theStorm() storm {
	if os.Getenv("LONG") != "" {
		return storm{requests: 10_000, concurrency: 50, killEvery: time.Second}
	}
	return storm{requests: 2_000, concurrency: 50, killEvery: 10 * time.Millisecond}
}

// hang is how long a request may take before it counts as lost: API Gateway waits 29 s
// for a function, and every answer here takes less than one.
const hang = 30 * time.Second

// flow is one kind of request, and its answer when nothing dies.
type flow struct {
	token, want string
	functions   []string // that take part, whose deaths it may notice
}

// deaths are what API Gateway answers when a function's process dies under a request:
// an authorizer that failed is a configuration error, a proxy integration a bad gateway.
var deaths = map[string]string{
	"authorizer": `500 AuthorizerConfigurationException {"message":null}`,
	"profile":    `502 InternalServerErrorException {"message":"Internal server error"}`,
}

func TestLoadWhileHandlersDie(t *testing.T) {
	s := theStorm()
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp) // the functions' own directories are counted
	r := runStack(t, "..")
	flows := []flow{
		{r.token(t, "get:profile"), "200  " + profileBody, []string{"authorizer", "profile"}},
		{r.token(t, "update:profile"), "403  " + forbiddenBody, []string{"authorizer", "profile"}},
		{"aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl", "401 UnauthorizedException " + unauthorizedBody, []string{"authorizer"}},
		{"", "401 UnauthorizedException " + unauthorizedBody, nil},
	}
	client := &http.Client{Timeout: hang, Transport: &http.Transport{MaxIdleConnsPerHost: s.concurrency}}
	defer client.CloseIdleConnections()

	// A first wave starts as many processes, and fills as much memory, as this load takes.
	for answer, count := range r.flood(t, client, flows, storm{requests: 20 * s.concurrency, concurrency: s.concurrency}) {
		if !slices.ContainsFunc(flows, func(f flow) bool { return f.want == answer }) {
			t.Errorf("expected no fault before the storm, got %d × %s", count, answer)
		}
	}
	before := r.memory(t)

	ctx, stop := context.WithCancel(t.Context())
	killed := make(chan int)
	go func() { killed <- r.killHandlers(t, ctx, s.killEvery) }()
	begun := time.Now()
	answers := r.flood(t, client, flows, s)
	took := time.Since(begun)
	stop()
	kills := <-killed

	total, faults := 0, 0
	for answer, count := range answers {
		total += count
		switch {
		case slices.ContainsFunc(flows, func(f flow) bool { return f.want == answer }):
		case slices.Contains(slices.Collect(maps.Values(deaths)), answer):
			faults += count
		default:
			t.Errorf("expected only answers that API Gateway would give, got %d × %s", count, answer)
		}
	}
	if total != s.requests {
		t.Errorf("expected %d answers, got %d", s.requests, total)
	}
	// A process serves one request at a time, so its death is noticed by one at most.
	if kills == 0 || faults > kills {
		t.Errorf("expected at most one fault for each of %d killed processes (and some of those), got %d", kills, faults)
	}

	t.Run("afterwards nothing is left of it", func(t *testing.T) {
		for answer := range r.flood(t, client, flows, storm{requests: 4 * s.concurrency, concurrency: 4}) {
			if !slices.ContainsFunc(flows, func(f flow) bool { return f.want == answer }) {
				t.Errorf("expected no fault after the storm, got %s", answer)
			}
		}
		handlers := r.handlers(t)
		if len(handlers) > 2*s.concurrency {
			t.Errorf("expected at most %d processes, as many as there were requests at a time, got %d", 2*s.concurrency, len(handlers))
		}
		directories, err := filepath.Glob(filepath.Join(tmp, "lambda-*"))
		if err != nil || len(directories) != len(handlers) {
			t.Errorf("expected a directory for each of %d processes, got %d, %v", len(handlers), len(directories), err)
		}
		// Half is for what the runtime holds on to between two collections; a leak of a
		// few kB a request would be more.
		after := r.memory(t)
		if 2*after > 3*before {
			t.Errorf("expected the memory to return to about %d kB, got %d kB", before, after)
		}
		t.Logf("%d requests in %v, %d at a time: %d processes killed, %d faults; memory %d kB before, %d kB after; %d processes",
			s.requests, took.Round(time.Millisecond), s.concurrency, kills, faults, before, after, len(handlers))
	})
	r.stop(t, syscall.SIGTERM)
	if left, err := filepath.Glob(filepath.Join(tmp, "lambda-*")); err != nil || len(left) > 0 {
		t.Errorf("expected a stop to leave no directory, got %q, %v", left, err)
	}
}

// flood sends requests, some at a time and a flow after the other, and counts the
// answers: "status type body", or what went wrong instead of one.
func (r *command) flood(t *testing.T, client *http.Client, flows []flow, s storm) map[string]int {
	t.Helper()
	var mu sync.Mutex
	answers := map[string]int{}
	next := make(chan flow)
	var senders sync.WaitGroup
	for range s.concurrency {
		senders.Go(func() {
			for f := range next {
				answer := r.send(t.Context(), client, f)
				mu.Lock()
				answers[answer]++
				mu.Unlock()
			}
		})
	}
	for i := range s.requests {
		next <- flows[i%len(flows)]
	}
	close(next)
	senders.Wait()
	return answers
}

// send makes one request. An answer that is not the flow's own says so, unless it is
// that of a death which the flow could notice.
func (r *command) send(ctx context.Context, client *http.Client, f flow) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.api, nil)
	if err != nil {
		return err.Error()
	}
	if f.token != "" {
		req.Header.Set("Authorization", "Bearer "+f.token)
	}
	response, err := client.Do(req)
	if err != nil {
		return "no answer: " + err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "half an answer: " + err.Error()
	}
	answer := fmt.Sprintf("%d %s %s", response.StatusCode, response.Header.Get("X-Amzn-Errortype"), body)
	if response.Header.Get("X-Amzn-Requestid") == "" || response.Header.Get("Access-Control-Allow-Origin") != "*" {
		return answer + " without its headers"
	}
	noticed := slices.ContainsFunc(f.functions, func(name string) bool { return deaths[name] == answer })
	if answer != f.want && !noticed {
		return answer + " instead of " + f.want
	}
	return answer
}

// killHandlers kills a handler process at every tick, as the kernel does when memory
// is short, until ctx is done. It returns how many it killed.
func (r *command) killHandlers(t *testing.T, ctx context.Context, every time.Duration) int {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for kills := 0; ; {
		select {
		case <-ctx.Done():
			return kills
		case <-tick.C:
			handlers := r.handlers(t)
			if len(handlers) == 0 {
				continue
			}
			if syscall.Kill(handlers[rand.IntN(len(handlers))], syscall.SIGKILL) == nil {
				kills++
			}
		}
	}
}

// handlers are the processes of the functions that the command has started.
func (r *command) handlers(t *testing.T) []int {
	var found []int
	for _, p := range list(t) {
		if p.parent == r.cmd.Process.Pid && (p.name == "authorizer" || p.name == "profile") {
			found = append(found, p.id)
		}
	}
	return found
}

// memory is the command's resident set, in kB.
func (r *command) memory(t *testing.T) int {
	for _, p := range list(t) {
		if p.id == r.cmd.Process.Pid {
			return p.memory
		}
	}
	t.Fatal("expected the command to run")
	return 0
}

type process struct {
	id, parent, memory int // memory in kB
	name               string
}

// list asks ps, which every Unix has, for all processes that are alive.
func list(t *testing.T) []process {
	t.Helper()
	output, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,rss=,stat=,comm=").Output()
	if err != nil {
		t.Errorf("list processes: %v", err)
	}
	var all []process
	for line := range strings.Lines(string(output)) {
		fields := strings.Fields(line)
		if len(fields) < 5 || strings.HasPrefix(fields[3], "Z") { // reaped soon
			continue
		}
		var p process
		for i, to := range []*int{&p.id, &p.parent, &p.memory} {
			if *to, err = strconv.Atoi(fields[i]); err != nil {
				t.Errorf("list processes: %v", err)
			}
		}
		p.name = filepath.Base(fields[4])
		all = append(all, p)
	}
	return all
}
