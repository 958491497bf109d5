package lambda

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

// Quotas of an account, from https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html.
const (
	accountConcurrency = 1000 // default quota
	leastUnreserved    = 100  // that reservations have to leave
)

// Account is what the functions of one account share: the invocations that may run at a
// time, and on this machine the processes that may start at a time.
type Account struct {
	limit  int           // invocations of functions without reserved concurrency
	starts chan struct{} // holds one for each process that is starting

	mu      sync.Mutex
	running int
}

// NewAccount returns an account in which functions have reserved some of the concurrency.
func NewAccount(reserved ...int) (*Account, error) {
	unreserved := accountConcurrency
	for _, n := range reserved {
		unreserved -= n
	}
	if unreserved < leastUnreserved {
		return nil, fmt.Errorf("lambda: expected reserved concurrency of at most %d for all functions, got %d: AWS keeps %d for the others",
			accountConcurrency-leastUnreserved, accountConcurrency-unreserved, leastUnreserved)
	}
	// A process that starts keeps a processor busy. With more of them at a time, each takes
	// longer than the init phase may.
	return &Account{limit: unreserved, starts: make(chan struct{}, max(4, 2*runtime.NumCPU()))}, nil
}

// take admits an invocation of a function that has reserved nothing.
func (a *Account) take() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running >= a.limit {
		return fmt.Errorf("%w: functions without reserved concurrency run %d invocations already, the account's limit", ErrThrottled, a.running)
	}
	a.running++
	return nil
}

func (a *Account) give() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running--
}

// admit counts an invocation, unless too many run.
func (p *Pool) admit() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.max == 0 {
		if err := p.account.take(); err != nil {
			return err
		}
	} else if p.debug && p.running > 0 {
		return fmt.Errorf("%w: function %q has one process for a debugger, which is busy", ErrThrottled, p.fn.Name)
	} else if p.running >= max(p.max, 0) {
		return fmt.Errorf("%w: function %q runs %d invocations already, its reserved concurrency", ErrThrottled, p.fn.Name, p.running)
	}
	p.running++
	p.invocations.Add(1)
	return nil
}

// place returns the idle process that was used last. If there is none, it returns the first
// one that gets free, or nil with the right to start one, whichever comes first. It asks for
// that right after a while only, and later while others get free: more processes would share
// the same processors.
func (p *Pool) place() (*sandbox, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if last := len(p.idle) - 1; last >= 0 {
		s := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		return s, nil
	}
	freed := make(chan *sandbox, 1)
	p.waiting = append(p.waiting, freed)
	busy, releases := len(p.alive) > 0, p.releases
	p.mu.Unlock()

	err := error(nil)
	for range busyRounds {
		if !busy {
			break
		}
		select {
		case s := <-freed:
			return s, nil
		case <-p.closing:
			busy = false
		case <-time.After(p.busyTime):
			p.mu.Lock()
			busy, releases = p.releases != releases, p.releases
			p.mu.Unlock()
		}
	}
	select {
	case s := <-freed:
		return s, nil
	case <-p.closing:
		err = ErrClosed
	case p.account.starts <- struct{}{}:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.waiting {
		if p.waiting[i] == freed {
			p.waiting = append(p.waiting[:i], p.waiting[i+1:]...)
			return nil, err
		}
	}
	if err == nil {
		<-p.account.starts
	}
	return <-freed, nil // it came at the same moment
}

// release ends an invocation. Its process, unless nil or no longer wanted, serves who waits
// for one, or is idle now.
func (p *Pool) release(s *sandbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	p.releases++
	if p.max == 0 {
		p.account.give()
	}
	if s == nil {
		return
	}
	if _, alive := p.alive[s]; !alive {
		return
	}
	if s.launch != p.launch || p.closed {
		p.retire(s)
		return
	}
	if len(p.waiting) > 0 {
		p.waiting[0] <- s
		p.waiting = p.waiting[1:]
		return
	}
	s.idleSince = p.now()
	p.idle = append(p.idle, s)
	if p.sweeper == nil && len(p.idle) > 1 {
		p.sweeper = p.after(p.idleTime, p.sweep)
	}
}

// sweep ends the processes that have been idle for the idle time, all but one.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeper = nil
	if p.closed {
		return
	}
	now := p.now()
	for len(p.idle) > 1 {
		left := p.idleTime - now.Sub(p.idle[0].idleSince)
		if left > 0 {
			p.sweeper = p.after(left, p.sweep)
			return
		}
		p.retire(p.idle[0])
		p.idle = p.idle[1:]
	}
}
