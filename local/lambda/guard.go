package lambda

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// guard ends process groups if this process dies without having ended them, by SIGKILL or
// a crash. It is a shell that reads from a pipe which groups exist. When this process dies,
// the kernel closes its end of the pipe, and the shell kills the groups that are left.
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
		// Ctrl-C in the terminal must not reach it: it has to outlive this process.
		SysProcAttr: attributes(),
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

// watch and forget are safe for concurrent use: writes as short as theirs are not
// interleaved. They ignore errors: a guard that was killed matters only if this process is
// killed too. Even then a runtime ends at its next call of the Runtime API.

func (g *guard) watch(group int) { fmt.Fprintf(g.groups, "+ %d\n", group) }

func (g *guard) forget(group int) { fmt.Fprintf(g.groups, "- %d\n", group) }

// close ends the guard. It kills what it still watches.
func (g *guard) close() error { return errors.Join(g.groups.Close(), g.cmd.Wait()) }
