//go:build unix

package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestADebuggerHasOneProcessAndAllTheTime(t *testing.T) {
	var started []int
	log := newNotebook()
	p := newPool(t, declared(function, func(fn *Function) { fn.Timeout = time.Millisecond }),
		Options{Debug: true, Log: log.note, Started: func(pid int) { started = append(started, pid) }})
	p.initLimit = time.Nanosecond
	for range 2 { // the second time there is a process
		if err := p.Warm(); err != nil {
			t.Fatal(err)
		}
	}
	gate := filepath.Join(t.TempDir(), "gate")
	result := make(chan Result, 1)
	go func() { result <- invoke(t, p, fmt.Sprintf(`{"do":"wait","text":%q}`, gate)) }()
	log.await(t, "waiting", 1)
	if _, err := p.Invoke(context.Background(), []byte(`{}`)); !errors.Is(err, ErrThrottled) || !strings.Contains(err.Error(), "one process for a debugger") {
		t.Errorf("got %v, expected that the process is busy", err)
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := <-result
	if id := who(t, r); r.ColdStart || len(started) != 1 || started[0] != id.PID {
		t.Errorf("expected the process that was started, %v, got %+v", started, r)
	}
	if got := invoke(t, p, `{"do":"grow","count":200}`); got.FunctionError != "" {
		t.Errorf("expected no limit of memory, got %s", got.Payload)
	}
}
