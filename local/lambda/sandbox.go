package lambda

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// launch is what a process is started from. A pool replaces its launch as a
// whole: processes of different launches are told apart by the pointer.
type launch struct{ executable string }

// sandbox is one process with all that belongs to it: its Runtime API, its
// output, its temporary directory. Lambda calls it an execution environment.
type sandbox struct {
	launch  *launch
	started time.Time
	api     *runtimeAPI
	out     *output
	tmp     string
	cmd     *exec.Cmd
	guard   *guard
	status  *os.File // nil where the system tells nothing

	// ended is closed when the process is reaped, its group killed, its last line
	// read and its directory removed. The fields below it may be read then.
	ended   chan struct{}
	exit    error // why the process ended; nil is exit status 0
	cleanup error // what could not be cleaned up

	peakMemory int       // MB, as of the last invocation; belongs to whom the process serves
	idleSince  time.Time // guarded by Pool.mu

	mu     sync.Mutex
	reaped bool // its id may soon belong to somebody else: never signal it again

	cause cause // who wanted it to end: the first one stays; guarded by Pool.mu
}

// cause is who wanted a process to end.
type cause int

const (
	unasked cause = iota // it is alive, or ended on its own
	asked                // by the pool: closed, or the executable was replaced
	crashed              // by the process
	overdue              // by the clock
)

// start launches a process of the function. Nothing is left behind on an error.
func (fn Function) start(l *launch, guard *guard, tmp string, live *recording, line func(requestID, text string)) (_ *sandbox, err error) {
	executable, err := filepath.Abs(l.executable)
	if err != nil {
		return nil, err
	}
	s := &sandbox{launch: l, guard: guard, ended: make(chan struct{})}
	if s.tmp, err = os.MkdirTemp(tmp, "lambda-*"); err != nil {
		return nil, err
	}
	if s.api, err = listenRuntimeAPI(fn.ARN); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.tmp))
	}
	if s.out, err = newOutput(line); err != nil {
		return nil, errors.Join(err, s.api.close(), os.RemoveAll(s.tmp))
	}
	s.out.begin(live)
	s.started = time.Now()
	taskRoot := filepath.Dir(executable)
	s.cmd = &exec.Cmd{
		Path:        executable,
		Args:        []string{executable},
		Env:         fn.environment(s.api.address, taskRoot, s.tmp, newLogStream(s.started, fn.Version)),
		Dir:         taskRoot,
		Stdout:      s.out.writer, // a file, not a copying goroutine: children of the
		Stderr:      s.out.writer, // process that keep it open do not delay the reaping
		SysProcAttr: attributes(),
	}
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, s.api.close(), s.out.close(0), os.RemoveAll(s.tmp))
	}
	guard.watch(s.cmd.Process.Pid)
	s.status = openStatus(s.cmd.Process.Pid)
	return s, nil
}

// await reaps the process and cleans up after it. What the process started ends with it.
// Its group is killed at once after the reaping, before another process can get its id.
func (s *sandbox) await() {
	s.exit = s.cmd.Wait()
	s.mu.Lock()
	s.reaped = true
	kill(s.cmd.Process)
	s.mu.Unlock()
	s.guard.forget(s.cmd.Process.Pid)
	s.status.Close() // it was only read
	s.cleanup = errors.Join(s.api.close(), s.out.close(stopGrace), os.RemoveAll(s.tmp))
	close(s.ended)
}

// kill ends the process at once.
func (s *sandbox) kill() {
	s.signal(kill)
	<-s.ended
}

// stop asks the process to end, and kills it after the grace.
func (s *sandbox) stop(grace time.Duration) {
	s.signal(terminate)
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-s.ended:
	case <-patience.C:
		s.kill()
	}
}

// signal sends a signal unless the process is reaped.
func (s *sandbox) signal(send func(*os.Process)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reaped {
		send(s.cmd.Process)
	}
}

// exitMessage words the end of a process as Lambda does.
func exitMessage(exit error) string {
	if exit == nil {
		return "Runtime exited without providing a reason"
	}
	return "Runtime exited with error: " + exit.Error()
}
