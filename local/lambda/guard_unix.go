//go:build unix

package lambda

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// guard ends process groups when we die without having ended them: killed with
// SIGKILL, or by a crash. It is a shell that reads, from a pipe that nobody else
// can write to, which groups exist. However we die, the kernel closes our end of
// the pipe, and the shell kills the groups that are left.
//
// It is what lets nothing outlive us on every Unix. On Linux the kernel kills the
// processes themselves even without it, but not the processes that they started.
type guard struct {
	cmd    *exec.Cmd
	groups io.WriteCloser
}

// guardScript keeps the list of groups, each between two spaces: "+ 12" adds one,
// "- 12" removes it. POSIX shell only.
const guardScript = `
list=' '
while read -r verb group; do
	case $verb in
	+) list="$list$group " ;;
	-) list="${list%% $group *} ${list#* $group }" ;;
	esac
done
for group in $list; do kill -KILL "-$group"; done
`

func newGuard() (*guard, error) {
	cmd := &exec.Cmd{
		Path: "/bin/sh", // every Unix has it there, see hier(7)
		Args: []string{"sh", "-c", guardScript},
		Env:  []string{}, // not nil, which would be ours
		// Out of reach of a Ctrl-C in the terminal: it has to outlive us.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	groups, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the shell that ends processes if this one is killed: %w", err)
	}
	return &guard{cmd: cmd, groups: groups}, nil
}

// watch and forget may be called by several goroutines: a write as short as
// theirs is not interleaved. A guard that was killed can no longer be told, and
// its absence harms only if we are killed too.

func (g *guard) watch(group int) { fmt.Fprintf(g.groups, "+ %d\n", group) }

func (g *guard) forget(group int) { fmt.Fprintf(g.groups, "- %d\n", group) }

// close ends the guard. It kills what it still watches.
func (g *guard) close() error { return errors.Join(g.groups.Close(), g.cmd.Wait()) }
