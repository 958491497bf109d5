package lambda

import (
	"bytes"
	"os"
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

// openStatus opens what the system tells about the process: nil on any system but Linux. See
// proc_pid_status(5).
func openStatus(pid int) *os.File {
	status, _ := os.Open("/proc/" + strconv.Itoa(pid) + "/status")
	return status
}

// peakMemoryMB is the most memory that the process has had resident, rounded up; 0 if it is
// not known. It is read for every invocation, so the file stays open.
func (s *sandbox) peakMemoryMB() int {
	text := make([]byte, 4<<10) // three times as much as there is
	n, _ := s.status.ReadAt(text, 0)
	_, rest, _ := bytes.Cut(text[:n], []byte("\nVmHWM:"))
	figure, _, _ := bytes.Cut(rest, []byte(" kB"))
	kilobytes, _ := strconv.Atoi(string(bytes.TrimSpace(figure)))
	return (kilobytes + 1023) / 1024
}
