// Package oneprocessor makes a Lambda function run Go code on one processor at a time.
// It is imported for that effect:
//
//	import _ "account-api/internal/oneprocessor"
//
// Lambda shows a small function two processors, and gives it a fraction of one:
// memory / 1,769 MB, a fourteenth for 128 MB
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). The Go
// scheduler wakes a thread on the second for whatever a goroutine leaves behind, and of
// an invocation, which is little but goroutines of net/http handing over to one another,
// those wake-ups are a quarter. docs/performance.md has the figures.
//
// It is for the main package of a handler, which answers one request at a time. One that
// has more than 1,769 MB and computes in parallel sets the variable GOMAXPROCS, which
// wins.
package oneprocessor

import (
	"runtime"
	"syscall"
)

// This is an init function, and not one that main calls, to come before the other
// packages are initialised: threads that the scheduler has started by then are paid for.
func init() {
	if value, _ := syscall.Getenv("GOMAXPROCS"); value == "" {
		runtime.GOMAXPROCS(1)
	}
}
