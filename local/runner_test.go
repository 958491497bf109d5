package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	admitted     = "12 free"
	unauthorized = `{"message":"Unauthorized"}`
	ticket       = "admit one"
)

func TestAnotherProgram(t *testing.T) {
	c := runStack(t, sharedCinema(t), cinemaArguments...)
	if !strings.HasSuffix(c.API, "/v1/seats") || c.Project != "cinema" || c.Name != "matinee" {
		t.Errorf("expected the stage v1 of cinema, got %s of %s %s", c.API, c.Project, c.Name)
	}
	expect(t, c.enter(t, ticket), http.StatusOK, admitted)
	expect(t, c.enter(t, "forged"), http.StatusUnauthorized, unauthorized)
	expect(t, request(t, http.MethodGet, c.API), http.StatusUnauthorized, unauthorized)
	expect(t, request(t, http.MethodGet, c.API+"/a7", "X-Ticket", ticket), http.StatusOK, admitted+"a7")
	c.says(t, "200 by integration cinema-seats", 2)
	out := c.Output()
	for _, want := range []string{
		"cinema, stack matinee, on this machine", "  GET     " + c.API + "\n", "  GET     " + c.API + "/example\n",
		"The program warns: the programme changes on Thursday\n",
		`curl -H "X-Ticket: $TOKEN" ` + c.API,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("expected %q in the output", want)
		}
	}
	for _, alien := range []string{"issuer", "oauth", "policies"} {
		if strings.Contains(out, alien) {
			t.Errorf("expected nothing of %s, got:\n%s", alien, out)
		}
	}
}

func TestStopLeavesNothingRunning(t *testing.T) {
	for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		t.Run(sent.String(), func(t *testing.T) {
			root := sharedCinema(t)
			// A process ignores a hangup if its parent did, as under nohup. A handled signal
			// has its default in the processes that are started.
			handled := make(chan os.Signal, 1)
			signal.Notify(handled, sent)
			defer signal.Stop(handled)
			c := runStack(t, root, cinemaArguments...)
			expect(t, c.enter(t, ticket), http.StatusOK, admitted)
			children := map[int]bool{}
			for _, p := range processes(t) {
				if p.parent == c.PID() {
					children[p.id] = true
				}
			}
			if len(children) < 2 {
				t.Fatalf("expected a process for each function, got %v", children)
			}
			if err := c.End(sent); err != nil && sent != syscall.SIGKILL {
				t.Errorf("expected a stop without an error, got %v:\n%s", err, c.Output())
			}
			for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				alive := 0
				for _, p := range processes(t) {
					if children[p.id] {
						alive++
					}
				}
				if alive == 0 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("expected no process to be left, got %d of %d", alive, len(children))
				}
			}
			if _, err := http.Get(c.API); err == nil {
				t.Error("expected the port to be free again")
			}
			left := filepath.Join(root, "dist", "local", fmt.Sprintf("run-%d-*", c.PID()))
			if sent == syscall.SIGKILL { // the next start cleans up
				next := runStack(t, root, cinemaArguments...)
				if err := next.Stop(); err != nil {
					t.Error(err)
				}
			}
			if directories, err := filepath.Glob(left); err != nil || len(directories) > 0 {
				t.Errorf("expected no directory of the run to be left, got %q, %v", directories, err)
			}
		})
	}
}

// fails runs the command and expects it to end with an error that says something.
func fails(t *testing.T, root string, says []string, arguments ...string) {
	t.Helper()
	c := launch(t, root, arguments...)
	select {
	case <-c.Exited():
	case <-time.After(5 * patience): // a new machine compiles the Pulumi SDK first
		t.Fatalf("expected the command to fail, got:\n%s", c.Output())
	}
	var exit *exec.ExitError
	if !errors.As(c.Err(), &exit) || exit.ExitCode() != 1 {
		t.Errorf("expected exit status 1, got %v", c.Err())
	}
	for _, want := range says {
		if !strings.Contains(c.Output(), want) {
			t.Errorf("expected the error to say %q, got:\n%s", want, c.Output())
		}
	}
	if n := strings.Count(c.Output(), "error:"); n != 1 {
		t.Errorf("expected one error, got %d:\n%s", n, c.Output())
	}
}

