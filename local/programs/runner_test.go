package programs

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"account-api/local/running"
)

func TestAnotherProgram(t *testing.T) {
	c := serve(t, sharedCinema(t))
	if !strings.HasSuffix(c.API, "/v1/seats") || c.Project != "cinema" || c.Name != "matinee" {
		t.Errorf("expected the stage v1 of cinema, got %s of %s %s", c.API, c.Project, c.Name)
	}
	c.enter(t, ticket).Expect(t, http.StatusOK, admitted)
	c.enter(t, "forged").Expect(t, http.StatusUnauthorized, unauthorized)
	running.Request(t, http.MethodGet, c.API).Expect(t, http.StatusUnauthorized, unauthorized)
	running.Request(t, http.MethodGet, c.API+"/a7", "X-Ticket", ticket).Expect(t, http.StatusOK, admitted+"a7")
	c.Says(t, "200 by integration cinema-seats", 2)
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
			c := serve(t, root)
			c.enter(t, ticket).Expect(t, http.StatusOK, admitted)
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
				next := serve(t, root)
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
			fails(t, sharedCinema(t), row.says, slices.Concat(cinemaArguments, row.arguments)...)
		})
	}
}

func TestADebuggerForAFunctionThatIsNotThere(t *testing.T) {
	fails(t, sharedCinema(t), []string{`DEBUG: expected a function, one of door, seats, got "nope": make run DEBUG=door`}, append(cinemaArguments, "-debug", "nope")...)
}

func TestStopWhileStarting(t *testing.T) {
	root := cinema(t)
	running.Edit(t, filepath.Join(root, "deploy", "deploy.go"), "package deploy\n", "package deploy // of "+root+"\n") // which has to be compiled
	c := built.Launch(t, root, cinemaArguments...)
	c.Says(t, "ompiling", 1)
	if err := c.End(syscall.SIGINT); err != nil {
		t.Errorf("expected a stop without an error, got %v:\n%s", err, c.Output())
	}
}

func TestReload(t *testing.T) {
	root := cinema(t)
	c := serve(t, root, "-config", "maxAge=600")
	seats := filepath.Join(root, "cmd", "seats", "main.go")
	declaration := filepath.Join(root, "deploy", "deploy.go")
	enter := func() running.Answer { return c.enter(t, ticket) }
	enter().Expect(t, http.StatusOK, admitted)

	t.Run("another answer serves, and no request is dropped meanwhile", func(t *testing.T) {
		flood := running.StartTraffic(t, c.API, "X-Ticket", ticket, "200 "+admitted, "200 sold out")
		running.Edit(t, seats, admitted, "sold out")
		c.Eventually(t, enter, http.StatusOK, "sold out")
		running.Edit(t, seats, "sold out", admitted)
		c.Eventually(t, enter, http.StatusOK, admitted)
		flood.End(t, 200)
		c.Says(t, "Reloaded cinema-seats in ", 2)
	})

	t.Run("Go that does not compile is shown, and the next good save serves", func(t *testing.T) {
		running.Edit(t, seats, "func main() {", "func main() {\n\tundefinedThing()")
		c.Says(t, "undefined: undefinedThing", 1)
		enter().Expect(t, http.StatusOK, admitted)
		if page := running.Request(t, http.MethodGet, c.Console); !strings.Contains(page.Body, "Not reloaded") || !strings.Contains(page.Body, "undefinedThing") {
			t.Errorf("expected the console to show the error, got a page that begins with\n%.2000s", page.Body)
		}
		running.Edit(t, seats, "\n\tundefinedThing()", "")
		c.Says(t, "No change in what serves", 1)
		if page := running.Request(t, http.MethodGet, c.Console); strings.Contains(page.Body, "Not reloaded") {
			t.Errorf("expected the console to show no error, got a page that begins with\n%.2000s", page.Body)
		}
	})

	t.Run("a function that does not start is shown, and the former one serves", func(t *testing.T) {
		running.Edit(t, seats, "func main() {", "func main() {\n\tpanic(\"no projector\")")
		c.Says(t, "cinema-seats does not start", 1)
		c.Says(t, "no projector", 1)
		enter().Expect(t, http.StatusOK, admitted)
		running.Edit(t, seats, "\n\tpanic(\"no projector\")", "")
		c.Says(t, "No change in what serves", 2)
	})

	t.Run("another declaration with a function in a new directory serves, and no request is dropped meanwhile", func(t *testing.T) {
		flood := running.StartTraffic(t, c.API, "X-Ticket", ticket, "200 "+admitted, "200 9 rows")
		running.Write(t, filepath.Join(root, "cmd", "rows", "main.go"), strings.Replace(running.Read(t, seats), admitted, "9 rows", 1))
		running.Write(t, declaration, strings.NewReplacer(`'max-age=%d'`, `'max-age=%d, must-revalidate'`, `function("seats")`, `function("rows")`).Replace(running.Read(t, declaration)))
		c.Eventually(t, enter, http.StatusOK, "9 rows")
		if got := running.Request(t, http.MethodGet, c.API).Header.Get("Cache-Control"); got != "max-age=600, must-revalidate" {
			t.Errorf("expected another header, got %q", got)
		}
		flood.End(t, 200)
	})

	t.Run("a stack file that is wrong is shown, and its correction serves", func(t *testing.T) {
		file := filepath.Join(root, "Pulumi.matinee.yaml")
		running.Edit(t, file, "aws:region:", "aws:regoin:")
		c.Says(t, "aws:region", 1)
		enter().Expect(t, http.StatusOK, "9 rows")
		running.Edit(t, file, "aws:regoin: eu-west-1", "aws:region: eu-north-1")
		c.Says(t, "Reloaded the stack", 2)
		enter().Expect(t, http.StatusOK, "9 rows")
	})

	t.Run("Go and a stack file that are wrong are shown together", func(t *testing.T) {
		file, rows := filepath.Join(root, "Pulumi.matinee.yaml"), filepath.Join(root, "cmd", "rows", "main.go")
		running.Edit(t, rows, "func main() {", "func main() {\n\tundefinedThing()")
		c.Says(t, "undefined: undefinedThing", 2)
		running.Edit(t, file, "aws:region:", "aws:regoin:")
		c.Says(t, "undefined: undefinedThing", 3)
		running.Edit(t, rows, "\n\tundefinedThing()", "")
		c.Says(t, "aws:region", 2)
		enter().Expect(t, http.StatusOK, "9 rows")
	})
}

