// Package lambda runs functions on the developer's machine as AWS Lambda runs them for the
// runtime provided.al2023. A function is a set of processes that speak the Runtime API.
// They are started on demand and reused, and each serves one invocation at a time.
//
// It is for the local gateway, and for tests that need real executables and processes:
// cold starts, reuse after an error, crashes, timeouts, and an environment that holds what
// the stack declares and nothing of the developer's.
//
// It is no sandbox. A process has the developer's user, network and file system. It is
// not frozen between invocations, and its processor is not limited. On Linux, it ends if it
// takes more memory than declared; on other systems nothing looks. Idle processes of a
// function end after a minute, all but one. Lambda starts a process whenever all are busy;
// here an event waits for one of them first: 100 ms,
// and up to a second while others get free.
//
// The package never loads handler code into its own process. It never retries an
// invocation that a function has seen. No process outlives [Pool.Close] or the end of
// this process.
//
// References: the Runtime API, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
// and the execution environment's life,
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.
package lambda

import (
	"errors"
	"time"
)

// Function is one deployed function as the stack declares it.
type Function struct {
	Name string // required; appears in logs and in the default log group
	ARN  string // required; the process sees it as the invoked function's ARN

	// Version that runs; "" is "$LATEST", the code that is not published.
	Version string

	// Executable is the path of the bootstrap, built for this machine. It is
	// looked up at each cold start, so that it may be built or replaced later.
	Executable string

	// Environment is what the stack declares, and all of it that the process gets
	// besides Lambda's own variables. [NewPool] refuses reserved names.
	Environment map[string]string

	// Reach replaces variables of Lambda's, so that an SDK reaches a service: credentials,
	// and AWS_ENDPOINT_URL. A variable of "" is absent. Without it, the credentials are none
	// that AWS accepts.
	Reach map[string]string

	// MemoryMB is the declared memory, 128 to 10240; 0 is AWS's default, 128. It limits the
	// resident memory of the process, its children's not included.
	MemoryMB int

	// Timeout of one invocation without its cold start, up to 15 minutes; 0 is
	// AWS's default, 3 s. AWS takes whole seconds only, here fractions work too.
	Timeout time.Duration

	Region   string // required, e.g. "eu-central-1"
	LogGroup string // "" is "/aws/lambda/" and the name
}

// Options are set by the program that runs the function, and not by its declaration. The
// zero value is usable.
type Options struct {
	// Log receives one call per line that a process writes and per line that the
	// platform adds (START, END, REPORT and INIT_REPORT). Calls are serialised per
	// pool. A slow Log slows the function down; it must not call the pool. Nil
	// drops the lines; [Result.LogTail] has them still.
	Log func(Line)

	// MaxProcesses is the function's reserved concurrency: how many invocations may run at
	// a time. 0 shares the account's. [Never] is a declared 0. Beyond the limit, Invoke
	// answers [ErrThrottled] at once, as Lambda does: it does not wait.
	MaxProcesses int

	Account *Account // shared with other functions; nil is one for this function

	// TempDir holds the directories of processes, which have them as /tmp; "" is the
	// system's.
	TempDir string

	// Debug is for a function that a debugger holds: it has one process at a time, without
	// limits of time and memory. MaxProcesses and Account do not count.
	Debug bool

	// Started is called with the ID of each process. It must not call the pool. Nil is not
	// called.
	Started func(pid int)
}

// Never is the reserved concurrency of a function that may not run.
const Never = -1

// Line is one line of a function's log, without its newline.
type Line struct {
	Function string // the function's name

	// RequestID of the invocation during which the line was written. It is ""
	// for a line that a process writes between two invocations.
	RequestID string

	Platform bool // written by the platform, not by the function
	Text     string
}

// Result is the answer of a function, or that of the platform if the function gave none.
type Result struct {
	RequestID string // UUIDv4, as the function and the log see it

	// Payload is the function's response, byte by byte; it need not be JSON. With
	// a FunctionError it is the error document {"errorMessage", "errorType", …}
	// of the runtime or of the platform. It is untrusted input: nothing about it is
	// checked.
	Payload []byte

	// FunctionError is "", or "Unhandled" where the function failed: the value of
	// X-Amz-Function-Error in Lambda's Invoke API.
	FunctionError string

	// LogTail is what the process wrote during this invocation and its cold
	// start, without platform lines; the newest 256 KiB of it.
	LogTail []string

	// MemoryMB is the most memory that the process has had; 0 where the system does not
	// tell.
	MemoryMB int

	InitDuration time.Duration // from the process's start to its readiness; 0 without a cold start
	Duration     time.Duration // from the event's hand-over to completion
	ColdStart    bool
}

// Stats counts the processes of a pool.
type Stats struct {
	Alive    int // processes that are started and not yet reaped
	Starts   int // cold starts attempted, including those whose executable could not be started
	Crashes  int // processes that ended, or reported a failed init, without being asked to
	Timeouts int // processes killed over the function's timeout or the init limit
}

// Errors of [Pool.Invoke] that are not answers of the function. Match them with
// [errors.Is].
var (
	// ErrClosed is returned when the pool is closed before the function answers.
	ErrClosed = errors.New("lambda: the pool is closed")

	// ErrThrottled is Lambda's 429 TooManyRequestsException: as many invocations are
	// running as the function or the account may have.
	ErrThrottled = errors.New("lambda: rate exceeded (TooManyRequestsException)")

	// ErrEventTooLarge is Lambda's 413 RequestTooLargeException.
	ErrEventTooLarge = errors.New("lambda: event too large (RequestTooLargeException)")
)

// unhandled marks a failed invocation, see [Result.FunctionError].
const unhandled = "Unhandled"

// Quotas, from https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
// unless another source is named.
const (
	maxEventBytes    = 6 << 20             // event of a synchronous invocation
	maxResponseBytes = maxEventBytes + 100 // the figure in Lambda's own error message: 6291556
	maxTimeout       = 15 * time.Minute    // of one invocation
	defaultTimeout   = 3 * time.Second     // CreateFunction API, Timeout
	MinMemoryMB      = 128                 // also the default: CreateFunction API, MemorySize
	maxMemoryMB      = 10240
	maxEnvironment   = 4 << 10                // bytes of all declared variables together
	defaultInitLimit = 10 * time.Second       // Init phase of an on-demand function
	stopGrace        = 500 * time.Millisecond // SIGTERM to SIGKILL: Shutdown phase with an internal extension
	idleTime         = time.Minute            // Lambda says nothing; long enough for the next request by hand
	busyTime         = 100 * time.Millisecond // that an event waits for a busy process: on Lambda a start takes 100 ms or more
	busyRounds       = 10                     // of busyTime, as long as others get free: a slow start on Lambda takes a second
	memoryInterval   = 100 * time.Millisecond // between looks at a process's memory
	maxDebugging     = 24 * time.Hour         // the deadline that a function sees in a debugger
	maxLogTail       = 256 << 10              // bytes; bounds what one invocation may pin in memory
)
