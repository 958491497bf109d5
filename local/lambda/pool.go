package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Pool is a function and its processes. Its methods may be called from any number
// of goroutines.
type Pool struct {
	fn        Function
	max       int // invocations at a time; 0 shares the account's
	account   *Account
	initLimit time.Duration // for a process to ask for its first event
	guard     *guard

	logMu sync.Mutex // makes the calls of log one at a time
	log   func(Line)

	invocations sync.WaitGroup // Add only while open and under mu
	processes   sync.WaitGroup // as above, or while an invocation is running
	close       func() error

	tempDir  string
	debug    bool
	started  func(pid int)
	now      func() time.Time
	after    func(time.Duration, func()) *time.Timer
	idleTime time.Duration
	busyTime time.Duration

	mu       sync.Mutex
	closed   bool
	closing  chan struct{} // closed with the pool
	launch   *launch
	running  int                   // invocations, each with a process or about to get one
	releases int                   // ended invocations
	waiting  []chan<- *sandbox     // who takes the next process that gets free, in order
	idle     []*sandbox            // waiting for an event, the most recently used last
	sweeper  *time.Timer           // ends idle processes; nil while none is due
	alive    map[*sandbox]struct{} // started and not reaped
	stats    Stats                 // without Alive
	debris   []error               // what could not be cleaned up
}

// NewPool returns a pool without processes: the first invocation starts one. For a function
// that AWS would refuse to create, its error lists every reason. The caller must close the
// pool.
func NewPool(fn Function, o Options) (*Pool, error) {
	fn, err := fn.check()
	if err != nil {
		return nil, err
	}
	if o.MaxProcesses < Never {
		return nil, fmt.Errorf("lambda: function %q: at most %d processes, expected 0 (for the account's limit) or more", fn.Name, o.MaxProcesses)
	}
	if o.Account == nil {
		if o.Account, err = NewAccount(); err != nil {
			return nil, err
		}
	}
	if o.Debug {
		o.MaxProcesses = 1
	}
	if o.Started == nil {
		o.Started = func(int) {}
	}
	if o.Log == nil {
		o.Log = func(Line) {}
	}
	guard, err := newGuard()
	if err != nil {
		return nil, fmt.Errorf("lambda: function %q: %w", fn.Name, err)
	}
	p := &Pool{
		fn:        fn,
		max:       o.MaxProcesses,
		account:   o.Account,
		initLimit: defaultInitLimit,
		guard:     guard,
		log:       o.Log,
		launch:    &launch{executable: fn.Executable},
		alive:     make(map[*sandbox]struct{}),
		closing:   make(chan struct{}),
		tempDir:   o.TempDir,
		debug:     o.Debug,
		started:   o.Started,
		now:       time.Now,
		after:     time.AfterFunc,
		idleTime:  idleTime,
		busyTime:  busyTime,
	}
	p.close = sync.OnceValue(p.shutdown)
	return p, nil
}

// Invoke hands an event of at most 6 MB to a process and returns the result. If the
// function fails, the Result has a FunctionError. An error means that there is no result:
// [ErrClosed], [ErrThrottled], [ErrEventTooLarge] or ctx's.
//
// When ctx is done, Invoke stops waiting. As in the cloud, the process continues until it
// answers or times out. Then it serves other invocations.
func (p *Pool) Invoke(ctx context.Context, event []byte) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if len(event) > maxEventBytes {
		return Result{}, fmt.Errorf("%w: expected at most %d bytes, got %d", ErrEventTooLarge, maxEventBytes, len(event))
	}
	if err := p.admit(); err != nil {
		return Result{}, err
	}
	inv := newInvocation(bytes.Clone(event)) // it may outlive this call
	type outcome struct {
		result Result
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer p.invocations.Done()
		s, err := p.place()
		if err != nil {
			p.release(nil)
			done <- outcome{err: err}
			return
		}
		result, err := p.serve(inv, s)
		done <- outcome{result, err}
	}()
	select {
	case o := <-done:
		return o.result, o.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Warm starts a process if there is none, for a debugger to attach to. It returns when the
// process waits for its first event.
func (p *Pool) Warm() error {
	if err := p.admit(); err != nil {
		return err
	}
	defer p.invocations.Done()
	s, err := p.place()
	if err == nil && s == nil {
		s, _, err = p.coldStart("", &recording{})
		<-p.account.starts
	}
	p.release(s)
	return err
}

// Replace makes later invocations use another executable, or a newer one at the same path.
// It ends idle processes. The others end with their invocation.
func (p *Pool) Replace(executable string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.launch = &launch{executable: executable}
	for _, s := range p.idle {
		p.retire(s)
	}
	p.idle = nil
}

// Stats returns the counts of this moment.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.stats
	stats.Alive = len(p.alive)
	return stats
}

// Close ends every process and its group, by SIGTERM and half a second later by SIGKILL.
// It returns when all of them are reaped. Invocations that were running return
// [ErrClosed]. Its error names what could not be cleaned up. Later calls return the same.
func (p *Pool) Close() error { return p.close() }

func (p *Pool) shutdown() error {
	p.mu.Lock()
	p.closed = true
	close(p.closing)
	if p.sweeper != nil {
		p.sweeper.Stop()
	}
	for s := range p.alive {
		p.retire(s)
	}
	p.idle = nil
	p.mu.Unlock()

	p.invocations.Wait()
	p.processes.Wait()
	err := p.guard.close()

	p.mu.Lock()
	defer p.mu.Unlock()
	return errors.Join(append(p.debris, err)...)
}

// start launches a process.
func (p *Pool) start(live *recording) (*sandbox, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	p.stats.Starts++
	l := p.launch
	p.mu.Unlock()

	s, err := p.fn.start(l, p.guard, p.tempDir, live, func(requestID, text string) {
		p.write(Line{Function: p.fn.Name, RequestID: requestID, Text: text})
	})
	if err != nil {
		return nil, err
	}
	p.started(s.cmd.Process.Pid)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive[s] = struct{}{}
	p.processes.Go(func() {
		s.await()
		p.forget(s)
	})
	if p.closed {
		p.retire(s)
	}
	return s, nil
}

// retire ends a process in the background. The caller holds mu.
func (p *Pool) retire(s *sandbox) {
	if s.cause != unasked {
		return
	}
	s.cause = asked
	p.processes.Go(func() { s.stop(stopGrace) })
}

// blame records why a process ended or is about to be ended, unless that is known.
func (p *Pool) blame(s *sandbox, c cause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.cause != unasked {
		return
	}
	s.cause = c
	switch c {
	case crashed:
		p.stats.Crashes++
	case overdue:
		p.stats.Timeouts++
	}
}

// wasAsked reports whether the pool itself ended the process.
func (p *Pool) wasAsked(s *sandbox) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return s.cause == asked
}

// forget drops a process that has ended.
func (p *Pool) forget(s *sandbox) {
	p.blame(s, crashed)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, s)
	if i := slices.Index(p.idle, s); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	if s.cleanup != nil {
		p.debris = append(p.debris, s.cleanup)
	}
}

// write hands a line to the log.
func (p *Pool) write(l Line) {
	p.logMu.Lock()
	defer p.logMu.Unlock()
	p.log(l)
}
