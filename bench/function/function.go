// Package function runs one Lambda executable as a process of its own and says what it
// costs: processor time, memory, and time on the wall clock when its share of the
// processor is small.
//
// It is for measuring. It speaks as much of the Runtime API as a correct runtime needs
// and checks none of it; what runs a stack for developers and tests is package
// account-api/local/lambda. One process, one invocation at a time, no timeouts but the
// caller's.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Executable is what to run.
type Executable struct {
	Path string   // of the program
	Args []string // for a program that an interpreter runs
	Env  []string // name=value; nothing is inherited
	Log  io.Writer
}

// Process is a running function. End it.
type Process struct {
	cmd   *exec.Cmd
	api   *runtimeAPI
	ended chan struct{} // closed when the process is reaped
}

// Start starts the executable as Lambda would, in its init phase.
func Start(ctx context.Context, e Executable) (*Process, error) {
	api, err := newRuntimeAPI()
	if err != nil {
		return nil, err
	}
	p := &Process{api: api, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, e.Path, e.Args...)
	// The names that handlers and runtimes read:
	// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
	p.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + api.address,
		"AWS_LAMBDA_FUNCTION_NAME=bench",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_REGION=eu-central-1",
		"PATH=/usr/bin:/bin",
		"TZ=:UTC",
	}, e.Env...)
	p.cmd.Stdout = e.Log // nil is the null device
	p.cmd.Stderr = e.Log
	if err := p.cmd.Start(); err != nil {
		api.close()
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // it is killed in the end, so its status says nothing
	}()
	return p, nil
}

// Ready waits until the process polls for its first event, the end of its init phase.
func (p *Process) Ready() error {
	select {
	case <-p.api.polled:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s: expected a function that polls for events, got one that ended with %v", p.cmd.Path, p.cmd.ProcessState)
	}
}

// Invoke sends an event and returns the answer. A function that answers with an error
// is an error.
func (p *Process) Invoke(event []byte) ([]byte, error) {
	select {
	case p.api.events <- event:
	case <-p.ended:
		return nil, fmt.Errorf("%s: ended before the event", p.cmd.Path)
	}
	select {
	case a := <-p.api.answers:
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
	p.api.close()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return 0, err
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime(), nil
}

// Memory is a process's resident memory, in bytes.
type Memory struct{ Now, Peak int64 }

// ErrNoMemory is returned where the operating system does not tell.
var ErrNoMemory = errors.New("expected /proc/<pid>/status, which only Linux has")

// Memory reads the resident memory. The peak is that of the program alone: ru_maxrss
// would include the program that started it, up to the moment of exec.
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func (p *Process) Memory() (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return Memory{}, ErrNoMemory
	}
	var m Memory
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "VmRSS:":
			m.Now = kib << 10
		case "VmHWM:":
			m.Peak = kib << 10
		}
	}
	if m.Now == 0 || m.Peak == 0 {
		return Memory{}, ErrNoMemory
	}
	return m, nil
}
