package jwks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"account-api/internal/token/tokentest"
)

func TestBudget(t *testing.T) {
	now := tokentest.Now()
	var b budget
	steps := []struct {
		after time.Duration
		want  bool
		why   string
	}{
		{0, true, "the first of the burst"},
		{0, true, "the second of the burst"},
		{0, false, "the burst is spent"},
		{30*time.Second - 1, false, "a moment too early"},
		{1, true, "one came back after an interval"},
		{0, false, "only one"},
		{45 * time.Second, true, "one came back, and half of the next"},
		{15 * time.Second, true, "the other half"},
		{0, false, "spent"},
		{time.Hour, true, "an hour brings back the burst"},
		{0, true, "the burst"},
		{0, false, "and no more than that"},
		{-time.Hour, false, "a clock that was set back brings nothing"},
		{30 * time.Second, true, "nor does it take an hour to recover"},
		{0, false, "spent"},
		{70 * time.Second, true, "two came back"},
		{0, true, "two came back"},
		{29 * time.Second, false, "a full bucket saves nothing up"},
		{time.Second, true, "30 s after the burst began"},
	}
	for i, step := range steps {
		now = now.Add(step.after)
		if got := b.take(now); got != step.want {
			t.Errorf("step %d: got %v, want %v: %s", i, got, step.want, step.why)
		}
	}
}

func TestBackOffStaysAtItsLongest(t *testing.T) {
	now := tokentest.Now()
	for _, count := range []int{6, 7, 34, 64, 65, 1_000_000} { // doubling would overflow on the way
		f := failures{count: count, at: now}
		if !f.backingOff(now.Add(maxBackoff-1), true) || f.backingOff(now.Add(maxBackoff), true) {
			t.Errorf("after %d failures: want exactly %v", count, maxBackoff)
		}
	}
}

func TestAbsentIsBounded(t *testing.T) {
	var a absent
	now := tokentest.Now()
	for i := range 10 * maxAbsent {
		a.add(fmt.Sprint("junk", i), now)
	}
	if len(a.since) != maxAbsent || !a.holds("junk0", now) || a.holds("junk128", now) {
		t.Errorf("got %d entries, want the first %d", len(a.since), maxAbsent)
	}
	now = now.Add(unknownKidInterval)
	if a.holds("junk0", now) {
		t.Error("an entry outlived the interval")
	}
	a.add("late", now)
	if len(a.since) != 1 || !a.holds("late", now) {
		t.Errorf("got %d entries, want the expired ones to make room", len(a.since))
	}
	if a.holds("late", now.Add(-1)) {
		t.Error("an entry holds before its own time: a clock that was set back prolongs it")
	}
}

func TestNewChecksTheAddress(t *testing.T) {
	for _, uri := range []string{
		"https://issuer.example/.well-known/jwks.json",
		"https://keys.example.com:8443/a?version=1",
		"HTTPS://keys.example.com/",
		"http://127.0.0.1:8081/.well-known/jwks.json",
		"http://localhost:8081/",
		"http://LOCALHOST/",
		"http://[::1]:8081/",
		"http://127.9.9.9/",
	} {
		if _, err := New(uri, Options{}); err != nil {
			t.Errorf("%s: got %v, want no error", uri, err)
		}
	}
	rows := []struct{ name, uri, fix string }{
		{"empty", "", "want https://"},
		{"http", "http://keys.example.com/jwks.json", "use https://keys.example.com/jwks.json"},
		{"http on a private address", "http://10.0.0.1/", "use https://"},
		{"http on every address", "http://0.0.0.0/", "use https://"},
		{"http on a host that begins like loopback", "http://127.0.0.1.evil.example/", "use https://"},
		{"http on a host that begins like localhost", "http://localhost.evil.example/", "use https://"},
		{"another scheme", "file:///etc/passwd", "has no host"},
		{"ftp", "ftp://keys.example.com/", "want https"},
		{"no scheme", "keys.example.com/jwks.json", "has no host"},
		{"no host", "https:///jwks.json", "has no host"},
		{"only a port", "https://:443/", "has no host"},
		{"opaque", "https:keys.example.com", "has no host"},
		{"credentials", "https://user:hunter2@keys.example.com/", "remove the part before the @"},
		{"a user", "https://user@keys.example.com/", "remove the part before the @"},
		{"credentials in a bad URL", "https://user:hunter2@keys.example.com:port/", "not a URL"},
		{"fragment", "https://keys.example.com/#keys", "remove the #"},
		{"empty fragment", "https://keys.example.com/#", "remove the #"},
		{"space in front", " https://keys.example.com/", "not a URL"},
		{"line break behind", "https://keys.example.com/\n", "not a URL"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s, err := New(row.uri, Options{})
			if err == nil || s != nil || !strings.Contains(err.Error(), row.fix) {
				t.Fatalf("got %v, want no source and an error with %q", err, row.fix)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q repeats the password", err)
			}
		})
	}
}
