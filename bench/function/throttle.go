package function

import (
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
	// glance is the pause between two looks at what has been used of a slice. The
	// overrun is a part of it and is taken off the next slice.
	glance = 50 * time.Microsecond
)

// Slice is how much processor time a function of a memory size gets in each period of
// 20 ms before it has to wait for the next one.
func Slice(memoryMB int) time.Duration {
	return min(slicePeriod, time.Duration(int64(slicePeriod)*int64(memoryMB)/fullShare))
}

// Throttle gives the process the share of a processor that Lambda gives a function of
// this memory size, by stopping and continuing it (SIGSTOP, SIGCONT), which needs no
// privileges. On Linux a slice is processor time of all its threads, as the kernel
// counts it for a control group; elsewhere it is time on the clock. Of the first slice,
// some is spent already. The returned function ends it; the process is then running.
func (p *Process) Throttle(memoryMB int, spent time.Duration) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	slice, used := Slice(memoryMB), meter(p.cmd.Process.Pid)
	signal := func(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // an ended process is its waiter's business
	debt := spent                                                    // what was used beyond a slice; what is left of one is lost
	go func() {
		defer close(ended)
		defer signal(syscall.SIGCONT)
		for period := time.Now(); ; period = period.Add(slicePeriod) {
			left := func() time.Duration { return time.Until(period.Add(slicePeriod)) }
			if allowance := slice - debt; allowance > 0 {
				before := used()
				signal(syscall.SIGCONT)
				for used()-before < allowance && left() > 0 {
					select {
					case <-done:
						return
					case <-time.After(glance):
					}
				}
				if used()-before >= allowance {
					signal(syscall.SIGSTOP)
				}
				debt += used() - before
			}
			debt = max(0, debt-slice)
			select {
			case <-done:
				return
			case <-time.After(left()):
			}
		}
	}()
	return func() { close(done); <-ended }
}

// Used is the processor time that the process has used so far, on Linux.
func (p *Process) Used() time.Duration { return meter(p.cmd.Process.Pid)() }

// onTheClock is a meter that takes a process to be busy all the time.
func onTheClock() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
