//go:build !unix

package lambda

import (
	"os"
	"os/exec"
	"syscall"
)

// On a system without process groups and signals a process is killed on its own:
// its children are left to it, and there is no grace. This is a fallback that
// compiles, not a supported platform.

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
