package paired

import (
	"fmt"
	"syscall"
	"time"
)

// blockTime is how much processor time one block of [CPU] takes. A longer one averages over
// more of what disturbs the machine for a moment. In a shorter one, all variants of a round
// meet the same conditions.
const blockTime = 30 * time.Millisecond

// CPU is a variant whose cost is processor time in nanoseconds for one call of work.
// It counts all threads of this process, so that garbage collection is included and
// waiting for a processor that somebody else uses is not.
func CPU(name string, work func() error) Variant {
	calls := 1
	return Variant{Name: name, Block: func() (float64, error) {
		for {
			took, err := cpuTime(calls, work)
			if err != nil {
				return 0, err
			}
			if took >= blockTime/2 {
				// Aim for blockTime from the next block on.
				cost := float64(took.Nanoseconds()) / float64(calls)
				calls = max(1, int(float64(blockTime.Nanoseconds())/cost))
				return cost, nil
			}
			calls *= 2
		}
	}}
}

// Wall is a variant whose cost is time on the clock, in nanoseconds for one of so many calls.
func Wall(name string, calls int, work func() error) Variant {
	return Variant{Name: name, Block: func() (float64, error) {
		start := time.Now()
		for range calls {
			if err := work(); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start).Nanoseconds()) / float64(calls), nil
	}}
}

func cpuTime(calls int, work func() error) (time.Duration, error) {
	before, err := usage()
	if err != nil {
		return 0, err
	}
	for range calls {
		if err := work(); err != nil {
			return 0, err
		}
	}
	after, err := usage()
	return after - before, err
}

func usage() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the processor time used: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
