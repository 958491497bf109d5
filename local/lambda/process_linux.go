package lambda

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// attributes put a process into a group of its own: Ctrl-C in the terminal does not reach
// it, and its children can be ended with it. The kernel kills it if this process dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the process. It calls ended between its end and its reaping. Until it is
// reaped, no other process or group can have its id, so its group can be killed safely.
func reap(cmd *exec.Cmd, ended func()) error {
	const idIsProcess = 1 // P_PID, waitid(2)
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, idIsProcess, uintptr(cmd.Process.Pid), 0,
			syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			break
		}
	}
	ended()
	return cmd.Wait()
}

// peakMemoryMB is the most memory that the process has had resident, rounded up;
// 0 if it is not known. See VmHWM in proc_pid_status(5).
func peakMemoryMB(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		value, found := bytes.CutPrefix(lines.Bytes(), []byte("VmHWM:"))
		if !found {
			continue
		}
		kilobytes, err := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(value, []byte("kB")))))
		if err != nil {
			return 0
		}
		return (kilobytes + 1023) / 1024
	}
	return 0
}
