//go:build unix && !linux

package lambda

import (
	"os/exec"
	"syscall"
)

// attributes put a process into a group of its own: Ctrl-C in the terminal does not reach
// it, and its children can be ended with it.
//
// Unlike on Linux, the kernel does not kill a process when its parent dies. The guard does.
// Besides, a runtime ends when its Runtime API is gone.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// reap waits for the process and then calls ended. Between the two its id is free: in
// theory, the group that is killed could be another one by then.
func reap(cmd *exec.Cmd, ended func()) error {
	err := cmd.Wait()
	ended()
	return err
}

// peakMemoryMB is not known here.
func peakMemoryMB(int) int { return 0 }
