// Package function runs one Lambda executable as a process of its own and measures it:
// processor time, memory, and time on the wall clock with a small share of the processor.
//
// It speaks as much of the Runtime API as a correct runtime needs and checks none of it.
// Package local/lambda of the project runs a stack for developers and tests. Here there is one
// process, one invocation at a time, and no timeout.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Executable is what to run.
type Executable struct {
	Path string
	Env  []string // name=value; nothing is inherited, and the last of a name counts
}

// Process is a running function. End it.
type Process struct {
	cmd     *exec.Cmd
	api     *httptest.Server
	polled  chan struct{} // has one element after the first request for an event
	events  chan []byte
	answers chan answer
	ended   chan struct{} // closed when the process is reaped
}

type answer struct {
	payload []byte
	failed  bool
}

// Start starts the executable as Lambda would, in its init phase.
func Start(ctx context.Context, e Executable) (*Process, error) {
	p := &Process{
		polled: make(chan struct{}, 1), events: make(chan []byte), answers: make(chan answer, 1), ended: make(chan struct{}),
	}
	p.api = httptest.NewServer(p.runtimeAPI())
	p.cmd = exec.CommandContext(ctx, e.Path)
	// The names that handlers and runtimes read:
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
	p.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(p.api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=bench",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_REGION=eu-central-1",
		"PATH=/usr/bin:/bin",
		"TZ=:UTC",
	}, e.Env...)
	if err := p.cmd.Start(); err != nil {
		p.api.Close()
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // it is killed in the end, so its status says nothing
	}()
	return p, nil
}

// invocationTime is the deadline that a function sees: longer than any that is deployed, so
// that a throttled function still answers.
const invocationTime = time.Minute

// runtimeAPI serves version 2018-06-01 to the process.
func (p *Process) runtimeAPI() http.Handler {
	const version = "/2018-06-01/runtime"
	routes := http.NewServeMux()
	id := 0 // the process asks for one event at a time
	routes.HandleFunc("GET "+version+"/invocation/next", func(w http.ResponseWriter, request *http.Request) {
		select {
		case p.polled <- struct{}{}:
		default:
		}
		select {
		case event := <-p.events:
			id++
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", id))
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(invocationTime).UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:bench")
			_, _ = w.Write(event) // Invoke notices a process that is gone
		case <-request.Context().Done():
		}
	})
	post := func(failed bool) http.HandlerFunc {
		return func(w http.ResponseWriter, request *http.Request) {
			payload, err := io.ReadAll(request.Body)
			w.WriteHeader(http.StatusAccepted)
			p.answers <- answer{payload, failed || err != nil}
		}
	}
	routes.HandleFunc("POST "+version+"/invocation/{id}/response", post(false))
	routes.HandleFunc("POST "+version+"/invocation/{id}/error", post(true))
	return routes
}

// Ready waits until the process polls for its first event, the end of its init phase.
func (p *Process) Ready() error {
	select {
	case <-p.polled:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s: expected a function that polls for events, got one that ended with %v", p.cmd.Path, p.cmd.ProcessState)
	}
}

// Invoke sends an event and returns the answer. A function that answers with an error
// is an error.
func (p *Process) Invoke(event []byte) ([]byte, error) {
	select {
	case p.events <- event:
	case <-p.ended:
		return nil, fmt.Errorf("%s: ended before the event", p.cmd.Path)
	}
	select {
	case a := <-p.answers:
		if a.failed {
			return nil, fmt.Errorf("%s: answered an error", p.cmd.Path)
		}
		return a.payload, nil
	case <-p.ended:
		return nil, fmt.Errorf("%s: ended before it answered", p.cmd.Path)
	}
}

// End kills the process and returns the processor time of its whole life, user and
// system, as the kernel accounted it (getrusage(2), wait4(2)).
func (p *Process) End() (time.Duration, error) {
	err := p.cmd.Process.Kill()
	<-p.ended
	p.api.CloseClientConnections()
	p.api.Close()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
}

// Used is the processor time that the process has used so far. Only Linux tells.
func (p *Process) Used() time.Duration { return Used(p.cmd.Process.Pid) }

// ReadFromDisk reports whether a process that has ended had to wait for the disk.
// https://man7.org/linux/man-pages/man2/getrusage.2.html (ru_majflt)
func (p *Process) ReadFromDisk() bool {
	usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return ok && usage.Majflt > 0
}

// Memory is a process's resident memory, in bytes.
type Memory struct{ Now, Peak int64 }

// Memory reads the resident memory, on Linux only. The peak is that of the program alone: ru_maxrss
// would include the program that started it, up to the moment of exec.
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func (p *Process) Memory() (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return Memory{}, err
	}
	var m Memory
	for _, found := range residentMemory.FindAllSubmatch(status, -1) {
		kib, _ := strconv.ParseInt(string(found[2]), 10, 64) // it has only digits
		if string(found[1]) == "RSS" {
			m.Now = kib << 10
		} else {
			m.Peak = kib << 10
		}
	}
	return m, nil
}

var residentMemory = regexp.MustCompile(`(?m)^Vm(RSS|HWM):\s+(\d+) kB$`)
