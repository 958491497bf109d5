//go:build unix

package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestCloseEndsARunningInvocation(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	failed := make(chan error, 1)
	go func() {
		_, err := p.Invoke(context.Background(), []byte(`{"do":"hang"}`))
		failed <- err
	}()
	log.await(t, "hanging", 1)
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, expected %v", err, ErrClosed)
	}
	if _, err := p.Invoke(context.Background(), []byte(`{}`)); !errors.Is(err, ErrClosed) {
		t.Errorf("after close got %v, expected %v", err, ErrClosed)
	}
	if stats := p.Stats(); stats != (Stats{Starts: 1}) {
		t.Errorf("got %+v, expected nothing to be blamed on the function", stats)
	}
	p.Replace(filepath.Join(built, updated))
	if err := p.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
}

func TestCloseEndsAColdStart(t *testing.T) {
	p := newPool(t, declared(function, func(fn *Function) { fn.Environment = map[string]string{"INIT": "hang"} }), Options{})
	failed := make(chan error, 1)
	go func() {
		_, err := p.Invoke(context.Background(), []byte(`{}`))
		failed <- err
	}()
	eventually(t, "the process has started", func() bool { return p.Stats().Alive == 1 })
	p.Close()
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, expected %v", err, ErrClosed)
	}
}

func TestCloseDuringManyInvocationsLeavesNothing(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{MaxProcesses: 10})
	p.busyTime = 0
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for {
				r, err := p.Invoke(context.Background(), []byte(`{"do":"who"}`))
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil || r.FunctionError != "" {
					t.Errorf("got %v, %s", err, r.Payload)
					return
				}
			}
		})
	}
	eventually(t, "some processes work", func() bool { return p.Stats().Alive >= 3 })
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wg.Wait()
}

func TestAProcessMayEndInGraceAndIsKilledIfItDoesNot(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	invoke(t, p, `{"do":"graceful"}`)
	p.Close()
	log.await(t, "terminated", 1)

	p = newPool(t, declared(function, nil), Options{})
	stubborn := who(t, invoke(t, p, `{"do":"stubborn"}`))
	p.Close()
	if !gone(stubborn.PID) {
		t.Error("a process that ignores SIGTERM survives close")
	}
}

func TestReplaceEndsIdleProcesses(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	old := who(t, invoke(t, p, `{"do":"who"}`))
	p.Replace(filepath.Join(built, updated))
	r := invoke(t, p, `{"do":"who"}`)
	if id := who(t, r); id.Version != updated || !r.ColdStart {
		t.Errorf("got %+v, expected a cold start of the updated function", id)
	}
	eventually(t, "the replaced process is gone", func() bool { return gone(old.PID) && p.Stats().Alive == 1 })
	if stats := p.Stats(); stats.Crashes != 0 {
		t.Errorf("got %+v, expected no crash", stats)
	}
}

func TestReplaceLetsARunningInvocationFinish(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note})
	gate := filepath.Join(t.TempDir(), "gate")
	result := make(chan Result, 1)
	go func() { result <- invoke(t, p, fmt.Sprintf(`{"do":"wait","text":%q}`, gate)) }()
	log.await(t, "waiting", 1)
	p.Replace(filepath.Join(built, updated))
	if id := who(t, invoke(t, p, `{"do":"who"}`)); id.Version != updated {
		t.Errorf("got %+v, expected the updated function while the other works on", id)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	old := who(t, <-result)
	if old.Version != function {
		t.Errorf("got %+v, expected the first function to finish", old)
	}
	eventually(t, "the replaced process is gone", func() bool { return gone(old.PID) && p.Stats().Alive == 1 })
}

func TestReplaceUnderLoadLosesNothing(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				who(t, invoke(t, p, `{"do":"who"}`))
			}
		})
	}
	for i := range 10 {
		executable := []string{updated, function}[i%2]
		p.Replace(filepath.Join(built, executable))
		if id := who(t, invoke(t, p, `{"do":"who"}`)); id.Version != executable {
			t.Errorf("got %s after its replacement by %s", id.Version, executable)
		}
	}
	close(stop)
	wg.Wait()
	if stats := p.Stats(); stats.Crashes != 0 || stats.Timeouts != 0 {
		t.Errorf("got %+v, expected no failure", stats)
	}
}

