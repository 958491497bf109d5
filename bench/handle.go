package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"strconv"
	"time"

	"account-api/bench/paired"
	"account-api/bench/report"
)

// handling measures P3 through the authorizer's own benchmark, since nothing outside
// its package can call its handler. It takes turns with raw RSA, call by call.
func (b *bench) handling() error {
	b.say("the authorizer's handler, event to response")
	output, err := b.goBenchmark("authorizer", "Invoke/paired$", fmt.Sprintf("%dms", b.rounds(3000)))
	if err != nil {
		return err
	}
	metrics := map[string]float64{}
	for _, metric := range benchmarkMetric.FindAllStringSubmatch(output, -1) {
		if metrics[metric[2]], err = strconv.ParseFloat(metric[1], 64); err != nil {
			return err
		}
	}
	if len(metrics) != 4 {
		return fmt.Errorf("expected BenchmarkInvoke/paired to report its quartiles and pairs, got %v", metrics)
	}
	b.add(report.Row{Figure: "P3", Name: "authorizer handler, event bytes in to response bytes out", Unit: "× " + rawRSA, Bar: 1.5, Floor: 1,
		Estimate: paired.Estimate{Median: metrics["median/raw"], Quartile: [2]float64{metrics["q1/raw"], metrics["q3/raw"]}, Rounds: int(metrics["pairs"])}})
	if b.settings.profiles == "" {
		return nil
	}
	for _, handler := range []struct{ name, benchmark string }{{"authorizer", "Invoke/accepted$"}, {"profile", "Invoke/200$"}} {
		file, err := b.profileFile(handler.name)
		if err != nil {
			return err
		}
		if _, err := b.goBenchmark(handler.name, handler.benchmark, "3s", "-test.cpuprofile="+file); err != nil {
			return err
		}
	}
	return nil
}

// benchmarkMetric is a value of a Go benchmark's own and its unit.
var benchmarkMetric = regexp.MustCompile(`([\d.]+) (q1/raw|median/raw|q3/raw|pairs)\b`)

// goBenchmark runs a handler's benchmarks and returns what they print.
func (b *bench) goBenchmark(handler, pattern, duration string, more ...string) (string, error) {
	arguments := append([]string{"-test.run=^$", "-test.bench=^Benchmark" + pattern, "-test.benchtime=" + duration}, more...)
	cmd := exec.CommandContext(b.ctx, b.built.tests[handler], arguments...)
	cmd.Dir = filepath.Join("handlers", handler)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s\nbenchmark of %s: %w", output, handler, err)
	}
	return string(output), nil
}

// profile writes a CPU profile of work, if profiles were asked for.
func (b *bench) profile(name string, work func() error) error {
	if b.settings.profiles == "" {
		return nil
	}
	file, err := b.profileFile(name)
	if err != nil {
		return err
	}
	return writeFile(file, func(f *os.File) error {
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
			if err := work(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) profileFile(name string) (string, error) {
	if err := os.MkdirAll(b.settings.profiles, 0o755); err != nil {
		return "", err
	}
	return filepath.Abs(filepath.Join(b.settings.profiles, name+".pprof"))
}
