package lambda

import (
	"os"
	"regexp"
	"strconv"
	"syscall"
)

// attributes put a process into a group of its own: Ctrl-C in the terminal does not reach
// it, and its children can be ended with it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// terminate asks the process and its children to end.
func terminate(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGTERM) }

// kill ends the process and its children. That the group may be gone already is no error.
func kill(p *os.Process) { syscall.Kill(-p.Pid, syscall.SIGKILL) }

var peakMemory = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// peakMemoryMB is the most memory that the process has had resident, rounded up; 0 if it
// is not known, as on any system but Linux. See VmHWM in proc_pid_status(5).
func peakMemoryMB(pid int) int {
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	found := peakMemory.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kilobytes, _ := strconv.Atoi(string(found[1]))
	return (kilobytes + 1023) / 1024
}
