package programs

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"account-api/local/running"
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

// flow is one kind of request, and its answer when no process dies.
type flow struct {
	header, value string
	want          string
	functions     []string // that take part, whose deaths it may notice
}

// deaths are what API Gateway answers when a function's process dies under a request:
// an authorizer that failed is a configuration error, a proxy integration a bad gateway.
var deaths = map[string]string{
	"door":  `500 AuthorizerConfigurationException {"message":null}`,
	"seats": `502 InternalServerErrorException {"message": "Internal server error"}`,
}

func TestLoadWhileHandlersDie(t *testing.T) {
	s := theStorm()
	root := sharedCinema(t)
	r := serve(t, root)
	own := filepath.Join(root, "dist", "local", fmt.Sprintf("run-%d-*", r.PID()), "lambda-*") // directories of the functions
	flows := []flow{
		{"X-Ticket", ticket, "200 " + admitted, []string{"door", "seats"}},
		{"X-Ticket", "forged", "401 UnauthorizedException " + unauthorized, []string{"door"}},
		{"X-Other", ticket, "401 UnauthorizedException " + unauthorized, nil},
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
		// A process that was killed last may be noticed only now, by one request too.
		for answer, count := range r.flood(t, client, flows, storm{requests: 4 * s.concurrency, concurrency: 4}) {
			if slices.Contains(slices.Collect(maps.Values(deaths)), answer) {
				faults += count
			} else if !slices.ContainsFunc(flows, func(f flow) bool { return f.want == answer }) {
				t.Errorf("expected no fault after the storm, got %s", answer)
			}
		}
		if faults > kills {
			t.Errorf("expected at most one fault for each of %d killed processes, the last ones included, got %d", kills, faults)
		}
		handlers := r.handlers(t)
		if len(handlers) > 2*s.concurrency {
			t.Errorf("expected at most %d processes, as many as there were requests at a time, got %d", 2*s.concurrency, len(handlers))
		}
		for deadline := time.Now().Add(running.Patience); ; handlers = r.handlers(t) { // one may be ending
			directories, err := filepath.Glob(own)
			if err == nil && len(directories) == len(handlers) {
				break
			}
			if err != nil || time.Now().After(deadline) {
				t.Fatalf("expected a directory for each of %d processes, got %d, %v", len(handlers), len(directories), err)
			}
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
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(own); err != nil || len(left) > 0 {
		t.Errorf("expected a stop to leave no directory, got %q, %v", left, err)
	}
}

// flood sends requests, some at a time and a flow after the other, and counts the
// answers: "status type body", or what went wrong instead of one.
func (r stack) flood(t *testing.T, client *http.Client, flows []flow, s storm) map[string]int {
	t.Helper()
	var mu sync.Mutex
	answers := map[string]int{}
	next := make(chan flow)
	var senders sync.WaitGroup
	for range s.concurrency {
		senders.Go(func() {
			for f := range next {
				answer := f.outcome(t.Context(), client, r.API)
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

// outcome sends the request, and describes an answer that is neither the flow's own nor
// that of a death which the flow may notice.
func (f flow) outcome(ctx context.Context, client *http.Client, url string) string {
	status, body, err := running.Send(ctx, client, url, f.header, f.value)
	if err != nil {
		return err.Error()
	}
	answer := fmt.Sprint(status, " ", body)
	noticed := slices.ContainsFunc(f.functions, func(name string) bool { return deaths[name] == answer })
	if answer != f.want && !noticed {
		return answer + " instead of " + f.want
	}
	return answer
}

// killHandlers kills a handler process at every tick, as the kernel does when memory
// is short, until ctx is done. It returns how many it killed.
func (r stack) killHandlers(t *testing.T, ctx context.Context, every time.Duration) int {
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

// handlers are the processes of the functions.
func (r stack) handlers(t *testing.T) []int {
	var found []int
	for _, p := range processes(t) {
		if p.parent == r.PID() && (p.name == "door" || p.name == "seats") {
			found = append(found, p.id)
		}
	}
	return found
}

// memory is the command's resident set, in kB.
func (r stack) memory(t *testing.T) int {
	for _, p := range processes(t) {
		if p.id == r.PID() {
			return p.memory
		}
	}
	t.Fatal("expected the command to run")
	return 0
}
