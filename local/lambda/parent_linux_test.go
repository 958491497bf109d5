package lambda

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestProcessesDieWithAParentThatIsKilled(t *testing.T) {
	// Orphans become ours, so that we can wait for them: no polling, and no
	// confusion with a process that got a dead one's id. See prctl(2).
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		t.Fatalf("become the orphans' parent: %v", errno)
	}
	pids := killedParent(t)
	if len(pids) != 3 {
		t.Errorf("got processes %v, expected two and a child", pids)
	}
	for _, pid := range pids {
		expectKilled(t, pid)
	}
}

// killedParent runs beParent, kills it, and returns the ids that it printed.
func killedParent(t *testing.T) []int {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+filepath.Join(built, function), "TMPDIR="+t.TempDir())
	parent.Stderr = os.Stderr
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	if err := json.NewDecoder(out).Decode(&pids); err != nil {
		t.Errorf("the parent's processes: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait()
	return pids
}

// expectKilled waits for the end of an orphan.
func expectKilled(t *testing.T, pid int) {
	t.Helper()
	ended := make(chan syscall.WaitStatus, 1)
	go func() {
		var status syscall.WaitStatus
		for {
			_, err := syscall.Wait4(pid, &status, 0, nil)
			if err != syscall.EINTR {
				break
			}
		}
		ended <- status
	}()
	select {
	case status := <-ended:
		// SIGKILL by the guard, or SIGPIPE if the process wrote to its log before that.
		if !status.Signaled() {
			t.Errorf("process %d ended with %#x, expected a signal", pid, status)
		}
	case <-time.After(time.Minute):
		t.Errorf("process %d outlives its parent", pid)
		syscall.Kill(pid, syscall.SIGKILL)
		<-ended
	}
}