func TestMistakesAreExplained(t *testing.T) {
	busy := httptest.NewServer(http.NotFoundHandler())
	defer busy.Close()
	_, port, err := net.SplitHostPort(busy.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		arguments, says []string
	}{
		"the API's port is taken":              {[]string{"-port", port}, []string{"port " + port + " is taken", "make run PORT="}},
		"the issuer's port is taken":           {[]string{"-issuer-port", port}, []string{"port " + port + " is taken", "make run ISSUER_PORT="}},
		"the console's port is taken":          {[]string{"-console-port", port}, []string{"port " + port + " is taken", "make run CONSOLE_PORT="}},
		"a port that is none":                  {[]string{"-console-port", "70000"}, []string{"expected a port from 0 to 65535, got 70000: make run CONSOLE_PORT="}},
		"there is no such stack":               {[]string{"-stack", "nowhere"}, []string{`stack "nowhere"`, "there are stacks matinee"}},
		"the program refuses its settings":     {[]string{"-config", "maxAge=0"}, []string{"maxAge: expected at least 1 second, got 0"}},
		"settings with the project's name too": {[]string{"-config", "cinema:maxAge=0"}, []string{"maxAge: expected at least 1 second, got 0"}},
		"an unknown kind of issuer":            {[]string{"-issuer", "auth0"}, []string{`expected "local" or "stack"`}},
		"there is no program to capture with":  {[]string{"-capture", "./cmd/none"}, []string{"cmd/none", "cannot build"}},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, sharedCinema(t), row.says, append(append([]string{}, cinemaArguments...), row.arguments...)...)
		})
	}
}

func TestStopWhileStarting(t *testing.T) {
	root := cinema(t)
	edit(t, filepath.Join(root, "deploy", "deploy.go"), "package deploy\n", "package deploy // of "+root+"\n") // which has to be compiled
	c := launch(t, root, cinemaArguments...)
	c.says(t, "ompiling", 1)
	if err := c.End(syscall.SIGINT); err != nil {
		t.Errorf("expected a stop without an error, got %v:\n%s", err, c.Output())
	}
}

// traffic sends requests from several clients until it is stopped, and keeps the answers
// that are not among those expected.
type traffic struct {
	stop     chan struct{}
	clients  sync.WaitGroup
	requests atomic.Int64
	mu       sync.Mutex
	failures []string
}

// Each client pauses after an answer, so that the compiler can run.
const (
	clients = 4
	pause   = 10 * time.Millisecond
)

func startTraffic(ask func() (status int, body string, err error), expected ...string) *traffic {
	f := &traffic{stop: make(chan struct{})}
	for range clients {
		f.clients.Go(func() {
			for {
				select {
				case <-f.stop:
					return
				case <-time.After(pause):
				}
				status, body, err := ask()
				f.requests.Add(1)
				f.compare(fmt.Sprint(status, " ", body), err, expected)
			}
		})
	}
	return f
}

func (f *traffic) compare(got string, err error, expected []string) {
	for _, want := range expected {
		if err == nil && got == want {
			return
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, fmt.Sprintf("%s, %v", got, err))
}

// end stops the clients, after a number of requests at least.
func (f *traffic) end(t *testing.T, atLeast int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); f.requests.Load() < atLeast && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	close(f.stop)
	f.clients.Wait()
	if n := f.requests.Load(); n < atLeast {
		t.Errorf("expected at least %d requests, got %d", atLeast, n)
	}
	if len(f.failures) > 0 {
		t.Errorf("expected no request to fail, %d of %d did, the first one: %s", len(f.failures), f.requests.Load(), f.failures[0])
	}
}

// asking is a request that may be sent by several clients.
func asking(t *testing.T, url, header, value string) func() (int, string, error) {
	return func() (int, string, error) {
		f := flow{header: header, value: value}
		return f.send(t.Context(), http.DefaultClient, url)
	}
}

