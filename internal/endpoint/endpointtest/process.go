package endpointtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds the wait for a process that does not do what it should. It is far
// more than a start and an answer take on a busy machine.
const patience = time.Minute

// Build compiles the main package in the test's directory as it is deployed, but for
// this machine, and returns the executable's path.
func Build(t *testing.T) string {
	t.Helper()
	executable := filepath.Join(t.TempDir(), "bootstrap")
	if output, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", executable, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return executable
}

// Process is a running function and the Runtime API that it believes to be Lambda's.
type Process struct {
	t    *testing.T
	api  *runtimeAPI
	cmd  *exec.Cmd
	log  bytes.Buffer
	late <-chan time.Time
	end  chan struct{} // closed once the process has ended
}

// Start runs an executable with nothing but these variables in its environment. The test
// ends the process.
func Start(t *testing.T, executable string, environment ...string) *Process {
	t.Helper()
	p := &Process{
		t:    t,
		api:  &runtimeAPI{events: make(chan string), answers: make(chan answer, 1)},
		cmd:  exec.Command(executable),
		late: time.After(patience),
		end:  make(chan struct{}),
	}
	server := httptest.NewServer(p.api)
	t.Cleanup(server.Close)
	p.cmd.Env = append(environment, "AWS_LAMBDA_RUNTIME_API="+server.Listener.Addr().String())
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // killed, so always an error
		close(p.end)
	}()
	t.Cleanup(func() { p.Stop() }) // before the server, which waits for its connections
	return p
}

// Invoke gives the function an event, and returns the response that it posts.
func (p *Process) Invoke(event string) string {
	p.t.Helper()
	select {
	case p.api.events <- event:
	case <-p.end:
		p.t.Fatalf("the process has ended:\n%s", &p.log)
	case <-p.late:
		p.t.Fatal("the process does not ask for an event")
	}
	select {
	case got := <-p.api.answers:
		if want := "/2018-06-01/runtime/invocation/invocation-1/response"; got.path != want {
			p.t.Errorf("posted to %s, want %s", got.path, want)
		}
		return got.body
	case <-p.end:
		p.t.Fatalf("the process has ended:\n%s", &p.log)
	case <-p.late:
		p.t.Fatal("the process does not answer")
	}
	return ""
}

// Stop ends the process and returns what it has logged.
func (p *Process) Stop() (log string) {
	p.cmd.Process.Kill() // an error says that it has ended already
	<-p.end
	return p.log.String()
}

// runtimeAPI is as much of Lambda's Runtime API as one function needs: it hands out
// events and collects what is posted back.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	events  chan string
	answers chan answer
}

type answer struct{ path, body string }

func (api *runtimeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/invocation/next") {
		select {
		case payload := <-api.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "invocation-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(time.Minute).UnixMilli(), 10))
			io.WriteString(w, payload)
		case <-r.Context().Done(): // the process has ended
		}
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		body = []byte(err.Error())
	}
	w.WriteHeader(http.StatusAccepted)
	api.answers <- answer{path: r.URL.Path, body: string(body)}
}