func TestGoThatDoesNotCompile(t *testing.T) {
	root := cinema(t)
	running.Edit(t, filepath.Join(root, "cmd", "capture", "main.go"), "func main() {", "func main() {\n\tundefinedThing()")
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
	running.Write(t, filepath.Join(root, "cmd", "seats", "main.go"), troubled)
	c := serve(t, root)
	c.enter(t, ticket).Expect(t, http.StatusOK, admitted)
	for seat, says := range map[string][]string{
		"error":     {"/seats/error 502 by integration cinema-seats: no such row ("},
		"panic":     {"/seats/panic 502 by integration cinema-seats: string: no such seat (", "at cmd/seats/main.go:17"},
		"goroutine": {"/seats/goroutine 502 by integration cinema-seats: panic: no such row (", "at cmd/seats/main.go:19"},
		"nonsense":  {"/seats/nonsense 502 by integration cinema-seats: the function's answer cannot be used"},
	} {
		if a := running.Request(t, http.MethodGet, c.API+"/"+seat, "X-Ticket", ticket); a.Status != http.StatusBadGateway {
			t.Errorf("expected 502, got %d %s", a.Status, a.Body)
		}
		for _, text := range says {
			c.Says(t, text, 1)
		}
	}
	c.Says(t, filepath.Join("dist", "local", "run-"), 3)
	c.enter(t, ticket).Expect(t, http.StatusOK, admitted)
	file := regexp.MustCompile(`log (\S+)`).FindStringSubmatch(c.Output())[1]
	if log := running.Read(t, file); !strings.Contains(log, "cinema-seats REPORT RequestId") {
		t.Errorf("expected the platform's lines in the log, got:\n%s", log)
	}
}

// held answers events, and first waits if a file is there, which it makes, as if a debugger held
// it. With Lambda's library, all of that would be compiled for a debugger.
const held = `package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	if _, err := os.OpenFile(%q, os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		time.Sleep(%s)
	}
	host, buffer := os.Getenv("AWS_LAMBDA_RUNTIME_API"), make([]byte, 64<<10)
	api, err := net.Dial("tcp", host)
	for err == nil {
		fmt.Fprintf(api, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %%s\r\n\r\n", host)
		n, _ := api.Read(buffer)
		_, id, _ := strings.Cut(string(buffer[:n]), "Lambda-Runtime-Aws-Request-Id: ")
		id, _, _ = strings.Cut(id, "\r\n")
		fmt.Fprintf(api, "POST /2018-06-01/runtime/invocation/%%s/response HTTP/1.1\r\nHost: %%s\r\nContent-Length: 2\r\n\r\n{}", id, host)
		_, err = api.Read(buffer)
	}
	panic(err)
}
`

// A debugger may hold a function before it asks for its first event. An interrupt ends the wait.
func TestAProcessThatADebuggerHolds(t *testing.T) {
	root := cinema(t)
	seats, there := filepath.Join(root, "cmd", "seats", "main.go"), filepath.Join(root, "there")
	running.Write(t, seats, fmt.Sprintf(held, there, "0"))
	launch := func(t *testing.T) stack {
		t.Helper()
		return stack{built.Launch(t, root, append(cinemaArguments, "-debug", "seats")...)}
	}
	interrupt := func(t *testing.T, c stack, processes int) {
		t.Helper()
		c.Says(t, "cinema-seats runs as process ", processes)
		if err := c.End(syscall.SIGINT); err != nil {
			t.Errorf("expected a stop without an error, got %v:\n%s", err, c.Output())
		}
	}
	t.Run("after a reload, which had tried it out", func(t *testing.T) {
		c := launch(t)
		c.Says(t, "Ctrl-C stops it", 1)
		running.Write(t, seats, fmt.Sprintf(held, there+" again", "time.Hour"))
		interrupt(t, c, 2)
	})
	t.Run("at the start", func(t *testing.T) { interrupt(t, launch(t), 1) })
}
