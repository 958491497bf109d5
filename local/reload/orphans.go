package reload

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// endOrphans ends the processes whose executable is in a directory, with their groups. They
// are functions of a run that was killed together with what would have ended them.
func endOrphans(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	// POSIX's ps. An executable's path is the first word of its arguments.
	list, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "pgid=", "-o", "args=").Output()
	if err != nil {
		return fmt.Errorf("list processes of earlier runs: %w", err)
	}
	var errs []error
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || !strings.HasPrefix(strings.Join(fields[2:], " "), dir+string(filepath.Separator)) {
			continue
		}
		pid, err := strconv.Atoi(fields[0])
		if err == nil && fields[0] == fields[1] { // it leads its group
			pid = -pid
		}
		if err = errors.Join(err, syscall.Kill(pid, syscall.SIGKILL)); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("end process %s of an earlier run: %w", fields[0], err))
		}
	}
	return errors.Join(errs...)
}
