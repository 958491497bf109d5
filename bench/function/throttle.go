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

// Throttle gives the process the share of a processor that Lambda gives a function of this
// memory size. It stops and continues the process (SIGSTOP, SIGCONT), which needs no
// privileges. A slice is processor time of all threads, as the kernel counts it for a
// control group. Spent is what has been used of the first slice. The returned function ends
// the throttling and leaves the process running.
func (p *Process) Throttle(memoryMB int, spent time.Duration) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	slice := Slice(memoryMB)
	signal := func(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // fails once the process has ended
	debt := spent                                                    // what was used beyond a slice; what is left of one is lost
	go func() {
		defer close(ended)
		defer signal(syscall.SIGCONT)
		for period := time.Now(); ; period = period.Add(slicePeriod) {
			left := func() time.Duration { return time.Until(period.Add(slicePeriod)) }
			if allowance := slice - debt; allowance > 0 {
				before := p.Used()
				signal(syscall.SIGCONT)
				for p.Used()-before < allowance && left() > 0 {
					select {
					case <-done:
						return
					case <-time.After(glance):
					}
				}
				if p.Used()-before >= allowance {
					signal(syscall.SIGSTOP)
				}
				debt += p.Used() - before
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