func TestReload(t *testing.T) {
	root := cinema(t)
	c := runStack(t, root, append(cinemaArguments, "-config", "maxAge=600")...)
	seats := filepath.Join(root, "cmd", "seats", "main.go")
	declaration := filepath.Join(root, "deploy", "deploy.go")
	enter := func() answer { return c.enter(t, ticket) }
	expect(t, enter(), http.StatusOK, admitted)

	t.Run("another answer serves, and no request is dropped meanwhile", func(t *testing.T) {
		flood := startTraffic(asking(t, c.API, "X-Ticket", ticket), "200 "+admitted, "200 sold out")
		edit(t, seats, admitted, "sold out")
		eventually(t, c, enter, http.StatusOK, "sold out")
		edit(t, seats, "sold out", admitted)
		eventually(t, c, enter, http.StatusOK, admitted)
		flood.end(t, 200)
		c.says(t, "Reloaded cinema-seats in ", 2)
	})

	t.Run("Go that does not compile is shown, and the next good save serves", func(t *testing.T) {
		edit(t, seats, "func main() {", "func main() {\n\tundefinedThing()")
		c.says(t, "undefined: undefinedThing", 1)
		expect(t, enter(), http.StatusOK, admitted)
		if page := request(t, http.MethodGet, c.Console); !strings.Contains(page.body, "Not reloaded") || !strings.Contains(page.body, "undefinedThing") {
			t.Errorf("expected the console to show the error, got a page that begins with\n%.2000s", page.body)
		}
		edit(t, seats, "\n\tundefinedThing()", "")
		c.says(t, "No change in what serves", 1)
		if page := request(t, http.MethodGet, c.Console); strings.Contains(page.body, "Not reloaded") {
			t.Errorf("expected the console to show no error, got a page that begins with\n%.2000s", page.body)
		}
	})

	t.Run("a function that does not start is shown, and the former one serves", func(t *testing.T) {
		edit(t, seats, "func main() {", "func main() {\n\tpanic(\"no projector\")")
		c.says(t, "cinema-seats does not start", 1)
		c.says(t, "no projector", 1)
		expect(t, enter(), http.StatusOK, admitted)
		edit(t, seats, "\n\tpanic(\"no projector\")", "")
		c.says(t, "No change in what serves", 2)
	})

	t.Run("another declaration with a function in a new directory serves, and no request is dropped meanwhile", func(t *testing.T) {
		flood := startTraffic(asking(t, c.API, "X-Ticket", ticket), "200 "+admitted, "200 9 rows")
		write(t, filepath.Join(root, "cmd", "rows", "main.go"), strings.Replace(read(t, seats), admitted, "9 rows", 1))
		write(t, declaration, strings.NewReplacer(`'max-age=%d'`, `'max-age=%d, must-revalidate'`, `function("seats")`, `function("rows")`).Replace(read(t, declaration)))
		eventually(t, c, enter, http.StatusOK, "9 rows")
		if got := request(t, http.MethodGet, c.API).header.Get("Cache-Control"); got != "max-age=600, must-revalidate" {
			t.Errorf("expected another header, got %q", got)
		}
		flood.end(t, 200)
	})

	t.Run("a stack file that is wrong is shown, and its correction serves", func(t *testing.T) {
		file := filepath.Join(root, "Pulumi.matinee.yaml")
		edit(t, file, "aws:region:", "aws:regoin:")
		c.says(t, "aws:region", 1)
		expect(t, enter(), http.StatusOK, "9 rows")
		edit(t, file, "aws:regoin: eu-west-1", "aws:region: eu-north-1")
		c.says(t, "Reloaded the stack", 2)
		expect(t, enter(), http.StatusOK, "9 rows")
	})

	t.Run("Go and a stack file that are wrong are shown together", func(t *testing.T) {
		file, rows := filepath.Join(root, "Pulumi.matinee.yaml"), filepath.Join(root, "cmd", "rows", "main.go")
		edit(t, rows, "func main() {", "func main() {\n\tundefinedThing()")
		c.says(t, "undefined: undefinedThing", 2)
		edit(t, file, "aws:region:", "aws:regoin:")
		c.says(t, "undefined: undefinedThing", 3)
		edit(t, rows, "\n\tundefinedThing()", "")
		c.says(t, "aws:region", 2)
		expect(t, enter(), http.StatusOK, "9 rows")
	})
}

func TestGoThatDoesNotCompile(t *testing.T) {
	root := cinema(t)
	edit(t, filepath.Join(root, "cmd", "capture", "main.go"), "func main() {", "func main() {\n\tundefinedThing()")
	fails(t, root, []string{"undefined: undefinedThing", "cannot build"}, cinemaArguments...)
}

// troubled answers as its path asks for.
const troubled = `package main

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, e events.APIGatewayProxyRequest) (any, error) {
		switch e.PathParameters["seat"] {
		case "error":
			return nil, errors.New("no such row")
		case "panic":
			panic("no such seat")
		case "goroutine":
			go func() { panic("no such row") }()
			select {}
		case "nonsense":
			return "taken", nil
		}
		return map[string]any{"body": "12 free"}, nil
	})
}
`

func TestFailuresAreExplained(t *testing.T) {
	root := cinema(t)
	write(t, filepath.Join(root, "cmd", "seats", "main.go"), troubled)
	c := runStack(t, root, append(cinemaArguments, "-debug", "seats")...)
	c.says(t, "cinema-seats runs as process ", 1)
	expect(t, c.enter(t, ticket), http.StatusOK, admitted)
	for seat, says := range map[string][]string{
		"error":     {"/seats/error 502 by integration cinema-seats: no such row ("},
		"panic":     {"/seats/panic 502 by integration cinema-seats: string: no such seat (", "at cmd/seats/main.go:17"},
		"goroutine": {"/seats/goroutine 502 by integration cinema-seats: panic: no such row (", "at cmd/seats/main.go:19"},
		"nonsense":  {"/seats/nonsense 502 by integration cinema-seats: the function's answer cannot be used"},
	} {
		if a := request(t, http.MethodGet, c.API+"/"+seat, "X-Ticket", ticket); a.status != http.StatusBadGateway {
			t.Errorf("expected 502, got %d %s", a.status, a.body)
		}
		for _, text := range says {
			c.says(t, text, 1)
		}
	}
	c.says(t, filepath.Join("dist", "local", "run-"), 3)
	expect(t, c.enter(t, ticket), http.StatusOK, admitted)
	c.says(t, "cinema-seats runs as process ", 2) // the panic ended the first one
	file := regexp.MustCompile(`log (\S+)`).FindStringSubmatch(c.Output())[1]
	if log := read(t, file); !strings.Contains(log, "cinema-seats REPORT RequestId") {
		t.Errorf("expected the platform's lines in the log, got:\n%s", log)
	}
}
