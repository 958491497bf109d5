package lambda

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The platform's lines, as Lambda writes them in its text format. Sources:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html and,
// for Status and Error Type, the log examples in
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html.

func (p *Pool) report(requestID, format string, args ...any) {
	p.write(Line{Function: p.fn.Name, RequestID: requestID, Platform: true, Text: fmt.Sprintf(format, args...)})
}

func (p *Pool) reportStart(requestID string) {
	p.report(requestID, "START RequestId: %s Version: %s", requestID, p.fn.Version)
}

// reportInit reports a cold start that failed; Lambda reports no others.
func (p *Pool) reportInit(requestID string, took time.Duration, failed *failure) {
	p.report(requestID, "%s", strings.Join(append([]string{
		fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms", milliseconds(took)), "Phase: init",
	}, failed.status()...), "\t"))
}

// reportEnd reports the end of an invocation; failed is nil where the function
// answered, with an error or without, memory is 0 where it is not known.
func (p *Pool) reportEnd(r Result, failed *failure, memoryMB int) {
	fields := []string{
		"REPORT RequestId: " + r.RequestID,
		fmt.Sprintf("Duration: %.2f ms", milliseconds(r.Duration)),
		// Init is billed too, and whole milliseconds are.
		fmt.Sprintf("Billed Duration: %.0f ms", math.Ceil(milliseconds(r.InitDuration+r.Duration))),
		fmt.Sprintf("Memory Size: %d MB", p.fn.MemoryMB),
	}
	if memoryMB > 0 {
		fields = append(fields, fmt.Sprintf("Max Memory Used: %d MB", memoryMB))
	}
	if r.ColdStart {
		fields = append(fields, fmt.Sprintf("Init Duration: %.2f ms", milliseconds(r.InitDuration)))
	}
	if failed != nil {
		fields = append(fields, failed.status()...)
		if failed.message != "" {
			p.report(r.RequestID, "RequestId: %s Error: %s", r.RequestID, failed.message)
		}
	}
	p.report(r.RequestID, "END RequestId: %s", r.RequestID)
	p.report(r.RequestID, "%s", strings.Join(fields, "\t"))
}

// status is how a failure appears in a REPORT line.
func (f *failure) status() []string {
	if f.kind == timedOut {
		return []string{"Status: timeout"}
	}
	return []string{"Status: error", "Error Type: " + f.kind}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
