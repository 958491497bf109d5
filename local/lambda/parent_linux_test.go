package lambda

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// The kernel takes a process's parent to be the thread that started it, and threads
// come and go.
func TestAProcessOutlivesTheThreadThatNeededIt(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	var result Result
	var err error
	thread := onDyingThread(func() {
		var s *sandbox
		if s, err = p.acquire(); err != nil {
			return
		}
		result, err = p.serve(newInvocation([]byte(`{"do":"who"}`)), s)
		p.invocations.Done()
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the thread is gone", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread))
		return err != nil
	})
	for range 10 {
		if a, b := who(t, result), who(t, invoke(t, p, `{"do":"who"}`)); a.PID != b.PID {
			t.Fatalf("process %d serves, expected %d to live on", b.PID, a.PID)
		}
	}
}

// onDyingThread runs f on an operating-system thread that ends when f has returned,
// and returns the thread's id.
func onDyingThread(f func()) int {
	thread := make(chan int)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		if syscall.Gettid() == os.Getpid() {
			thread <- onDyingThread(f) // the main thread never ends; since we keep it, f gets another
			return
		}
		f()
		thread <- syscall.Gettid()
	}()
	return <-thread
}

func TestProcessesDieWithAParentThatIsKilled(t *testing.T) {
	// Orphans become ours, so that we can wait for them: no polling, and no
	// confusion with a process that got a dead one's id. See prctl(2).
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, 1, 0); errno != 0 {
		t.Fatalf("become the orphans' parent: %v", errno)
	}
	t.Run("with whatever they have started", func(t *testing.T) {
		pids := killedParent(t)
		if len(pids) != 3 {
			t.Errorf("got processes %v, expected two and a child", pids)
		}
		for _, pid := range pids {
			expectKilled(t, pid)
		}
	})
	t.Run("even if the guard is dead", func(t *testing.T) {
		pids := killedParent(t, unguardedEnv+"=1")
		if len(pids) != 3 {
			t.Fatalf("got processes %v, expected two and a child", pids)
		}
		for _, pid := range pids[:2] {
			expectKilled(t, pid)
		}
		child := pids[2] // of one of them: nobody is left to end it but us
		syscall.Kill(child, syscall.SIGKILL)
		expectKilled(t, child)
	})
}

// killedParent runs beParent, kills it, and returns the ids that it printed.
func killedParent(t *testing.T, environment ...string) []int {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentEnv+"="+filepath.Join(built, function), "TMPDIR="+t.TempDir())
	parent.Env = append(parent.Env, environment...)
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
		if !status.Signaled() || status.Signal() != syscall.SIGKILL {
			t.Errorf("process %d ended with %#x, expected SIGKILL", pid, status)
		}
	case <-time.After(time.Minute):
		t.Errorf("process %d outlives its parent", pid)
		syscall.Kill(pid, syscall.SIGKILL)
		<-ended
	}
}
