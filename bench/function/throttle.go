package function

import (
	"runtime"
	"syscall"
	"time"
)

const (
	// fullShare is the memory, in megabytes, with which a function has one whole
	// processor: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
	fullShare = 1769
	// slicePeriod is how often a throttled function gets its share. AWS documents the
	// share and not the period; 20 ms is the step in which throttled functions are seen
	// to stall, the quota period of the kernel's bandwidth control
	// (https://docs.kernel.org/scheduler/sched-bwc.html).
	slicePeriod = 20 * time.Millisecond
)

// Slice is how much processor time a function of a memory size gets in each period of
// 20 ms before it has to wait for the next one.
func Slice(memoryMB int) time.Duration {
	return min(slicePeriod, time.Duration(int64(slicePeriod)*int64(memoryMB)/fullShare))
}

// Throttle gives the process the share of a processor that Lambda gives a function of
// this memory size, by stopping and continuing it (SIGSTOP, SIGCONT). It works on
// every Unix and without privileges. It is coarser than Lambda in one respect: a slice
// is wall-clock time, in which a process may use more than one processor. The returned
// function ends it; the process is then running.
func (p *Process) Throttle(memoryMB int) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	slice := Slice(memoryMB)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		defer p.cmd.Process.Signal(syscall.SIGCONT)
		for next := time.Now(); ; next = next.Add(slicePeriod) {
			_ = p.cmd.Process.Signal(syscall.SIGCONT) // an ended process is its waiter's business
			// A timer would oversleep a slice of 1.4 ms by up to its half.
			for resume := time.Now(); time.Since(resume) < slice; {
			}
			_ = p.cmd.Process.Signal(syscall.SIGSTOP)
			select {
			case <-done:
				return
			case <-time.After(time.Until(next.Add(slicePeriod))):
			}
		}
	}()
	return func() { close(done); <-ended }
}
