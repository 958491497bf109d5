package lambda

import (
	"os/exec"
	"runtime"
)

// forker starts processes from one operating-system thread, and registers them with a
// guard.
//
// On Linux a process asks to be killed when its parent dies. To the kernel the parent is
// the thread that forked. Go's scheduler may end other threads, and processes would be
// killed with them. See prctl(2), PR_SET_PDEATHSIG, and https://go.dev/issue/27505.
type forker struct {
	jobs  chan func()
	guard *guard
}

func newForker() (*forker, error) {
	guard, err := newGuard()
	if err != nil {
		return nil, err
	}
	f := &forker{jobs: make(chan func()), guard: guard}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for job := range f.jobs {
			job()
		}
	}()
	return f, nil
}

// start starts a process that is the first of its group.
func (f *forker) start(cmd *exec.Cmd) error {
	started := make(chan error)
	f.jobs <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return err
	}
	f.guard.watch(cmd.Process.Pid)
	return nil
}

// end ends what is left of a process's group, between the process's end and its
// reaping.
func (f *forker) end(cmd *exec.Cmd) {
	kill(cmd.Process)
	f.guard.forget(cmd.Process.Pid)
}

// close ends the thread and the guard. It may be called once, and only when every
// process is reaped.
func (f *forker) close() error {
	close(f.jobs)
	return f.guard.close()
}
