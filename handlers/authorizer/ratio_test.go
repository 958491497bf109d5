package main

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"time"

	"account-api/internal/token/corpus"
	"account-api/internal/token/tokentest"
)

// BenchmarkRatio alternates short blocks of raw verification (the hash and the RSA operation of
// one signature) with blocks of whole invocations. It reports the median ratio of a pair, which
// is stable on a shared machine where times are not. The bar for an Allow is 1.5.
func BenchmarkRatio(b *testing.B) {
	const block = 10 // short, so that a burst of other load hits both blocks of a pair
	compact := tokentest.Valid()
	raw := rawRSA(b, compact)
	a := quiet(b)
	invocations := map[string]func(){}
	for name, event := range map[string]string{
		"allow":       bearing(compact),
		"unknown-kid": unheardOf(0),
		"other-alg":   bearing(corpus.Headers(corpus.Set("alg", `"HS256"`))),
	} {
		payload := []byte(event)
		ctx, cancel := context.WithTimeout(b.Context(), time.Hour) // as from Lambda: with a deadline
		defer cancel()
		invocations[name] = func() {
			if _, err := a.Invoke(ctx, payload); (err == nil) != (name == "allow") {
				b.Fatalf("%s: expected the other outcome than %v", name, err)
			}
		}
		invocations[name]() // fetches keys, and fills the table of unknown ones
	}
	measure := func(run func()) float64 {
		start := time.Now()
		for range block {
			run()
		}
		return float64(time.Since(start))
	}
	ratios := map[string][]float64{}
	for b.Loop() {
		for name, run := range invocations {
			ratios[name] = append(ratios[name], measure(run)/measure(raw))
		}
	}
	for name, all := range ratios {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name+"/raw")
	}
}

// BenchmarkGrowth makes 100 000 invocations, half of them under unknown key IDs, and reports the
// memory in use before and after. Bounded tables are the difference.
func BenchmarkGrowth(b *testing.B) {
	const invocations = 100_000
	a := quiet(b)
	ctx := b.Context()
	good := []byte(bearing(tokentest.Valid()))
	var strange [][]byte
	for i := range 1000 {
		strange = append(strange, []byte(unheardOf(i)))
	}
	inUse := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for b.Loop() {
		if _, err := a.Invoke(ctx, good); err != nil {
			b.Fatal(err)
		}
		before := inUse()
		for i := range invocations {
			event := good
			if i%2 == 1 {
				event = strange[i/2%len(strange)]
			}
			if _, err := a.Invoke(ctx, event); (err == nil) != (i%2 == 0) {
				b.Fatalf("expected the other outcome than %v", err)
			}
		}
		b.ReportMetric(before, "MB-before")
		b.ReportMetric(inUse(), "MB-after")
		runtime.KeepAlive(a)
	}
}

// quiet is an authorizer that discards its log lines.
func quiet(b *testing.B) authorizer {
	a := newAuthorizer(b)
	a.handler.log = slog.New(slog.NewJSONHandler(io.Discard, nil))
	return a
}
