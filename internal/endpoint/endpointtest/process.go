package endpointtest

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"account-api/local/lambda"
)

// patience is the function's timeout, far more than an answer takes on a busy machine.
const patience = time.Minute

// FunctionName is the name that the process is given.
const FunctionName = "endpoint-test"

// Build compiles the main package in the test's directory as it is deployed, but for
// this machine, and returns the executable's path.
func Build(t *testing.T) string {
	t.Helper()
	executable := filepath.Join(t.TempDir(), "bootstrap")
	if output, err := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", executable, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return executable
}

// Process is a function that runs as one process, as make run would run it.
type Process struct {
	t    *testing.T
	pool *lambda.Pool
	log  strings.Builder // of the process; complete once the pool is closed
}

// Start runs an executable with these declared variables in its environment. The process
// starts with the first event, and ends with the test.
func Start(t *testing.T, executable string, environment map[string]string) *Process {
	t.Helper()
	p := &Process{t: t}
	var err error
	p.pool, err = lambda.NewPool(lambda.Function{
		Name: FunctionName, ARN: "arn:aws:lambda:eu-central-1:123456789012:function:" + FunctionName, Region: "eu-central-1",
		Executable: executable, Environment: environment, Timeout: patience,
	}, lambda.Options{MaxProcesses: 1, Log: func(line lambda.Line) {
		if !line.Platform {
			p.log.WriteString(line.Text + "\n")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop() })
	return p
}

// Invoke gives the function an event, and returns its response.
func (p *Process) Invoke(event string) string {
	p.t.Helper()
	result, err := p.pool.Invoke(p.t.Context(), []byte(event))
	if err != nil {
		p.t.Fatal(err)
	}
	if result.FunctionError != "" {
		p.t.Fatalf("expected a response, got the error %s, having logged\n%s", result.Payload, strings.Join(result.LogTail, "\n"))
	}
	return string(result.Payload)
}

// Stop ends the process and returns what it has logged.
func (p *Process) Stop() (log string) {
	p.t.Helper()
	if err := p.pool.Close(); err != nil {
		p.t.Error(err)
	}
	return p.log.String()
}