func TestACallerThatLeavesHarmsNobody(t *testing.T) {
	log := newNotebook()
	p := newPool(t, declared(function, nil), Options{Log: log.note, MaxProcesses: 1})
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, leave := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	event := []byte(fmt.Sprintf(`{"do":"wait","text":%q}`, gate))
	go func() {
		_, err := p.Invoke(ctx, event)
		clear(event) // the caller's to reuse
		failed <- err
	}()
	waiting := log.await(t, "waiting", 1)[0]
	leave()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected %v", err, context.Canceled)
	}
	if _, err := p.Invoke(context.Background(), []byte(`{"do":"who"}`)); !errors.Is(err, ErrThrottled) {
		t.Errorf("got %v while the process works on, expected %v", err, ErrThrottled)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log.await(t, "REPORT RequestId: "+waiting.RequestID, 1)
	var r Result
	eventually(t, "the process is free", func() bool {
		var err error
		r, err = p.Invoke(context.Background(), []byte(`{"do":"who"}`))
		return !errors.Is(err, ErrThrottled)
	})
	if id := who(t, r); id.Invocation != 2 || r.ColdStart {
		t.Errorf("got %+v, expected the process's second invocation", id)
	}
}

func TestACallerMayLeaveDuringAColdStart(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	for range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		if _, err := p.Invoke(ctx, []byte(`{"do":"who"}`)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, expected an answer or %v", err, context.DeadlineExceeded)
		}
		cancel()
	}
	if r := invoke(t, p, `{"do":"echo"}`); string(r.Payload) != `{"do":"echo"}` {
		t.Errorf("got %s", r.Payload)
	}
	if stats := p.Stats(); stats.Crashes != 0 || stats.Timeouts != 0 {
		t.Errorf("got %+v, expected no process to be harmed", stats)
	}
}

func TestInvokeStartsNothingForACallerThatHasLeft(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	ctx, leave := context.WithCancel(context.Background())
	leave()
	if _, err := p.Invoke(ctx, []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected %v", err, context.Canceled)
	}
	if stats := p.Stats(); stats != (Stats{}) {
		t.Errorf("got %+v", stats)
	}
}

func TestAnEventMayHaveSixMegabytes(t *testing.T) {
	p := newPool(t, declared(function, nil), Options{})
	event := bytes.Repeat([]byte{'x'}, maxEventBytes)
	copy(event, `{"do":"who","text":"`)
	copy(event[len(event)-2:], `"}`)
	if r, err := p.Invoke(context.Background(), event); err != nil || r.FunctionError != "" {
		t.Errorf("got %v, %.100s for the largest event", err, r.Payload)
	}
	if _, err := p.Invoke(context.Background(), append(event, ' ')); !errors.Is(err, ErrEventTooLarge) {
		t.Errorf("got %v, expected %v", err, ErrEventTooLarge)
	}
}

// BenchmarkInvoke measures what the pool adds to a function: one warm process, the
// way of an event to it and of its answer back.
func BenchmarkInvoke(b *testing.B) {
	p := newPool(b, declared(function, nil), Options{})
	event := []byte(`{"do":"echo","text":"` + string(bytes.Repeat([]byte{'x'}, 1000)) + `"}`)
	invoke(b, p, string(event))
	b.ReportAllocs()
	for b.Loop() {
		if r, err := p.Invoke(context.Background(), event); err != nil || r.FunctionError != "" {
			b.Fatalf("%v %s", err, r.Payload)
		}
	}
}

// BenchmarkColdStart measures a process's start, first invocation and end.
func BenchmarkColdStart(b *testing.B) {
	for b.Loop() {
		p, err := NewPool(declared(function, nil), Options{})
		if err != nil {
			b.Fatal(err)
		}
		invoke(b, p, `{"do":"who"}`)
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
