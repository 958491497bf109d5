//go:build unix && !linux

package lambda

import (
	"os/exec"
	"syscall"
)

// attributes put a process into a group of its own, so that Ctrl-C in the
// terminal reaches only us and that its children can be ended with it.
//
// Unlike on Linux, the kernel does not kill a process when its parent dies: that
// is left to the guard, and to the runtime, which ends at its next call to a
// Runtime API that is gone.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the process and then calls ended. For a moment between the two
// the id is free: a group is killed that in theory could be another's by now.
func reap(cmd *exec.Cmd, ended func()) error {
	err := cmd.Wait()
	ended()
	return err
}

// peakMemoryMB is not known here.
func peakMemoryMB(int) int { return 0 }
