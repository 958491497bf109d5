//go:build unix

package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTheAccountLimitsFunctionsWithoutReservedConcurrency(t *testing.T) {
	account, err := NewAccount(2)
	if err != nil {
		t.Fatal(err)
	}
	account.limit = 2
	log := newNotebook()
	gate := filepath.Join(t.TempDir(), "gate")
	wait := fmt.Sprintf(`{"do":"wait","text":%q}`, gate)
	one := newPool(t, declared(function, nil), Options{Log: log.note, Account: account})
	other := newPool(t, declared(function, nil), Options{Log: log.note, Account: account})
	reserving := newPool(t, declared(function, nil), Options{Account: account, MaxProcesses: 1})
	stopped := newPool(t, declared(function, nil), Options{Account: account, MaxProcesses: Never})
	var wg sync.WaitGroup
	for _, p := range []*Pool{one, other} {
		wg.Go(func() { invoke(t, p, wait) })
	}
	log.await(t, "waiting", 2)
	for p, reason := range map[*Pool]string{one: "the account's limit", other: "the account's limit", stopped: "its reserved concurrency"} {
		if _, err := p.Invoke(context.Background(), []byte(`{}`)); !errors.Is(err, ErrThrottled) || !strings.Contains(err.Error(), reason) {
			t.Errorf("got %v, expected %v for %s", err, ErrThrottled, reason)
		}
	}
	invoke(t, reserving, `{"do":"who"}`) // has its own
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	invoke(t, one, `{"do":"who"}`)
}

func TestReservationsLeaveAHundred(t *testing.T) {
	if _, err := NewAccount(500, 400); err != nil {
		t.Errorf("expected 900 to be possible, got %v", err)
	}
	if _, err := NewAccount(500, 401); err == nil || !strings.Contains(err.Error(), "at most 900 for all functions, got 901") {
		t.Errorf("got %v", err)
	}
}

// Many requests at once start a few processes at a time, and are served by those that get
// free meanwhile.
func TestManyAtOnceShareTheProcessesThatGetFree(t *testing.T) {
	const count = 200
	account, err := NewAccount()
	if err != nil {
		t.Fatal(err)
	}
	account.starts = make(chan struct{}, 1)
	p := newPool(t, declared(function, nil), Options{Account: account})
	var wg sync.WaitGroup
	for range count {
		wg.Go(func() { invoke(t, p, `{"do":"who"}`) })
	}
	wg.Wait()
	stats := p.Stats()
	if stats.Starts >= count || stats.Starts != stats.Alive || len(p.waiting) != 0 || p.running != 0 || account.running != 0 || len(account.starts) != 0 {
		t.Errorf("got %+v with %d waiting and %d running", stats, len(p.waiting), p.running)
	}
}

func TestAProcessThatGetsFreeSoonSparesAStart(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	p.busyTime = time.Hour
	log, gate := newNotebook(), filepath.Join(t.TempDir(), "gate")
	p.log = log.note
	var wg sync.WaitGroup
	wg.Go(func() { invoke(t, p, fmt.Sprintf(`{"do":"wait","text":%q}`, gate)) })
	log.await(t, "waiting", 1)
	wg.Go(func() { invoke(t, p, `{"do":"who"}`) })
	eventually(t, "the second invocation waits", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.waiting) == 1
	})
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if stats := p.Stats(); stats.Starts != 1 {
		t.Errorf("got %+v, expected one start", stats)
	}
}

func TestIdleProcessesEnd(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	at := time.Now()
	var due []time.Duration
	p.now = func() time.Time { return at }
	p.after = func(d time.Duration, _ func()) *time.Timer {
		due = append(due, d)
		return time.NewTimer(time.Hour)
	}
	log, gate := newNotebook(), filepath.Join(t.TempDir(), "gate")
	p.log = log.note
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { invoke(t, p, fmt.Sprintf(`{"do":"wait","text":%q}`, gate)) })
	}
	log.await(t, "waiting", 3)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if len(due) != 1 || due[0] != time.Minute {
		t.Fatalf("expected one look in a minute, got %v", due)
	}
	at = at.Add(59 * time.Second)
	used := who(t, invoke(t, p, `{"do":"who"}`))
	at = at.Add(time.Second)
	p.sweep()
	eventually(t, "the two that were idle for a minute are gone", func() bool { return p.Stats().Alive == 1 })
	if kept := who(t, invoke(t, p, `{"do":"who"}`)); kept.PID != used.PID {
		t.Errorf("expected process %d to be kept, got %d", used.PID, kept.PID)
	}
	if stats := p.Stats(); stats.Crashes != 0 {
		t.Errorf("got %+v, expected no crash", stats)
	}
}
