package main

import (
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, row := range []struct {
		name   string
		cpu    time.Duration
		memory int
		want   time.Duration
	}{
		{"within the first slice nothing waits", time.Millisecond, 128, time.Millisecond},
		{"a whole slice is still the first one", 1_447_145, 128, 1_447_145},
		{"one nanosecond more waits for the next period", 1_447_146, 128, 20*time.Millisecond + 1},
		{"twice the memory, twice the slice", 2 * time.Millisecond, 256, 2 * time.Millisecond},
		{"a whole processor never waits", time.Second, 1769, time.Second},
		{"nor does more than one", time.Second, 3538, time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := duration(float64(row.cpu), row.memory); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestMillion(t *testing.T) {
	m := measured{
		invocationCPU: map[string]float64{"authorizer": 4e5, "profile": 4e5},
		logBytes:      map[string]float64{"authorizer": 300, "profile": 300},
	}
	asked := m.million(128, false)
	// Two invocations of 1 ms in an eighth of a gigabyte, for each of a million requests.
	if want := 250 * gigabyteSecond; math.Abs(asked.Compute-want) > 1e-9 {
		t.Errorf("compute: got %v, want %v", asked.Compute, want)
	}
	if want := 0.40; math.Abs(asked.Requests-want) > 1e-9 {
		t.Errorf("requests: got %v, want %v", asked.Requests, want)
	}
	cached := m.million(128, true)
	if want := 0.202; math.Abs(cached.Requests-want) > 1e-9 {
		t.Errorf("requests with cached answers: got %v, want %v", cached.Requests, want)
	}
	if double := m.million(256, false); math.Abs(double.Compute-2*asked.Compute) > 1e-9 {
		t.Errorf("compute with twice the memory: got %v, want twice %v", double.Compute, asked.Compute)
	}
	if asked.Everything <= cached.Everything || cached.Everything <= gatewayRequest*1e6 {
		t.Errorf("everything: got %v, with cached answers %v; want less, and more than the gateway alone", asked.Everything, cached.Everything)
	}
}
