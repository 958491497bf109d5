//go:build unix

package reload

import (
	"errors"
	"syscall"
)

// alive reports whether there may be a process with the ID: kill(2) with signal 0 only
// looks.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
