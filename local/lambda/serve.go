package lambda

import (
	"errors"
	"fmt"
	"time"
)

// failure is the end of an invocation where the function gave no answer, worded
// as Lambda words it.
type failure struct {
	kind     string // errorType
	message  string // errorMessage, without the request's id
	document []byte // the runtime's own error document, where it sent one
	unseen   bool   // the event has not reached the function: another process may have it
}

// timedOut is the kind of a failure by the clock.
const timedOut = "Sandbox.Timedout"

func (f *failure) Error() string { return f.kind + ": " + f.message }

// payload is the error document for one invocation.
func (f *failure) payload(requestID string) []byte {
	if f.document != nil {
		return f.document
	}
	return errorDocument(f.kind, "RequestId: "+requestID+" Error: "+f.message)
}

func unseen(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.unseen
}

// serve takes an invocation that was admitted through the process that place returned, or if
// there is none or it turns out to be dead, through a new one. It starts no more than one: a
// function that dies at once must not be restarted for ever.
func (p *Pool) serve(inv *invocation, s *sandbox) (Result, error) {
	var err error
	result := Result{RequestID: inv.id}
	live := &recording{requestID: inv.id}
	if s != nil {
		s.out.begin(live)
		result.Duration, err = p.run(inv, s)
		if unseen(err) {
			p.account.starts <- struct{}{}
		}
	}
	if s == nil || unseen(err) {
		result.ColdStart = true
		s, result.InitDuration, err = p.coldStart(inv.id, live)
		<-p.account.starts
		if err == nil {
			result.Duration, err = p.run(inv, s)
		}
	}
	defer func() { p.release(s) }()

	var failed *failure
	switch {
	case err == nil:
		a := s.api.answerTo(inv)
		result.Payload = a.payload
		if a.failed {
			result.FunctionError = unhandled
		}
	case errors.As(err, &failed):
		result.Payload, result.FunctionError = failed.payload(inv.id), unhandled
	default:
		return Result{}, err
	}
	if s != nil {
		result.LogTail = s.out.end()
		result.MemoryMB = s.peakMemory
	}
	p.reportEnd(result, failed, result.MemoryMB)
	return result, nil
}

// coldStart starts a process and waits until its init is over. With a failure it
// returns the process, if there was one, which has ended.
func (p *Pool) coldStart(requestID string, live *recording) (*sandbox, time.Duration, error) {
	s, err := p.start(live)
	if errors.Is(err, ErrClosed) {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, &failure{kind: "Runtime.InvalidEntrypoint", message: err.Error()}
	}
	limit, stop := p.limit(p.initLimit)
	defer stop()
	var failed *failure
	select {
	case <-s.api.ready:
		return s, time.Since(s.started), nil
	case document := <-s.api.initFailed:
		p.blame(s, crashed)
		s.stop(stopGrace)
		failed = &failure{kind: "Runtime.InitError", document: document}
	case <-s.ended:
		failed = &failure{kind: "Runtime.ExitError", message: exitMessage(s.exit)}
		select {
		case failed.document = <-s.api.initFailed: // its last words
		default:
		}
	case <-limit:
		p.blame(s, overdue)
		s.kill()
		failed = &failure{kind: timedOut, message: fmt.Sprintf("Init timed out after %.2f seconds", p.initLimit.Seconds())}
	}
	took := time.Since(s.started)
	if p.wasAsked(s) {
		return s, took, ErrClosed
	}
	p.reportInit(requestID, took, failed)
	return s, took, failed
}

// limit is a channel that is ready after d, or never if a debugger may hold the process.
func (p *Pool) limit(d time.Duration) (<-chan time.Time, func() bool) {
	if p.debug {
		return nil, func() bool { return false }
	}
	timer := time.NewTimer(d)
	return timer.C, timer.Stop
}

// run hands the event to a process that has ended its init, and waits until the
// invocation is over: the runtime has answered and asks for the next event, or
// the process has ended, or its time is up. With no error there is an answer.
func (p *Pool) run(inv *invocation, s *sandbox) (time.Duration, error) {
	p.reportStart(inv.id)
	begin := time.Now()
	inv.deadline = begin.Add(p.fn.Timeout)
	if p.debug {
		inv.deadline = begin.Add(maxDebugging)
	}
	limit, stop := p.limit(p.fn.Timeout)
	defer stop()

	look := time.NewTicker(memoryInterval)
	defer look.Stop()
	work := s.api.work
	for {
		select {
		case <-look.C:
			if p.outgrown(s) {
				return time.Since(begin), outOfMemory
			}

		case work <- inv:
			work = nil // handed over; a send on nil is never chosen again

		case <-inv.completed:
			if p.outgrown(s) {
				return time.Since(begin), outOfMemory
			}
			return time.Since(begin), nil

		case <-s.ended:
			took := time.Since(begin)
			if s.api.answerTo(inv) != nil {
				return took, nil // it answered first
			}
			if p.wasAsked(s) {
				return took, ErrClosed
			}
			return took, &failure{kind: "Runtime.ExitError", message: exitMessage(s.exit), unseen: work != nil}

		case <-limit:
			p.blame(s, overdue)
			s.peakMemory = s.peakMemoryMB()
			s.kill()
			took := time.Since(begin)
			if p.wasAsked(s) {
				return took, ErrClosed
			}
			return took, &failure{kind: timedOut, message: fmt.Sprintf("Task timed out after %.2f seconds", p.fn.Timeout.Seconds())}
		}
	}
}

// outOfMemory is how Lambda words the end of a process that takes more than the function's
// memory.
var outOfMemory = &failure{kind: "Runtime.ExitError", message: "Runtime exited with error: signal: killed"}

// outgrown ends a process that has had more memory than the function declares.
func (p *Pool) outgrown(s *sandbox) bool {
	s.peakMemory = s.peakMemoryMB()
	if s.peakMemory <= p.fn.MemoryMB || p.debug {
		return false
	}
	p.blame(s, crashed)
	s.kill()
	return true
}
