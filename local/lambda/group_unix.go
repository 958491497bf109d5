//go:build unix

package lambda

import (
	"os"
	"syscall"
)

// terminate asks the process and its children to end.
func terminate(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGTERM) }

// kill ends the process and its children. That the group may be gone already is
// no error.
func kill(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }
