//go:build !unix

package lambda

import (
	"os"
	"os/exec"
	"syscall"
)

// A system without process groups and signals is not supported. This fallback compiles: it
// kills a process at once, and not its children.

func attributes() *syscall.SysProcAttr { return nil }

func reap(cmd *exec.Cmd, ended func()) error {
	err := cmd.Wait()
	ended()
	return err
}

func peakMemoryMB(int) int { return 0 }

func terminate(p *os.Process) { p.Kill() }

func kill(p *os.Process) { p.Kill() }

type guard struct{}

func newGuard() (*guard, error) { return &guard{}, nil }

func (*guard) watch(int) {}

func (*guard) forget(int) {}

func (*guard) close() error { return nil }
